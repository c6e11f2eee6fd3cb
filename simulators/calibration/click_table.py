"""Counts of showings and clicks: all that position-bias models need of a log."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import EmptyData, NotIdentified
from ..impressions import ImpressionLog

SCORE_BINS = 10


@dataclass(frozen=True, slots=True)
class ClickTable:
    """Showings and clicks of ``M`` units at ``K`` positions, in ``C`` cells that occurred.

    A unit is an item or, where the logging policy's score is known, an item in a tenth of the
    scores: what has the same relevance wherever it is shown.

    Attributes:
        unit: Unit of each cell, shape ``(C,)``.
        position: Position of each cell, from 0, shape ``(C,)``.
        shown: Showings, shape ``(C,)``, float64.
        clicked: Clicks, shape ``(C,)``, float64.
        unit_item: Item of each unit, shape ``(M,)``.
        features: What is known of each unit beside its item, shape ``(M, F)``.
        n_positions: ``K``.
    """

    unit: IntArray
    position: IntArray
    shown: FloatArray
    clicked: FloatArray
    unit_item: IntArray
    features: FloatArray
    n_positions: int

    def per_unit(self, values: FloatArray) -> FloatArray:
        """Sums of cell values, shape ``(M,)``."""
        return sums(self.unit, len(self.unit_item), values)

    def per_position(self, values: FloatArray) -> FloatArray:
        """Sums of cell values, shape ``(K,)``."""
        return sums(self.position, self.n_positions, values)

    def with_counts(self, shown: FloatArray, clicked: FloatArray) -> "ClickTable":
        """The same cells with other counts, for example of a part of the rows."""
        return replace(self, shown=shown, clicked=clicked)


def sums(of: IntArray, n: int, values: FloatArray | BoolArray | None = None) -> FloatArray:
    """Sums of values, or counts of rows where None, by a number from 0 to ``n − 1``, ``(n,)``."""
    return np.bincount(of, values, n).astype(np.float64)


def tabulate(
    log: ImpressionLog, item_features: FloatArray | None = None, score_bins: int = SCORE_BINS
) -> tuple[ClickTable, IntArray]:
    """Count a log; O(R log R) for ``R`` impressions.

    Args:
        log: The impressions.
        item_features: What is known of each item, shape ``(I, F')``.
        score_bins: Parts, equal in showings, into which scores are cut.

    Returns:
        The table, and the cell of each row of the log, shape ``(R,)``.

    Raises:
        EmptyData: The log has no row or no click.
    """
    if len(log) == 0 or not log.clicked.any():
        raise EmptyData(
            f"{len(log):,} impressions without a click tell nothing of clicks",
            field="clicked",
            mend="Give a longer log.",
        )
    n_positions, n_bins = log.n_positions, score_bins if log.score is not None else 1
    tenth = np.zeros(len(log), np.int64) if log.score is None else _equal_parts(log.score, n_bins)
    units, unit = np.unique(log.item.astype(np.int64) * n_bins + tenth, return_inverse=True)
    cells, row_cell = np.unique(unit * n_positions + log.position - 1, return_inverse=True)
    unit_item, unit_tenth = np.divmod(units, n_bins)
    known: list[FloatArray] = [np.eye(n_bins)[unit_tenth][:, 1:]]
    if item_features is not None:
        known.append(item_features[unit_item])
    table = ClickTable(
        unit=cells // n_positions,
        position=cells % n_positions,
        shown=sums(row_cell, len(cells)),
        clicked=sums(row_cell, len(cells), log.clicked),
        unit_item=unit_item,
        features=np.concatenate(known, axis=1),
        n_positions=n_positions,
    )
    return table, row_cell


def split_cells(
    table: ClickTable, row_cell: IntArray, clicked: BoolArray, by: FloatArray, parts: int = 20
) -> tuple[ClickTable, FloatArray]:
    """A table whose cells are split by a quantity of the rows, and the cells' means of it.

    Args:
        table: The table.
        row_cell: Cell of each row, shape ``(R,)``.
        clicked: Shape ``(R,)``.
        by: The quantity, shape ``(R,)``.
        parts: Parts, of equal width, of its range.
    """
    low, high = float(by.min()), float(by.max())
    part = np.minimum((by - low) / max(high - low, 1e-12) * parts, parts - 1).astype(np.int64)
    cells, row = np.unique(row_cell * parts + part, return_inverse=True)
    shown, of = sums(row, len(cells)), cells // parts
    split = replace(
        table,
        unit=table.unit[of],
        position=table.position[of],
        shown=shown,
        clicked=sums(row, len(cells), clicked),
    )
    return split, sums(row, len(cells), by) / shown


def require_connected(table: ClickTable) -> None:
    """Refuse counts in which position and item cannot be told apart.

    Two positions can be compared if an item with clicks was shown at both, or by way of other
    positions. Units without clicks say nothing.

    Raises:
        NotIdentified: Some positions cannot be compared with the first.
    """
    k = table.n_positions
    if k == 1:
        raise NotIdentified(
            "all impressions are at position 1", field="position", mend="Give a log with positions."
        )
    used = (table.per_unit(table.clicked) > 0)[table.unit] & (table.shown > 0)
    rows, columns = table.position[used], k + table.unit[used]
    size = k + len(table.unit_item)
    graph = sp.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, part = connected_components(graph, directed=False)
    apart = np.flatnonzero(part[:k] != part[0]) + 1
    if len(apart):
        what = "item" if table.features.shape[1] == 0 else "item with the same score"
        raise NotIdentified(
            f"position is confounded with the {what}: no clicked one links positions "
            f"{_few(apart)} with position 1",
            field="position",
            mend="Log some slates with their items swapped or shuffled, or give a longer log.",
        )


def _equal_parts(values: FloatArray, n: int) -> IntArray:
    """Which of ``n`` parts, equal in number, each value falls into; ties stay together."""
    edges = np.quantile(values, np.arange(1, n) / n)
    return np.searchsorted(edges, values, side="right")


def _few(numbers: IntArray) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown} and {len(numbers) - 5} more"
