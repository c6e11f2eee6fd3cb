"""What ``observed`` does with arrays, user by user in one compiled pass; needs numba."""

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ...arrays import BoolArray, FloatArray, IntArray
from ...rerankers.features import TASTE_PRIOR
from ...rerankers.state import MEMORY, NEUTRAL

# Numba reads the function below as it stands: scalars, loops and no objects.

_ONE, _NEUTRAL, _PRIOR = np.float32(1.0), np.float32(NEUTRAL), np.float32(TASTE_PRIOR)
_DAY = np.float32(MEMORY.day)


@njit(cache=True, error_model="numpy")
def take_in(
    items: IntArray,
    clicks: BoolArray,
    satisfaction: FloatArray,
    days_away: FloatArray,
    active: BoolArray,
    topics: FloatArray,
    kept: FloatArray,
    per_sum: FloatArray,
    satisfaction_kept: FloatArray,
    per_liked: FloatArray,
    sums: FloatArray,
    counts: FloatArray,
    columns: FloatArray,
) -> None:
    """Add a slate to the rows that are active; arrays as in ``Observed``, the last ones change."""
    n_users, k = items.shape
    n_topics = topics.shape[1] - 1
    for u in range(n_users):
        if not active[u]:
            continue
        rest = _DAY ** days_away[u]
        for t in range(n_topics + 1):
            fading = rest if t < n_topics else _ONE
            sums[u, 0, t] *= kept[0, t] * fading
            sums[u, 1, t] *= kept[1, t]
            sums[u, 2, t] *= kept[2, t]
        n_clicks, liked = 0, np.float32(0.0)
        for j in range(k):
            if clicks[u, j]:
                like = satisfaction[u, j] / _NEUTRAL
                n_clicks, liked = n_clicks + 1, liked + like
                for t in range(n_topics + 1):
                    about = topics[items[u, j], t]
                    sums[u, 0, t] += about
                    sums[u, 1, t] += about
                    sums[u, 2, t] += about * like
        for t in range(n_topics + 1):
            columns[u, t] = sums[u, 0, t] * per_sum[t]
        for t in range(n_topics):
            taste = (sums[u, 2, t] + _PRIOR) / (sums[u, 1, t] + _PRIOR) - _ONE
            columns[u, n_topics + 1 + t] = taste
        mean = columns[u, 2 * n_topics + 1] * satisfaction_kept[n_clicks]
        columns[u, 2 * n_topics + 1] = mean + liked * per_liked[n_clicks]
        counts[u, 0] += _ONE
        counts[u, 1] = days_away[u]
        columns[u, 2 * n_topics + 2] = np.log1p(counts[u, 0])
        columns[u, 2 * n_topics + 3] = np.log1p(counts[u, 1])
