"""Columns of slates: the best of a row of scores, and stand-ins where nothing is shown."""

import numpy as np

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ..engines import usual_engine


def best_columns(scores: FloatArray, k: int) -> IntArray:
    """Columns of the k highest scores, best first, ``PAD`` for −inf, ``(R, N)`` to ``(R, k)``.

    Equal scores stand by column.
    """
    scores = np.ascontiguousarray(scores, np.float32)
    if usual_engine() == "compiled":
        from .slates_compiled import fill_best  # numba need not be installed

        columns = np.empty((len(scores), k), np.intp)
        fill_best(scores, columns)
        return columns
    columns = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    columns[np.isneginf(np.take_along_axis(scores, columns, axis=1))] = PAD
    missing = max(k - scores.shape[1], 0)
    return np.pad(columns, ((0, 0), (0, missing)), constant_values=PAD)


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
