"""``fairloop evaluate policy``: a stored policy beside its baselines, on users it has not seen."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ...errors import InvalidValue
from ..evaluation.page import Files, headline, write_evaluation
from ..evaluation.run import PolicyEvaluation, evaluate_policy
from .context import opened
from .evaluation_table import evaluation_table
from .output import Json, show, wide, working


def policy_command(
    policy: Annotated[
        str | None, typer.Option(help="Version of a stored policy; the last one without it.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Version of the candidates to show, such as another base model's; those that the "
            "policy was trained on without it."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Simulator seeds; as many as at training.", min=1)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Root of their luck; the training's without it.", min=0)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "--html", help="Folder for the figures, the table and a page."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Evaluate a stored policy anew; its baselines are made again from their stored numbers."""
    if out is not None and out.exists() and not out.is_dir():
        raise InvalidValue(f"{out} is a file", field="out", mend="Name a folder.")
    with opened() as house, working("Evaluating") as progress:
        found = evaluate_policy(house.home, policy, data, seeds, seed, progress)
        files = None if out is None else write_evaluation(found, out)
    show(found, as_json, lambda console: render(console, found, files))


def render(console: Console, found: PolicyEvaluation, files: Files | None) -> None:
    """Print an evaluation for people."""
    wide(console)
    console.print(f"[bold]{headline(found.report)}[/bold]")
    console.print(
        f"Policy {found.version} on {found.data}, candidates {found.candidates} by {found.model}"
    )
    console.print(evaluation_table(found.report))
    for name, why in found.left_out.items():
        console.print(f"Left out: {name}; {why}.")
    if files is not None:
        console.print(f"{files.page}  (figures: {files.data.name}, table: {files.markdown.name})")
