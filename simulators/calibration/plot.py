"""The picture of a calibration report: one panel per figure, simulated over held-out."""

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .report import CalibrationReport, Compared

# Okabe & Ito's palette: told apart by people with any colour vision.
_REAL, _SIMULATED = "#333333", "#D55E00"
_METHODS = {
    "regression-em": ("#0072B2", "o"),
    "randomised": ("#009E73", "s"),
    "item-adjusted": ("#CC79A7", "^"),
    "naive": ("#B8B8B8", "v"),
}
_COLUMNS = 3
_WIDTH, _HEIGHT = 4.6, 3.5  # inches of a panel


def draw_report(report: CalibrationReport) -> dict[str, bytes]:
    """The picture by its file ending: ``.png`` and ``.svg``."""
    n = len(report.compared) + bool(report.position)
    n_rows = max(-(-n // _COLUMNS), 1)
    size = (_WIDTH * _COLUMNS, _HEIGHT * n_rows + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    grid = iter(figure.subplots(n_rows, _COLUMNS, squeeze=False).ravel())
    if report.position:
        _draw_position(next(grid), report)
    for compared in report.compared:
        _draw(next(grid), compared)
    for empty in grid:
        empty.set_visible(False)
    figure.suptitle(
        f"{report.data}: what the fit simulates, on {report.held_out:,} held-out {report.kind}",
        x=0.01,
        ha="left",
        fontsize="large",
    )
    return {".png": _png(figure), ".svg": _svg(figure)}


def _draw_position(axes: Axes, report: CalibrationReport) -> None:
    """Estimates of examination, side by side at each position, and the curve in use."""
    rows = report.position
    x = np.array([row.position for row in rows], float)
    methods = [name for name in _METHODS if name in rows[0].examination]
    offset = 0.5 / max(len(methods), 1)
    top = 0.0
    for number, name in enumerate(methods):
        colour, marker = _METHODS[name]
        found = [row.examination[name] for row in rows]
        value = np.array([one.value for one in found])
        low, high = _floats([one.low for one in found]), _floats([one.high for one in found])
        low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
        at = x + (number - (len(methods) - 1) / 2) * offset
        axes.errorbar(
            at, value, yerr=[np.maximum(value - low, 0), np.maximum(high - value, 0)], fmt=marker,
            markersize=4, color=colour, elinewidth=0.9, label=name.replace("-em", "-EM"),
        )  # fmt: skip
        top = max(top, float(value.max()), float(np.quantile(high, 0.8)))
    axes.plot(x, [row.curve for row in rows], color=_SIMULATED, linewidth=1.8, label="simulated")
    axes.set_ylim(0, min(top * 1.1, 4.0))
    axes.axhline(1.0, color="0.85", linewidth=0.8, zorder=0)
    _frame(axes, "Examination, relative to position 1", "position", "")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw(axes: Axes, c: Compared) -> None:
    x, real, simulated = _floats(c.x), _floats(c.real), _floats(c.simulated)
    if c.kind == "by group":
        low, high = _floats(c.low), _floats(c.high)
        spread = [np.maximum(real - low, 0.0), np.maximum(high - real, 0.0)]
        axes.errorbar(
            x, real, yerr=spread, fmt="o", color=_REAL, markersize=4, elinewidth=0.9,
            label="held out",
        )  # fmt: skip
        axes.plot(x, simulated, "-s", color=_SIMULATED, markersize=3.5, label="simulated")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=_bottom(real, simulated, c.unit))
    elif c.kind == "rank":
        axes.plot(x, real, color=_REAL, linewidth=2.2, label="held out")
        axes.plot(x, simulated, color=_SIMULATED, linewidth=1.6, label="simulated")
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
    else:
        width = float(np.diff(x).min()) if len(x) > 1 else 1.0
        axes.bar(x, real, width * 0.9, color="#BBBBBB", label="held out")
        axes.plot(x, simulated, "-o", color=_SIMULATED, markersize=3.5, label="simulated")
        axes.set_ylim(bottom=0)
        if len(x) > 1:
            cut = float(x[np.searchsorted(np.cumsum(real), 0.999 * real.sum())])
            axes.set_xlim(float(x[0]) - width, max(cut, float(x[min(4, len(x) - 1)])) + width)
        else:
            axes.set_xlim(float(x[0]) - 2, float(x[0]) + 2)
        if np.allclose(x, np.round(x)):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _frame(axes, c.title, c.axis, c.unit)
    colour = {"misses": "#B00020", "small difference": "#B36B00"}.get(c.verdict, "#2E7D32")
    told = (
        f"{c.verdict}: {c.distance:.2g}; noise floor {c.floor:.2g} (95% below {c.floor_high:.2g})"
    )
    axes.text(0.0, 1.02, told, transform=axes.transAxes, fontsize="x-small", color=colour)


def _bottom(real: np.ndarray, simulated: np.ndarray, unit: str) -> float | None:
    """Rates start at 0; ratings do not have to."""
    if unit.startswith("clicks"):
        return 0.0
    low = float(np.nanmin(np.concatenate([real, simulated])))
    return np.floor(low * 2 - 0.5) / 2


def _frame(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize="medium", loc="left", pad=14)
    axes.set_xlabel(x, fontsize="small")
    axes.set_ylabel(y, fontsize="small")
    axes.tick_params(labelsize="small")
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(edgecolor="none", framealpha=0.7, fontsize="x-small")


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    return stream.getvalue()


def _svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.set_layout_engine("none")  # it was laid out for the other file; once is enough
    # A fixed salt and no date: equal reports give equal files.
    with mpl.rc_context({"svg.hashsalt": "fairloop", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
