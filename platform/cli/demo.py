"""``fairloop demo``: the main job, end to end, on MovieLens-100K."""

import importlib.util
import os
import shutil
import sys

import typer
from rich.console import Console
from rich.table import Table

from ..demo import DemoReport, run_demo
from .context import opened
from .evaluation_table import evaluation_table
from .output import Json, interval, log, number, show, stages, wide
from .recommend import render as render_recommendation
from .train import kept_of_learning

app = typer.Typer(add_completion=False)


@app.command()
def demo(as_json: Json = False) -> None:
    """Candidates, a constrained policy, explanations, the record, an audit and a study."""
    with opened(create=True) as house:
        settings = house.settings
        if settings.model_kind == "none" and importlib.util.find_spec("xllamacpp"):
            log.print("Explanations are worded by the embedded model, which is installed.")
            settings = settings.model_copy(update={"model_kind": "embedded"})
        with stages() as progress:
            report = run_demo(settings, house.home, house.database, progress)
    show(report, as_json, lambda console: render(console, report))


def render(console: Console, report: DemoReport) -> None:
    """Print the closing table, two explained recommendations and what to try next."""
    wide(console)
    console.print(evaluation_table(report.policy.report))
    console.print(report.policy.verdict.headline)
    console.print(kept_of_learning(report.policy.report))
    console.print(_closing(report))
    for recommendation in report.explained:
        console.print()
        render_recommendation(console, recommendation)
    console.print("\n[bold]Audit of the recorded slates, after re-ranking[/bold]")
    after = report.audits["after"].report["verdict"]
    console.print(after["headline"])
    for name, page in report.pages.items():
        console.print(f"  {name}: {page}")
    console.print(f"Feedback-loop study: {report.study.picture}")
    console.print("\nNext:")
    for command, what in _next(report):
        console.print(f"  [bold]{command}[/bold]  {what}")
    total = sum(report.seconds.values())
    parts = ", ".join(f"{step} {seconds:.0f}" for step, seconds in report.seconds.items())
    console.print(f"\n[dim]{total:.0f} s: {parts}[/dim]")


def _closing(report: DemoReport) -> Table:
    evaluation = report.policy.report
    table = Table(
        title=f"Before and after re-ranking: {evaluation.n_users} held-out users, "
        f"{len(evaluation.seeds)} simulator seeds, {evaluation.confidence:.0%} intervals"
    )
    for column in ("measure", "floor", "top-k", evaluation.published):
        table.add_column(column, overflow="fold")
    for row in report.closing:
        cells = [
            interval(figure.value, figure.low, figure.high) if figure else "–"
            for figure in (row.before, row.after)
        ]
        table.add_row(row.measure, number(row.floor) if row.floor is not None else "", *cells)
    return table


def _next(report: DemoReport) -> list[tuple[str, str]]:
    user = report.explained[0].user_id
    # After `make demo` the command is in .venv/bin, which need not be on the path.
    fairloop = "fairloop" if shutil.which("fairloop") else os.path.relpath(sys.argv[0])
    return [
        (f"{fairloop} recommend {user} --wish 'no horror, before 1990'", "one slate under a wish"),
        (f"{fairloop} chat {user}", "refine in conversation"),
        (f"{fairloop} audit", "measure everything on record"),
        (f"{fairloop} study run docs/examples/study.yaml", "your own feedback-loop study"),
        (f"{fairloop} serve", "the HTTP API, with its docs under /docs"),
    ]
