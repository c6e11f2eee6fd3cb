"""Every metric by name, the variants of other libraries among them.

A plain tuple, so that reading it is all there is to know: which library computes which, in which
direction a value is preferred, and what is needed to compute it. ``docs/metrics.md`` prints it.
"""

from ..errors import InvalidValue
from .evidence import Evidence
from .metric import Metric
from .registered_accuracy import ACCURACY
from .registered_catalogue import DIVERSITY, POPULARITY
from .registered_fairness import CALIBRATION, EXPOSURE, USERS

METRICS: tuple[Metric, ...] = (
    *ACCURACY,
    *DIVERSITY,
    *POPULARITY,
    *EXPOSURE,
    *CALIBRATION,
    *USERS,
)


def find(name: str) -> Metric:
    """The metric of that name.

    Raises:
        InvalidValue: There is none.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise InvalidValue(
        f"there is no metric {name!r}",
        field="metric",
        mend=f"Use one of {', '.join(m.name for m in METRICS)}.",
    )


def computable(evidence: Evidence) -> tuple[Metric, ...]:
    """The metrics that the evidence suffices for, in the registry's order."""
    return tuple(metric for metric in METRICS if metric.computable(evidence))


def table() -> str:
    """The registry as a Markdown table."""
    rows = ["| name | meaning | preferred | source | the same elsewhere |", "|---|---|---|---|---|"]
    for m in METRICS:
        preferred = m.direction if m.target is None else f"near {m.target:g}"
        meaning = m.meaning.replace("|", "\\|")
        elsewhere = ", ".join(m.libraries) or "–"
        rows.append(f"| `{m.name}` | {meaning} | {preferred} | {m.source} | {elsewhere} |")
    return "\n".join(rows)
