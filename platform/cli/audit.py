"""``fairloop audit``: measure what was recommended, from the record."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..audit.inputs import AuditScope
from ..audit.models import AuditReport
from ..audit.report import write_audit
from ..audit.stored import StoredAudit, run_audit
from .context import opened
from .output import Json, show, working

When = Annotated[datetime | None, typer.Option(help="UTC, such as 2026-01-31.")]


app = typer.Typer(add_completion=False)


@app.command()
def audit(
    policy: Annotated[str | None, typer.Option(help="Only slates of this policy version.")] = None,
    since: When = None,
    until: When = None,
    html: Annotated[Path | None, typer.Option(help="Folder for the JSON and the page.")] = None,
    as_json: Json = False,
) -> None:
    """Measure exposure, accuracy gaps and diversity of recorded recommendations."""
    with opened() as house:
        scope = AuditScope(policy_version=policy, since=since, until=until)
        with working("Auditing"):
            stored = run_audit(house.database, house.home, scope)
            folder = html or house.home.audits
            files = write_audit(AuditReport.model_validate(stored.report), folder, stored.id)
    show(stored, as_json, lambda console: render(console, stored, files))


def render(console: Console, stored: StoredAudit, files: tuple[Path, Path]) -> None:
    """Print the verdict of an audit for people."""
    report = AuditReport.model_validate(stored.report)
    console.print(f"[bold]{report.verdict.headline}[/bold]")
    for sentence in report.verdict.sentences:
        console.print(f"  {sentence}")
    console.print(f"{files[1]}  (figures: {files[0].name})")
