"""Geometry of the audit page's charts: numbers for the template to draw as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from .audit_models import Figure

WIDTH, LABEL_WIDTH, ROW = 640.0, 150.0, 30.0
_PLOT_RIGHT = WIDTH - 24.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a chart, in user units; coordinates are None where nothing is drawn."""

    label: str
    y: float
    value: float | None
    low: float | None
    high: float | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows on a common axis.

    Attributes:
        title: What is shown, for people who cannot see it.
        marks: One per row.
        ticks: Place and text of each tick of the axis.
        zero: Where bars start, or None for dots without bars.
        height: Height of the whole chart.
    """

    title: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float | None
    height: float


def chart(
    title: str,
    rows: Sequence[tuple[str, Figure, float | None]],
    *,
    bars: bool,
    decimals: int = 2,
) -> Chart:
    """Lay rows out on an axis that holds all estimates, intervals and references.

    Args:
        title: What is shown.
        rows: Label, figure and reference value (a target, or a share of the catalogue) per row.
        bars: Draw bars from zero, which forces the axis to hold zero.
        decimals: Least decimals of the ticks.
    """
    held = [v for _, f, r in rows for v in (f.estimate, f.low, f.high, r) if v is not None]
    least, most = min(held, default=0.0), max(held, default=1.0)
    if bars:
        least, most = min(least, 0.0), max(most, 0.0)
    room = (most - least) * 0.06 or abs(most) * 0.1 or 1.0
    least, most = (least if bars and least == 0.0 else least - room), most + room

    def x(value: float | None) -> float | None:
        if value is None:
            return None
        return round(
            LABEL_WIDTH + (value - least) / (most - least) * (_PLOT_RIGHT - LABEL_WIDTH), 2
        )

    marks = tuple(
        Mark(name, 14.0 + ROW * row, x(f.estimate), x(f.low), x(f.high), x(reference))
        for row, (name, f, reference) in enumerate(rows)
    )
    ticks = tuple((x(value) or 0.0, text) for value, text in _ticks(least, most, decimals))
    return Chart(title, marks, ticks, x(0.0) if bars else None, ROW * len(rows) + 34.0)


def _ticks(least: float, most: float, decimals: int) -> list[tuple[float, str]]:
    """Four or so round values inside the axis."""
    span = most - least
    step = 10.0 ** _exponent(span)
    for factor in (0.1, 0.2, 0.5, 1.0, 2.0):
        if span / (step * factor) <= 5.5:
            step *= factor
            break
    first = int(least // step) + 1 if least % step else int(least // step)
    values = [n * step for n in range(first, int(most // step) + 1)]
    places = max(decimals if step < 1 else 0, -_exponent(step) if step < 1 else 0)
    return [(value, f"{value:,.{places}f}".replace("-", "−")) for value in values]


def _exponent(value: float) -> int:
    """Power of ten just below a positive value."""
    return int(f"{value:e}".split("e")[1])
