"""What ``fill`` does with arrays, user by user in one compiled pass; needs numba."""

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ..arrays import FloatArray, IntArray
from .shortlist import ROUNDING

# Numba reads the functions below as they stand: scalars, loops and no objects. It keeps what it
# compiled until this very file changes: touch it after a change to ``ROUNDING``.

_INFINITE, _TWO = np.float32(np.inf), np.float32(2.0)


@njit(cache=True, error_model="numpy")
def fill_users(
    relevance: FloatArray,
    strength: FloatArray,
    distance: FloatArray,
    patterns: IntArray,
    columns: IntArray,
) -> None:
    """Fill the ``columns`` (R, k) of each user; bit for bit what ``fill.fill_slate`` chooses.

    Only candidates that can be chosen at all are looked at again (``shortlist.cut_off``).

    Args:
        relevance: Scores, -inf where there is no candidate, shape ``(R, N)``.
        strength: Of the distance term, shape ``(R,)``.
        distance: Between topic sets, shape ``(P, P)``.
        patterns: Topic set of each candidate, shape ``(R, N)``.
        columns: To write.
    """
    n_users, n_candidates = relevance.shape
    k = columns.shape[1]
    best = np.empty(k, np.float32)
    score, summed = np.empty(n_candidates, np.float32), np.empty(n_candidates, np.float32)
    pattern, column = np.empty(n_candidates, np.intp), np.empty(n_candidates, np.intp)
    for u in range(n_users):
        cut = _cut_off(relevance[u], strength[u], best)
        width = 0
        for n in range(n_candidates):
            # Written always, kept where it may be chosen: a branch is often guessed wrong.
            column[width] = n
            width += relevance[u, n] >= cut
        for n in range(width):
            score[n], summed[n] = relevance[u, column[n]], np.float32(0.0)
            pattern[n] = patterns[u, column[n]]
        weight = np.float32(0.0)
        for j in range(k):
            top, at = -_INFINITE, 0
            for n in range(width):
                gain = summed[n] * weight + score[n]
                if gain > top:
                    top, at = gain, n
            columns[u, j] = column[at]
            score[at] = -_INFINITE
            if j + 1 < k:
                near = pattern[at]
                for n in range(width):
                    summed[n] += distance[near, pattern[n]]
                weight = strength[u] / np.float32(j + 1)


@njit(cache=True, inline="always")
def _cut_off(scores: FloatArray, strength: np.float32, best: FloatArray) -> np.float32:
    """``shortlist.cut_off`` of one user, certain; ``best`` (k,) is overwritten."""
    k = len(best)
    best[:] = -_INFINITE
    for x in scores:
        if x > best[k - 1]:
            j = k - 1
            while j > 0 and best[j - 1] < x:
                best[j] = best[j - 1]
                j -= 1
            best[j] = x
    kth, size = best[k - 1], abs(strength)
    if not np.isfinite(kth):
        return -_INFINITE
    return kth - size - _TWO * ROUNDING * (abs(kth) + size)
