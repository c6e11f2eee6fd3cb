"""Columns of slates: the best of a row of scores, and stand-ins where nothing is shown."""

import numpy as np

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...errors import InvalidValue


def best_columns(scores: FloatArray, k: int) -> IntArray:
    """Columns of the k highest scores, best first, ``PAD`` for −inf, ``(R, N)`` to ``(R, k)``.

    Among equal scores, which are chosen is arbitrary but the same each time.
    """
    n, width = scores.shape
    chosen = (
        np.argpartition(scores, width - k, axis=1)[:, width - k :]
        if width > k
        else (np.broadcast_to(np.arange(width), (n, width)))
    )
    best = np.take_along_axis(scores, chosen, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    columns = np.where(np.isfinite(best), np.take_along_axis(chosen, order, axis=1), PAD)
    if width < k:
        columns = np.pad(columns, ((0, 0), (0, k - width)), constant_values=PAD)
    return columns


def filled_blanks(columns: IntArray, blank: BoolArray, n_columns: int) -> IntArray:
    """Slates whose blanks name columns that the slate does not hold; nothing is shown there.

    Among the first 2k columns at least k are free.
    """
    k, filled = columns.shape[1], columns.copy()
    rows = np.flatnonzero(blank.any(axis=1))
    width = min(2 * k, n_columns)
    if width < k:
        raise InvalidValue(
            f"{n_columns} candidates for slates of {k}",
            field="world",
            mend="Use larger pools or a smaller slate_size.",
        )
    taken = np.zeros((len(rows), width + 1), np.bool_)
    held = np.where(blank[rows] | (columns[rows] >= width), width, columns[rows])
    np.put_along_axis(taken, held, True, axis=1)
    free = np.argsort(taken[:, :width], axis=1, kind="stable")
    which = np.maximum(np.cumsum(blank[rows], axis=1) - 1, 0)  # the b-th blank, the b-th free
    filled[rows] = np.where(blank[rows], np.take_along_axis(free, which, axis=1), columns[rows])
    return filled
