"""The best columns of many rows in one compiled pass; needs numba."""

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ...arrays import PAD, FloatArray, IntArray

# Numba reads the function below as it stands: scalars, loops and no objects.


@njit(cache=True)
def fill_best(scores: FloatArray, columns: IntArray) -> None:
    """Write the columns of the k highest of each row of ``scores``, as ``slates.best_columns``.

    Args:
        scores: Shape ``(R, N)``, no NaN.
        columns: To write, shape ``(R, k)``.
    """
    k = columns.shape[1]
    best = np.empty(k, np.float32)
    for row in range(len(scores)):
        best[:] = -np.inf
        columns[row] = PAD
        for n in range(scores.shape[1]):
            score, at = scores[row, n], k - 1
            if score > best[at]:
                while at > 0 and best[at - 1] < score:
                    best[at], columns[row, at] = best[at - 1], columns[row, at - 1]
                    at -= 1
                best[at], columns[row, at] = score, n
