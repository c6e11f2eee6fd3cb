"""The picture of an interpretation: what moves what, how far, and along which curves."""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .labels import column_label, percent, weight_label
from .report import ColumnCurve, InterpretationReport

# Okabe & Ito's palette: told apart by people with any colour vision; yellow is left out.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_GREY, _INK = "#B8B8B8", "#333333"
_ACROSS = 4
_WIDTH, _ROW = 13.0, 2.5  # inches


def draw_interpretation(report: InterpretationReport) -> dict[str, bytes]:
    """The picture by its file ending: ``.png`` and ``.svg``."""
    n_weights = len(report.weights)
    n_rows = max(-(-len(report.curves) // _ACROSS), 1)
    top = 1.3 + 0.34 * n_weights
    bottom = 0.8 + _ROW * n_rows
    figure = Figure(figsize=(_WIDTH, top + bottom), layout="constrained")
    FigureCanvasAgg(figure)
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(top, bottom))[:, 0]
    heat, bars = parts[0].subplots(1, 2, width_ratios=(4.2, 1.0), sharey=True)
    if report.groups:
        _draw_shares(heat, report)
    _draw_sizes(bars, report)
    parts[0].suptitle(
        f"Which state moves which weight: policy {report.policy or '(unnamed)'}, "
        f"{report.n_visits:,} visits of {report.n_users:,} simulated users",
        x=0.01,
        ha="left",
        fontsize="large",
    )
    _draw_curves(parts[1], report, n_rows)
    return {".png": _png(figure), ".svg": _svg(figure)}


def _draw_shares(axes: Axes, report: InterpretationReport) -> None:
    """A row per weight, a column per group, the share of variance in the cell."""
    groups, weights = list(report.groups), report.weights
    shares = np.array(
        [[e.shapley for e in w.effects] if w.effects else [np.nan] * len(groups) for w in weights],
        dtype=float,
    ).reshape(len(weights), len(groups))
    shade = np.ma.masked_invalid(np.clip(shares, 0.0, None))
    largest = float(np.ma.filled(shade, 0.0).max(initial=0.5))
    axes.imshow(shade, cmap="Blues", vmin=0.0, vmax=largest, aspect="auto")
    axes.set_facecolor("#F4F4F4")  # a weight that never moves has no shares
    for (row, column), share in np.ndenumerate(shares):
        if not np.isfinite(share):
            continue
        error = weights[row].effects[column].error
        sure = abs(share) > 2.0 * error
        axes.text(
            column,
            row,
            percent(share),
            ha="center",
            va="center",
            fontsize="small",
            color="white" if share > 0.6 * largest else _INK if sure else "#999999",
        )
    axes.set_xticks(range(len(groups)), groups, fontsize="small")
    axes.set_yticks(range(len(weights)), [weight_label(w.weight) for w in weights])
    axes.tick_params(length=0, labelsize="small")
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(groups) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(weights) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.set_xlabel(
        "share of the weight's variance over visits (Shapley effects, rows sum to 100%); "
        "grey numbers are within two standard errors of 0",
        fontsize="x-small",
        loc="left",
    )


def _draw_sizes(axes: Axes, report: InterpretationReport) -> None:
    """How far each weight moves, in standard deviations of score."""
    moves = [w.moves for w in report.weights]
    colours = _colours(report)
    shades = [colours.get(w.weight, _GREY) for w in report.weights]
    axes.barh(range(len(moves)), moves, height=0.6, color=shades)
    for row, value in enumerate(moves):
        axes.text(value, row, f" {value:.3f}", va="center", fontsize="x-small", color=_INK)
    axes.set_xlim(0.0, max(*moves, 1e-3) * 1.25)
    axes.set_title("how far it moves\n(sd, in sd of score)", fontsize="small", loc="left")
    axes.tick_params(which="both", left=False, labelleft=False, labelsize="x-small")
    axes.spines[["top", "right", "left"]].set_visible(False)


def _colours(report: InterpretationReport) -> dict[str, str]:
    """A colour for each of the weights that move most."""
    moving = sorted((w for w in report.weights if w.moves > 0), key=lambda w: -w.moves)
    return dict(zip((w.weight for w in moving), _COLOURS, strict=False))


def _draw_curves(figure: SubFigure, report: InterpretationReport, n_rows: int) -> None:
    """One panel per curve, the weights that move most in each."""
    grid = figure.subplots(n_rows, _ACROSS, squeeze=False, sharey=True).ravel()
    units = {w.weight: w.moves / w.sd for w in report.weights if w.sd > 0}
    colours = {n: c for n, c in _colours(report).items() if n in units}
    for axes, curve in zip(grid, report.curves, strict=False):
        _draw_curve(axes, curve, units, colours)
    for axes in grid[len(report.curves) :]:
        axes.set_visible(False)
    handles, labels = grid[0].get_legend_handles_labels() if report.curves else ([], [])
    handles += [
        Line2D([], [], color=_INK, linewidth=1.7),
        Line2D([], [], color=_INK, linewidth=0.8, ls=":"),
        Patch(color=_GREY, alpha=0.45, linewidth=0),
    ]
    labels += ["accumulated local effect", "partial dependence", "where the visits are"]
    figure.legend(
        handles, labels, loc="outside upper left", ncols=len(labels), frameon=False,
        fontsize="small",
    )  # fmt: skip
    figure.supylabel("change of the weight, in sd of score", fontsize="small")


def _draw_curve(
    axes: Axes, curve: ColumnCurve, units: dict[str, float], colours: dict[str, str]
) -> None:
    at = np.array(curve.at)
    axes.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    for name, colour in colours.items():
        label = weight_label(name)
        unit = units[name]
        axes.plot(at, unit * np.array(curve.ale[name]), color=colour, linewidth=1.7, label=label)
        axes.plot(at, unit * np.array(curve.partial[name]), color=colour, linewidth=0.8, ls=":")
    if len(at) > 1:
        _draw_visits(axes, curve)
    axes.set_xlabel(column_label(curve.column), fontsize="small")
    axes.tick_params(labelsize="x-small")
    axes.locator_params(nbins=5)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_visits(axes: Axes, curve: ColumnCurve) -> None:
    """Where the visits are, at the foot of the panel, to a scale of its own."""
    foot = axes.twinx()
    edges = np.linspace(curve.at[0], curve.at[-1], len(curve.histogram) + 1)
    foot.stairs(curve.histogram, edges, fill=True, color=_GREY, alpha=0.45, linewidth=0)
    foot.set_ylim(0.0, 4.0 * max(curve.histogram))
    foot.set_axis_off()


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
