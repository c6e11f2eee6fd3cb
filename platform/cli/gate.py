"""``fairloop gate``: may a stored policy serve, why, and how its canary would be run."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ...agents.gate import GateConfig, require_passed
from ...config_files import read_yaml, validate
from ..gating import Judgement, judge_again
from .context import opened
from .output import Json, show, working

app = typer.Typer(add_completion=False)


@app.command()
def gate(
    policy: Annotated[
        str | None, typer.Option(help="Version of a stored policy; the last one without it.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            help="Parquet log of another policy's impressions with their propensities, as "
            "`fairloop simulate` writes it, for off-policy evaluation."
        ),
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option(
            help="JSON file of `fairloop evaluate --out`; the evaluation at training without it."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of GateConfig's fields.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a stored policy again, store the verdict, plan a canary; exit code 2 if refused."""
    rule = GateConfig() if config is None else validate(GateConfig, read_yaml(config))
    with opened() as house, working("Judging"):
        found = judge_again(house.home, house.database, policy, rule, log, evaluation)
    show(found, as_json, lambda console: render(console, found))
    require_passed(found.verdict)


def render(console: Console, found: Judgement) -> None:
    """Print a judgement for people."""
    verdict = found.verdict
    console.print(f"[bold]{escape(verdict.headline)}[/bold]")
    for finding in verdict.findings:
        mark = {True: "yes", False: "no ", None: "–  "}[finding.holds]
        advice = "" if finding.decides else " (advice)"
        console.print(f"  {mark}  {escape(finding.sentence)}{advice}")
    if verdict.canary is not None:
        console.print(f"  {escape(verdict.canary.sentence)}")
    for name, value in verdict.inputs.items():
        console.print(f"  judged {name}: {value[:12]}")
    if found.judged_before:
        console.print(f"  It was judged {found.judged_before} times before.")
    state = " It has stopped serving." if found.stopped else ""
    console.print(f"Verdict {found.id} on policy {found.version} is on record.{state}")
