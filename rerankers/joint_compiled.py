"""What ``joint`` does with arrays, user by user in one compiled pass; needs numba."""

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ..arrays import BoolArray, FloatArray, IntArray

# Numba reads the functions below as they stand: scalars, loops and no objects. Sums are taken in
# the order in which ``joint`` takes them, so that both round alike.


@njit(cache=True, error_model="numpy")
def swap_users(
    values: FloatArray,
    valid: BoolArray,
    patterns: IntArray,
    distance: FloatArray,
    weight: FloatArray,
    looks: FloatArray,
    least: FloatArray,
    columns: IntArray,
) -> None:
    """Swap in ``columns`` (R, k), in place; bit for bit what ``joint.swap_while_it_pays`` finds.

    Args:
        values: Shape ``(R, N)``, float64.
        valid: Columns that hold a candidate, shape ``(R, N)``.
        patterns: Topic set of each candidate, shape ``(R, N)``.
        distance: Between topic sets, shape ``(P, P)``, float64.
        weight: Of the sum of distances of pairs, shape ``(R,)``.
        looks: Shape ``(k,)``, float64.
        least: A swap that does not bring more is not made, shape ``(R,)``.
        columns: To begin with, and to overwrite.
    """
    n_users, n = values.shape
    k = len(looks)
    free, summed, above = np.empty(n, np.bool_), np.empty(n), np.empty(n, np.intp)
    lifted, lowered = np.empty(k), np.zeros(k + 1)
    for u in range(n_users):
        value, pattern, slate = values[u], patterns[u], columns[u]
        for m in range(n):
            free[m], summed[m] = valid[u, m], 0.0
        for j in range(k):
            free[slate[j]] = False
            near = pattern[slate[j]]
            for m in range(n):
                summed[m] += distance[near, pattern[m]]
        _sort(value, slate)
        while True:
            for j in range(k):
                old = value[slate[j]]
                lifted[j] = 0.0 if j == 0 else lifted[j - 1] + old * (looks[j - 1] - looks[j])
                below = looks[j + 1] if j + 1 < k else looks[j]
                lowered[j + 1] = lowered[j] + old * (below - looks[j])
            for m in range(n):
                above[m] = 0
                while above[m] < k and value[slate[above[m]]] >= value[m]:
                    above[m] += 1
            top, at, newcomer = -np.inf, -1, -1
            for i in range(k):
                leaving = slate[i]
                old, leaves, near = value[leaving], summed[leaving], pattern[leaving]
                for m in range(n):
                    if not free[m]:
                        continue
                    place = above[m]
                    if place > i:
                        place -= 1
                        between = lifted[place] - lifted[i]
                    else:
                        between = lowered[i] - lowered[place]
                    gain = between + looks[place] * value[m] - looks[i] * old
                    gain += weight[u] * (summed[m] - distance[near, pattern[m]] - leaves)
                    if gain > top:
                        top, at, newcomer = gain, i, m
            if not top > least[u]:
                break
            near, far = pattern[newcomer], pattern[slate[at]]
            for m in range(n):
                summed[m] += distance[near, pattern[m]] - distance[far, pattern[m]]
            free[slate[at]], free[newcomer] = True, False
            slate[at] = newcomer
            _sort(value, slate)


@njit(cache=True, inline="always")
def _sort(value: FloatArray, slate: IntArray) -> None:
    """Insertion sort: the largest value first, of equal ones the lowest column."""
    for i in range(1, len(slate)):
        column, j = slate[i], i
        while j > 0 and (
            value[slate[j - 1]] < value[column]
            or (value[slate[j - 1]] == value[column] and slate[j - 1] > column)
        ):
            slate[j] = slate[j - 1]
            j -= 1
        slate[j] = column
