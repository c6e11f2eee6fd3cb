"""Geometry of the audit page's charts: numbers for the template to draw as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from .models import Figure

ROW = 30.0


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
        width: Width of the whole chart.
        label_width: Part of it that the labels of the rows take.
        height: Height of the whole chart.
    """

    title: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    zero: float | None
    width: float
    label_width: float
    height: float


def chart(
    title: str,
    rows: Sequence[tuple[str, Figure, float | None]],
    *,
    bars: bool,
    width: float = 640.0,
    label_width: float = 150.0,
) -> Chart:
    """Lay rows out on an axis that holds all estimates, intervals and references.

    Args:
        title: What is shown.
        rows: Label, figure and reference value (a target, or a share of the catalogue) per row.
        bars: Draw bars from zero, which forces the axis to hold zero.
        width: Width of the whole chart.
        label_width: Part of it for the labels.
    """
    held = [v for _, f, r in rows for v in (f.estimate, f.low, f.high, r) if v is not None]
    least, most = min(held, default=0.0), max(held, default=1.0)
    if bars:
        least, most = min(least, 0.0), max(most, 0.0)
    room = (most - least) * 0.06 or abs(most) * 0.1 or 1.0
    least, most = (least if bars and least == 0.0 else least - room), most + room

    right = width - 24.0

    def x(value: float | None) -> float | None:
        if value is None:
            return None
        return round(label_width + (value - least) / (most - least) * (right - label_width), 2)

    marks = tuple(
        Mark(name, 14.0 + ROW * row, x(f.estimate), x(f.low), x(f.high), x(reference))
        for row, (name, f, reference) in enumerate(rows)
    )
    ticks = tuple((x(value) or 0.0, text) for value, text in _ticks(least, most, width / 120.0))
    return Chart(
        title, marks, ticks, x(0.0) if bars else None, width, label_width, ROW * len(rows) + 34.0
    )


def _ticks(least: float, most: float, ticks: float) -> list[tuple[float, str]]:
    """At most ``ticks`` round steps inside the axis."""
    span = most - least
    step = 10.0 ** _exponent(span)
    for factor in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0):
        if span / (step * factor) <= ticks:
            step *= factor
            break
    first = int(least // step) + 1 if least % step else int(least // step)
    values = [n * step for n in range(first, int(most // step) + 1)]
    places = max(0, -_exponent(step))
    return [(value, f"{value:,.{places}f}".replace("-", "−")) for value in values]


def _exponent(value: float) -> int:
    """Power of ten just below a positive value."""
    return int(f"{value:e}".split("e")[1])
