"""``fairloop study``: what a recommender does to its own data, round after round."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ...simulators.study.config import load_study
from ..studying import StudySummary, run_stored_study
from .context import opened
from .output import Json, number, show, working

app = typer.Typer(help="Feedback-loop studies.", no_args_is_help=True, add_completion=False)


@app.callback()
def studies() -> None:
    """Feedback-loop studies."""  # keeps `run` a word of its own while it is the only command


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="YAML file of the study.")],
    data: Annotated[str | None, typer.Option(help="Which imported data set.")] = None,
    as_json: Json = False,
) -> None:
    """Recommend, simulate choices, append, refit and measure; arms share the randomness."""
    config = load_study(file)
    with opened() as house, working(f"Study {config.name}") as progress:
        summary = run_stored_study(house.home, house.database, config, progress, data)
    show(summary, as_json, lambda console: render(console, summary))


def render(console: Console, summary: StudySummary) -> None:
    """Print the last round of a study for people."""
    arms = list(summary.last_round[0].arms) if summary.last_round else []
    table = Table(title=f"Round {summary.rounds}, mean over {len(summary.seeds)} seeds")
    for column in ("measure", "of", *arms):
        table.add_column(column)
    for row in summary.last_round:
        table.add_row(row.measure, row.of, *(number(row.arms[arm]) for arm in arms))
    console.print(table)
    console.print(f"{summary.picture}\n{summary.table}")
    if summary.logs:
        console.print(f"{len(summary.logs)} impression logs in {summary.folder}")
