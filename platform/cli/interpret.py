"""``fairloop interpret``: which state moves which weight of a policy."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...agents.interpret.labels import percent, weight_label
from ...agents.interpret.report import InterpretationReport, InterpretConfig
from ...errors import InvalidValue
from ..interpreting import Files, interpret_stored, write_interpretation
from .context import opened
from .output import Json, show, wide, working

app = typer.Typer(add_completion=False)


@app.command()
def interpret(
    policy: Annotated[
        str | None, typer.Option(help="Version of a stored policy; the last one without it.")
    ] = None,
    users: Annotated[int, typer.Option(help="Simulated held-out users, at most.", min=4)] = 200,
    seed: Annotated[int, typer.Option(help="Root of the simulation and all draws.", min=0)] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the figures, the picture and a page.")] = (
        Path("interpretation")
    ),
    as_json: Json = False,
) -> None:
    """Explain a stored policy: what moves its weights, with a picture, curves and examples."""
    if out.exists() and not out.is_dir():
        raise InvalidValue(f"{out} is a file", field="out", mend="Name a folder.")
    with opened() as house, working("Interpreting") as progress:
        config = InterpretConfig(users=users)
        report = interpret_stored(house.home, policy, seed, config, progress)
        files = write_interpretation(report, out)
    show(report, as_json, lambda console: render(console, report, files))


def render(console: Console, report: InterpretationReport, files: Files) -> None:
    """Print an interpretation for people."""
    wide(console)
    console.print(
        f"Policy {report.policy}: {report.n_visits:,} visits of {report.n_users:,} simulated users"
    )
    if report.is_static:
        console.print("No state moves any weight: everybody is given the same.")
    else:
        console.print(_shares(report))
    if report.told:
        console.print(
            f"At {report.told:.0%} of {report.config.requests} visits there is a reason to tell "
            f"(effect ≥ {report.config.said_from:g} sd of score). The strongest:"
        )
        for sentence in dict.fromkeys(example.sentence for example in report.examples):
            console.print(f"  {escape(sentence)}")
    console.print(f"{files.page}  (figures: {files.data.name}, picture: {files.picture.name})")


def _shares(report: InterpretationReport) -> Table:
    table = Table(
        title="share of each weight's variance, by what the policy sees (Shapley effects)",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for column in ("weight", *report.groups, "moves (sd of score)"):
        table.add_column(column, overflow="fold")
    for weight in report.weights:
        shares = [percent(effect.shapley) for effect in weight.effects]
        cells = shares or ["–"] * len(report.groups)
        table.add_row(escape(weight_label(weight.weight)), *cells, f"{weight.moves:.3f}")
    return table
