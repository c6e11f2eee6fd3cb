"""One picture of a study: exposure, choices and people over the rounds."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

# Okabe & Ito's palette: told apart by people with any colour vision.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_ACROSS = 3
_WHERE_IT_MOVES = (
    ("engagement", "", "Satisfaction per user of the study"),
    ("active_users", "", "Users who came"),
    ("retention", "", "Users who have not left for good"),
    ("slate_overlap", "pairs=strangers", "Overlap of two users' slates (Jaccard)"),
    ("topic_shift", "", "Topics clicked: distance to round 1"),
)
_SHARES = ("popularity_lift", "exposure_share", "retention")


def draw_study(
    frame: pd.DataFrame, arms: Sequence[str], targets: Mapping[str, float], path: Path
) -> None:
    """Draw one line per arm, the mean over seeds, in a band from the lowest to the highest seed.

    Args:
        frame: Measures as in ``StudyResult.frame``.
        arms: Names of the arms, in the order of the legend.
        targets: Limits on exposure shares by ``attribute=group``; drawn dashed.
        path: Where to write, without an ending: ``.png`` and ``.svg`` are added.
    """
    panels = [*_panels(frame, targets)]
    rows = -(-len(panels) // _ACROSS)
    figure = Figure(figsize=(4.2 * _ACROSS, 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, _ACROSS, squeeze=False).ravel()
    for axes, (measure, of, title) in zip(grid, panels, strict=False):
        part = frame[(frame["measure"] == measure) & (frame["of"] == of)]
        _draw(axes, part, arms, title)
        if measure == "exposure_share" and of in targets:
            axes.axhline(targets[of], color="0.3", linestyle="--", linewidth=1, label="target")
        if measure in _SHARES:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    n_seeds = frame["seed"].nunique()
    found = [axes.get_legend_handles_labels() for axes in grid[: len(panels)]]
    legend = {
        label: handle
        for handles, labels in found
        for handle, label in zip(handles, labels, strict=True)
    }
    figure.legend(
        legend.values(), legend.keys(), loc="outside upper left", ncols=len(legend), frameon=False
    )
    lines = f"Line: mean of {n_seeds} seeds; band: lowest to highest seed." if n_seeds > 1 else ""
    figure.supxlabel(f"Round. {lines}".strip(), fontsize="small")
    figure.savefig(path.with_suffix(".png"), dpi=150)
    # A fixed salt and no date: equal studies give equal files.
    with mpl.rc_context({"svg.hashsalt": "fairloop", "svg.fonttype": "none"}):
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})


def _panels(frame: pd.DataFrame, targets: Mapping[str, float]) -> Iterator[tuple[str, str, str]]:
    """Measure, group and title of each panel; what never moves in any arm is not drawn."""
    yield "popularity_lift", "", "Popularity lift of slates over profiles"
    yield from _exposure_panel(frame, targets)
    yield "gini", "", "Gini of exposure over items"
    yield "clicks_per_user", "", "Clicks per user who came"
    for measure, of, title in _WHERE_IT_MOVES:
        values = frame.loc[(frame["measure"] == measure) & (frame["of"] == of), "value"]
        if values.nunique() > 1:
            yield measure, of, title


def _exposure_panel(
    frame: pd.DataFrame, targets: Mapping[str, float]
) -> list[tuple[str, str, str]]:
    """The share of a group with a target, or else of the long tail, or else of the first group."""
    groups = frame.loc[frame["measure"] == "exposure_share", "of"].unique().tolist()
    if not groups:
        return []
    long_tail = next((name for name in groups if name.endswith("=long_tail")), groups[0])
    chosen = next((name for name in groups if name in targets), long_tail)
    title = f"Exposure share of {chosen.replace('_', ' ').replace('=', ': ')}"
    return [("exposure_share", chosen, title)]


def _draw(axes: Axes, part: pd.DataFrame, arms: Sequence[str], title: str) -> None:
    for number, arm in enumerate(arms):
        by_round = part[part["arm"] == arm].groupby("round")["value"]
        rounds = np.asarray(by_round.mean().index, dtype=float)
        colour = _COLOURS[number % len(_COLOURS)]
        low, high = by_round.min().to_numpy(float), by_round.max().to_numpy(float)
        axes.fill_between(rounds, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(
            rounds,
            by_round.mean().to_numpy(float),
            color=colour,
            marker=_MARKERS[number % len(_MARKERS)],
            markersize=4,
            label=arm,
        )
    axes.set_title(title, fontsize="medium", loc="left")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
