"""``fairloop evaluate explanations``: is what is said of recommended items so?"""

from enum import StrEnum
from typing import Annotated, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..evaluation.explanations import ExplanationEvaluation, Model, evaluate_explanations
from ..recommender import open_recommender
from .context import opened
from .output import Json, number, show, stages, wide

_BESIDE: tuple[Model, ...] = ("embedded", "none", "hostile")


class AskedModel(StrEnum):
    """Which models the command asks."""

    EMBEDDED = "embedded"
    NONE = "none"
    HOSTILE = "hostile"
    CONFIGURED = "configured"
    ALL = "all"


def explanations_command(
    n: Annotated[int, typer.Option(help="Recommended items, of many users.", min=1)] = 500,
    model: Annotated[
        AskedModel,
        typer.Option(
            help="'embedded', 'none' (templates), 'hostile' (lies on purpose), 'configured' (that "
            "of the settings), or 'all': the first three."
        ),
    ] = AskedModel.ALL,
    corrupted: Annotated[
        int, typer.Option(help="Lies that the check is tried on besides.", min=1)
    ] = 200,
    seed: Annotated[int, typer.Option(help="Root of all choices.", min=0)] = 0,
    noun: Annotated[str, typer.Option(help="What an item is called, in English.")] = "title",
    as_json: Json = False,
) -> None:
    """Explain items of the deployed candidates with each model, and measure texts and check."""
    asked = [name for name in get_args(Model) if name == model.value] or list(_BESIDE)
    with opened() as house, stages() as progress:
        recommender = open_recommender(house.settings, house.database)
        found = evaluate_explanations(
            recommender, house.settings, asked, n, corrupted, seed, noun, progress
        )
    show(found, as_json, lambda console: render(console, found))


def render(console: Console, found: ExplanationEvaluation) -> None:
    """Print an evaluation for people."""
    wide(console)
    console.print(
        f"{found.n} items of {found.users} users, ordered by {found.policy} from candidates "
        f"{found.candidates} ({found.data}); seed {found.seed}"
    )
    columns = [one.model for one in found.models]
    table = Table("", *columns, box=SIMPLE_HEAD)
    rows = {
        "unverified shown": [str(one.unverified_shown) for one in found.models],
        "true sentences, as written": [number(one.precision_before) for one in found.models],
        "true sentences, as shown": [number(one.precision_after) for one in found.models],
        "the model's own wording": [number(one.own_wording) for one in found.models],
        "fallback rate": [number(one.fallback_rate) for one in found.models],
        "sentence shapes": [str(one.texts.shapes) for one in found.models],
        "unique texts (USR)": [number(one.texts.usr) for one in found.models],
        "feature matching (FMR)": [number(one.texts.fmr) for one in found.models],
        "feature coverage (FCR)": [number(one.texts.fcr) for one in found.models],
        "features in common (DIV)": [number(one.texts.div) for one in found.models],
        "latency p50 / p95, ms": [
            f"{one.latency_p50_ms:.0f} / {one.latency_p95_ms:.0f}" for one in found.models
        ],
        "tokens in / out": [f"{one.tokens_in} / {one.tokens_out}" for one in found.models],
    }
    for name, values in rows.items():
        table.add_row(name, *values)
    console.print(table)
    check = found.checker
    for name, rate in (
        ("lies accepted", check.corrupted),
        ("true texts refused, of the grammar", check.grammar),
        ("true texts refused, paraphrases", check.paraphrases),
    ):
        console.print(f"{name}: {rate.wrong} of {rate.tried} ({number(rate.rate)})")
    for bar in found.bars:
        if not bar.met:
            console.print(f"[bold]Missed: {bar.name}: {bar.value:g}, limit {bar.limit:g}[/bold]")
