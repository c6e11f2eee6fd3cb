"""What ``weigh`` does with arrays of many users, in one compiled pass; needs numba."""

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ..arrays import FloatArray, IntArray

# Numba reads the functions below as they stand: scalars, loops and no objects.

_TILE = 64
"""Users whose topic sets are weighed together: many lanes to a check, all in the second cache."""


@njit(cache=True, error_model="numpy")
def weigh_users(
    fixed: FloatArray,
    by_item: FloatArray,
    by_floor: FloatArray,
    by_satiation: FloatArray,
    memoryless: FloatArray,
    item_shown: FloatArray,
    item_clicked: FloatArray,
    preference: FloatArray,
    enjoyment: FloatArray,
    familiarity: FloatArray,
    floors: FloatArray,
    topic_clicks: FloatArray,
    taste: FloatArray,
    patterns: IntArray,
    starts: IntArray,
    topics: IntArray,
    shares: FloatArray,
    out: FloatArray,
) -> None:
    """Write the scores of ``U`` users; bit for bit those of ``weigh`` in numpy.

    Args:
        fixed: Weights of the three planes of ``memoryless``, shape ``(U, 3)``.
        by_item: Weights of ``item_shown`` to ``familiarity``, shape ``(U, 5)``.
        by_floor: Weights of the floors, shape ``(U, L)``.
        by_satiation: Weights of satiation and of its square, shape ``(U, 2)``.
        memoryless: Shape ``(U, 3, N)``.
        item_shown: Shape ``(U, N)``, as the four after it.
        item_clicked: See ``item_shown``.
        preference: See ``item_shown``.
        enjoyment: See ``item_shown``.
        familiarity: See ``item_shown``.
        floors: Shape ``(L, U, N)``.
        topic_clicks: Shape ``(U, T)``.
        taste: What each topic adds, shape ``(U, T)``.
        patterns: Topic set of each candidate, shape ``(U, N)``.
        starts: Where each topic set begins in the next two, shape ``(P + 1,)``.
        topics: The topics of all sets.
        shares: What share of its set each of them is.
        out: To write, shape ``(U, N)``.
    """
    n_users, n_candidates = out.shape
    n_topics = topic_clicks.shape[1]
    by_set = np.empty((len(starts) - 1, _TILE), np.float32)
    clicks, tastes = np.zeros((2, n_topics, _TILE), np.float32)
    linear, squared = np.zeros((2, _TILE), np.float32)
    for first in range(0, n_users, _TILE):
        width = min(_TILE, n_users - first)
        for lane in range(width):
            linear[lane], squared[lane] = by_satiation[first + lane]
            for t in range(n_topics):
                clicks[t, lane] = topic_clicks[first + lane, t]
                tastes[t, lane] = taste[first + lane, t]
        _weigh_sets(clicks, tastes, linear, squared, starts, topics, shares, by_set)
        for lane in range(width):
            u = first + lane
            w0, w1, w2 = fixed[u]
            v0, v1, v2, v3, v4 = by_item[u]
            for n in range(n_candidates):
                score = memoryless[u, 0, n] * w0
                score += memoryless[u, 1, n] * w1
                score += memoryless[u, 2, n] * w2
                score += item_shown[u, n] * v0
                score += item_clicked[u, n] * v1
                score += preference[u, n] * v2
                score += enjoyment[u, n] * v3
                score += familiarity[u, n] * v4
                out[u, n] = score
            for limit in range(len(floors)):
                weight = by_floor[u, limit]
                for n in range(n_candidates):
                    out[u, n] += floors[limit, u, n] * weight
            for n in range(n_candidates):
                out[u, n] += by_set[patterns[u, n], lane]


@njit(cache=True, error_model="numpy")
def _weigh_sets(
    clicks: FloatArray,
    tastes: FloatArray,
    linear: FloatArray,
    squared: FloatArray,
    starts: IntArray,
    topics: IntArray,
    shares: FloatArray,
    by_set: FloatArray,
) -> None:
    """Write what each topic set adds for each user of a tile, ``(P, _TILE)``."""
    satiation, taste = np.empty((2, _TILE), np.float32)
    for p in range(len(starts) - 1):
        satiation[:] = np.float32(0.0)
        taste[:] = np.float32(0.0)
        for i in range(starts[p], starts[p + 1]):
            share, t = shares[i], topics[i]
            for lane in range(_TILE):
                satiation[lane] += share * clicks[t, lane]
                taste[lane] += share * tastes[t, lane]
        for lane in range(_TILE):
            weight = satiation[lane] * squared[lane] + linear[lane]
            by_set[p, lane] = weight * satiation[lane] + taste[lane]
