"""The table of an evaluation in a terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ...agents.report import EvaluationReport
from ..evaluation import table


def evaluation_table(report: EvaluationReport) -> Table:
    """Every policy of an evaluation with its intervals; the published one in bold."""
    shown = Table(
        title=table.caption(report),
        title_justify="left",
        caption=" ".join(table.notes(report)),
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    for title in table.titles(report):
        # Intervals may stand on two lines, names and counts may not.
        shown.add_column(title, overflow="fold", no_wrap=title in ("policy", "kind", "user-steps"))
    for row in report.policies:
        style = "bold" if row.name == report.published else "dim" if row.reference else None
        shown.add_row(*table.cells(row, report), style=style)
    return shown
