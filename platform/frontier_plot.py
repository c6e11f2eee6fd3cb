"""One picture per plane: the methods at the front together, and every method by itself.

Up and to the right is better in every panel; where less of a measure is better its axis is turned.
"""

import io
import re
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..agents.report import Interval
from .frontier_report import FrontierMethod, FrontierPlane, FrontierReport

# Okabe & Ito's palette: told apart by people with any colour vision; yellow is left out.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_GREY, _INK = "#B8B8B8", "#333333"
_COLUMNS = 6
_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_WIDTH, _TOP, _ROW = 11.0, 4.6, 1.55  # inches


def draw_plane(report: FrontierReport, plane: FrontierPlane) -> dict[str, bytes]:
    """The picture of a plane, by its file ending: ``.png`` and ``.svg``."""
    n_rows = -(-len(plane.methods) // _COLUMNS)
    figure = Figure(figsize=(_WIDTH, _TOP + 0.55 + _ROW * n_rows), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(_TOP, 0.55 + _ROW * n_rows))
    upper, lower = parts[:, 0]
    styles = _styles(plane)
    _draw_front(upper.subplots(1, 1), report, plane, styles)
    grid = lower.subplots(n_rows, _COLUMNS, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, method in zip(grid, plane.methods, strict=False):
        _draw_alone(axes, plane, method, styles.get(method.algorithm))
    for number, axes in enumerate(grid):
        axes.set_visible(number < len(plane.methods))
        if number + _COLUMNS >= len(plane.methods):
            axes.tick_params(labelbottom=True)
    if not plane.higher_is_better:
        grid[0].invert_xaxis()  # shared
    lower.suptitle(
        "Each method (strengths 0 to 1) and, in grey, the best that any method reaches",
        fontsize="small",
        x=0.01,
        ha="left",
    )
    lower.supxlabel(_axis_label(plane), fontsize="small")
    lower.supylabel(f"NDCG@{report.k}", fontsize="small")
    return {".png": _png(figure), ".svg": _svg(figure)}


def _styles(plane: FrontierPlane) -> dict[str, tuple[str, str]]:
    """Colour and marker of the methods that hold most of the front."""
    leading = sorted((m for m in plane.methods if m.front > 0), key=lambda m: -m.front)
    marks = zip(_COLOURS, _MARKERS, strict=True)
    return {method.algorithm: mark for method, mark in zip(leading, marks, strict=False)}


def _draw_front(
    axes: Axes,
    report: FrontierReport,
    plane: FrontierPlane,
    styles: dict[str, tuple[str, str]],
) -> None:
    """The leading methods in colour with intervals, the others as grey lines."""
    others = [m for m in plane.methods if m.algorithm not in styles]
    for number, method in enumerate(others):
        label = f"others ({len(others)}), each by itself below" if number == 0 else None
        axes.plot(*_line(method), color=_GREY, linewidth=0.9, zorder=1, label=label)
    by_name = {method.algorithm: method for method in plane.methods}
    for name, (colour, marker) in styles.items():
        method = by_name[name]
        x, y = _line(method)
        spread = [(p.measure, p.accuracy) for p in method.points]
        axes.errorbar(
            x,
            y,
            xerr=_errors([measure for measure, _ in spread]),
            yerr=_errors([accuracy for _, accuracy in spread]),
            fmt="none",
            color=colour,
            elinewidth=0.7,
            alpha=0.4,
            zorder=2,
        )
        label = f"{name} (leads at {method.front:.0%} of the levels)"
        axes.plot(
            x, y, color=colour, marker=marker, markersize=5, linewidth=1.6, zorder=3, label=label
        )
    base = plane.methods[0].points[0]
    axes.plot(
        base.measure.value, base.accuracy.value, "*", color="black", markersize=13, zorder=4,
        label="base order",
    )  # fmt: skip
    if not plane.higher_is_better:
        axes.invert_xaxis()
    axes.set_title(f"{report.data}: accuracy against {plane.label}", fontsize="medium", loc="left")
    axes.set_xlabel(_axis_label(plane))
    axes.set_ylabel(report.accuracy)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        loc="upper right",  # where no method gets to: it would be better in both
        frameon=False,
        fontsize="small",
        title=f"{report.users:,} users; bars: {report.confidence:.0%} intervals",
        title_fontsize="small",
        alignment="left",
    )


def _draw_alone(
    axes: Axes, plane: FrontierPlane, method: FrontierMethod, style: tuple[str, str] | None
) -> None:
    colour, marker = style or (_INK, "o")
    axes.plot(*_envelope(plane), color=_GREY, linewidth=2.5, solid_capstyle="round")
    axes.plot(*_line(method), color=colour, marker=marker, markersize=3, linewidth=1.2)
    base = method.points[0]
    axes.plot(base.measure.value, base.accuracy.value, "*", color="black", markersize=7)
    axes.set_title(method.algorithm, fontsize="small", loc="left", color=colour, pad=12)
    axes.text(0, 1.03, _verdict(method), transform=axes.transAxes, fontsize="xx-small", color=_INK)
    axes.tick_params(labelsize="xx-small")
    axes.locator_params(nbins=3)
    axes.spines[["top", "right"]].set_visible(False)


def _verdict(method: FrontierMethod) -> str:
    if not method.gains:
        return "gains nothing over the base order"
    by = method.dominated_by
    return "not dominated" if not by else f"dominated by {len(by)}: {by[0]}{' …' if by[1:] else ''}"


def _line(method: FrontierMethod) -> tuple[list[float], list[float]]:
    return [p.measure.value for p in method.points], [p.accuracy.value for p in method.points]


def _errors(intervals: Sequence[Interval]) -> np.ndarray:
    """Distances of the ends from the values, ``(2, P)``, as matplotlib wants them."""
    ends = [(i.value - i.low, i.high - i.value) for i in intervals]
    return np.maximum(np.array(ends).T, 0.0)


def _envelope(plane: FrontierPlane) -> tuple[list[float], list[float]]:
    """Settings of any method that no other setting beats, from the worst measure to the best."""
    sign = 1.0 if plane.higher_is_better else -1.0
    found: list[tuple[float, float]] = []
    points = [point for method in plane.methods for point in method.points]
    for point in sorted(points, key=lambda p: (-sign * p.measure.value, -p.accuracy.value)):
        if not found or point.accuracy.value > found[-1][1]:
            found.append((point.measure.value, point.accuracy.value))
    return [x for x, _ in found], [y for _, y in found]


def _axis_label(plane: FrontierPlane) -> str:
    return plane.label if plane.higher_is_better else f"{plane.label} (less is better: turned)"


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=150)
    return stream.getvalue()


def _svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    # A fixed salt and no date: equal reports give equal files. One font: each text names its list.
    with (
        mpl.rc_context({"svg.hashsalt": "fairloop", "svg.fonttype": "none"}),
        mpl.rc_context({"font.sans-serif": ["DejaVu Sans"]}),
    ):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    # Half of the bytes are decimals finer than any eye, indentation, and names nothing refers to.
    # Only within tags: the numbers between them are labels.
    text = _TAG.sub(
        lambda tag: _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.1f}", tag[0]),
        stream.getvalue().decode(),
    )
    return re.sub(r' id="[\w.]+_\d+"', "", re.sub(r"\n +", "\n", text)).encode()
