"""An evaluation as files: JSON for machines, Markdown to paste, one self-contained page."""

from pathlib import Path
from typing import NamedTuple

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from ...agents.report import EvaluationReport
from ...candidates.folders import write_file_atomically
from ..audit.charts import Chart, chart
from ..audit.models import Figure
from . import table
from .run import PolicyEvaluation

_ENVIRONMENT = Environment(
    loader=ChoiceLoader(
        [
            PackageLoader("fairloop.platform.evaluation", "templates"),
            PackageLoader("fairloop.platform.audit", "templates"),  # the style of the house
        ]
    ),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Files(NamedTuple):
    """Where an evaluation was written."""

    data: Path
    markdown: Path
    page: Path


def render_html(evaluation: PolicyEvaluation) -> str:
    """The page: a sentence, the picture, the table, and how to read them."""
    return _ENVIRONMENT.get_template("evaluation.html").render(
        evaluation=evaluation,
        report=evaluation.report,
        table=table,
        headline=headline(evaluation.report),
        chart=engagement_chart(evaluation.report),
    )


def write_evaluation(evaluation: PolicyEvaluation, folder: Path) -> Files:
    """Write ``evaluation-VERSION`` with the endings json, md and html, each whole or not at all.

    Raises:
        StorageFull: The disk refused; no half-written file stays.
    """
    page = render_html(evaluation)
    name = f"evaluation-{evaluation.version}"
    files = Files(*(folder / f"{name}.{ending}" for ending in ("json", "md", "html")))
    write_file_atomically(files.data, (evaluation.model_dump_json(indent=2) + "\n").encode())
    write_file_atomically(files.markdown, table.markdown(evaluation.report).encode())
    write_file_atomically(files.page, page.encode())
    return files


def headline(report: EvaluationReport) -> str:
    """What the table says of the policy, as a sentence."""
    learned = report.learned
    limits = "holds every limit" if learned.meets_constraints else "does not hold every limit"
    if report.best_baseline is None:
        return f"The policy {limits}; no baseline does, so there is nothing to compare with."
    ratio, best = learned.engagement_ratio, report.best_baseline
    if ratio.low > 1.0:
        found = f"brings more than {best}"
    elif ratio.high < 1.0:
        found = f"brings less than {best}"
    else:
        found = f"no difference to {best} was measured"
    return f"The policy {limits}; {found}: ratio of engagement {table.shown(ratio)}."


def engagement_chart(report: EvaluationReport) -> Chart:
    """Engagement of every policy, against that of the best baseline."""
    best = report.best_baseline
    line = None if best is None else report.figures(best).engagement.value
    rows = [
        (
            row.name,
            Figure(
                estimate=row.engagement.value,
                low=row.engagement.low,
                high=row.engagement.high,
                users=report.n_users,
            ),
            line,
        )
        for row in report.policies
    ]
    return chart("Engagement per user", rows, bars=True, label_width=170.0)
