"""The audit as files: JSON for machines, one self-contained page for people.

The page carries every figure of the JSON in a ``data-figure`` attribute (its path) and a
``data-value`` attribute (its full value), so that the two can be compared, and are, in a test.
"""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ...candidates.folders import write_file_atomically
from . import words
from .charts import Chart, chart
from .models import AuditReport, ItemAttribute, UserAttribute

_ENVIRONMENT = Environment(
    loader=PackageLoader("fairloop.platform.audit", "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_html(report: AuditReport) -> str:
    """The page: verdict first, then limits, overall figures, groups, gaps and method."""
    k = report.population.slate_length
    return _ENVIRONMENT.get_template("audit.html").render(
        report=report,
        words=words,
        measure_label=lambda name: words.label(name, k),
        item_chart=_item_chart,
        user_chart=lambda attribute, part, measure: _user_chart(attribute, part, measure, k),
    )


def write_audit(report: AuditReport, folder: Path, name: str = "audit") -> tuple[Path, Path]:
    """Write ``name.json`` and ``name.html`` into ``folder``, each whole or not at all.

    Returns:
        Both paths, JSON first.

    Raises:
        StorageFull: The disk refused; no half-written file stays.
    """
    page = render_html(report)
    data, html = folder / f"{name}.json", folder / f"{name}.html"
    write_file_atomically(data, (report.model_dump_json(indent=2) + "\n").encode())
    write_file_atomically(html, page.encode())
    return data, html


def _item_chart(attribute: str, part: ItemAttribute) -> Chart:
    rows = [
        (words.group_name(name), group.share, group.catalogue_share)
        for name, group in part.groups.items()
    ]
    return chart(f"Exposure share by {words.group_name(attribute)}", rows, bars=True)


def _user_chart(attribute: str, part: UserAttribute, measure: str, k: int) -> Chart:
    rows = [
        (words.group_name(name), group.measures[measure], None)
        for name, group in part.groups.items()
    ]
    title = f"{words.label(measure, k)} by {words.group_name(attribute)}"
    return chart(title, rows, bars=False, width=380.0, label_width=96.0)
