"""One picture of all sweeps: a small panel per parameter, on common axes.

A line is the policy's engagement over the baseline's, in its interval; above 1 the policy gains. A
cross instead of a dot marks a point at which some limit is not shown to hold. The parameters that
cost most come first.
"""

import io
import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from .curves import Curve, Point
from .misspecification import TASTE_NOISE, MisspecificationReport

# Of Okabe & Ito's palette: told apart by people with any colour vision.
_BLUE, _VERMILION, _INK = "#0072B2", "#D55E00", "#333333"
_ACROSS = 4
_WIDTH, _ROW = 11.0, 2.1  # inches
_LONGEST_UNIT = 52


def draw_misspecification(report: MisspecificationReport) -> dict[str, bytes]:
    """The picture by its file ending, ``.png`` and ``.svg``; equal reports give equal files."""
    rows = max(1, -(-len(report.curves) // _ACROSS))
    figure = Figure(figsize=(_WIDTH, 0.9 + _ROW * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, _ACROSS, squeeze=False, sharey=True).ravel()
    costly_first = sorted(report.curves, key=lambda c: min(p.ratio.value for p in c.points))
    for axes, curve in zip(grid, costly_first, strict=False):
        _draw(axes, curve)
    for axes in grid[len(report.curves) :]:
        axes.set_visible(False)
    figure.suptitle(
        f"{report.policy} against {report.baseline}, each parameter alone off its assumed value",
        fontsize="medium",
        x=0.01,
        ha="left",
    )
    figure.legend(
        handles=_legend(report), loc="outside lower left", ncols=4, frameon=False, fontsize="small"
    )
    figure.supylabel("Engagement, ratio", fontsize="small")
    return {".png": _png(figure), ".svg": _svg(figure)}


def _draw(axes: Axes, curve: Curve) -> None:
    at, points = np.array([p.at for p in curve.points]), curve.points
    low, high = np.array([(p.ratio.low, p.ratio.high) for p in points]).T
    axes.axhline(1.0, color=_INK, linewidth=0.8)
    axes.axvline(curve.assumed, color="0.8", linewidth=0.8, zorder=0)
    axes.fill_between(at, low, high, color=_BLUE, alpha=0.2, linewidth=0)
    axes.plot(at, [p.ratio.value for p in points], color=_BLUE, linewidth=1.3)
    _mark(axes, [p for p in points if all(c.met for c in p.constraints)], "o", _BLUE)
    _mark(axes, [p for p in points if not all(c.met for c in p.constraints)], "X", _VERMILION)
    if curve.parameter == TASTE_NOISE:
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    else:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(_ticks(at)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"×{x:g}"))
    axes.set_title(curve.parameter.replace("_", " "), fontsize="small", loc="left", pad=12)
    axes.text(0, 1.03, _unit(curve), transform=axes.transAxes, fontsize="xx-small", color=_INK)
    axes.tick_params(labelsize="x-small")
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _mark(axes: Axes, points: Sequence[Point], marker: str, colour: str) -> None:
    x, y = [p.at for p in points], [p.ratio.value for p in points]
    axes.plot(x, y, marker, color=colour, markersize=5, zorder=3)


def _ticks(at: np.ndarray) -> list[float]:
    """Powers of two within what was swept."""
    lowest, highest = np.ceil(np.log2(at.min()) - 1e-9), np.floor(np.log2(at.max()) + 1e-9)
    return [float(2.0**power) for power in np.arange(lowest, highest + 1)]


def _unit(curve: Curve) -> str:
    """Its assumed value and what it counts, cut to what stands over a panel."""
    if curve.parameter == TASTE_NOISE:
        return curve.unit
    assumed = next(p.value for p in curve.points if p.at == curve.assumed)
    whole = f"assumed {assumed:g}: {curve.unit}"
    return textwrap.shorten(whole, _LONGEST_UNIT, placeholder=" …")


def _legend(report: MisspecificationReport) -> list[Line2D]:
    band = f"ratio, {report.confidence:.0%} interval over {report.n_users} users"
    return [
        Line2D([], [], color=_BLUE, linewidth=1.3, label=band),
        _dot("o", _BLUE, "limits shown to hold"),
        _dot("X", _VERMILION, "some limit is not shown to hold"),
        Line2D([], [], color="0.8", linewidth=0.8, label="as assumed"),
    ]


def _dot(marker: str, colour: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, linestyle="", markersize=5, label=label)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=150)
    return stream.getvalue()


def _svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    # A fixed salt and no date: equal reports give equal files.
    with (
        mpl.rc_context({"svg.hashsalt": "fairloop", "svg.fonttype": "none"}),
        mpl.rc_context({"font.sans-serif": ["DejaVu Sans"]}),
    ):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
