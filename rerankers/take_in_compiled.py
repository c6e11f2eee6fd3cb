"""What ``take_in`` does with many users, in one compiled pass; needs numba."""

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none

from ..arrays import PAD, BoolArray, FloatArray, IntArray

# Numba reads the functions below as they stand: scalars, loops and no objects. It keeps what it
# compiled until this very file changes: touch it after a change to ``PAD``.

_ZERO, _ONE, _HALF, _TINY = (np.float32(x) for x in (0.0, 1.0, 0.5, 1e-12))


@njit(cache=True, error_model="numpy")
def take_in_topics(
    topic_clicks: FloatArray,
    topic_seen: FloatArray,
    topic_satisfaction: FloatArray,
    satisfaction: FloatArray,
    click_rate: FloatArray,
    n_slates: FloatArray,
    days_away: FloatArray,
    rows: IntArray,
    active: BoolArray,
    clicks: BoolArray,
    ratings: FloatArray,
    days: FloatArray,
    topics: FloatArray,
    sets: IntArray,
    keep_clicks: FloatArray,
    constants: FloatArray,
) -> None:
    """Take in what slates tell of topics and of the user, bit for bit as ``take_in`` does in numpy.

    The first seven are fields of the state of ``U`` users. ``rows`` ``(R,)`` are those with a slate
    of ``k``, taken in if ``active`` ``(R,)``; ``clicks`` and ``ratings`` are ``(R, k)``, ``sets``
    ``(R, k)`` rows of ``topics``; ``days`` and ``keep_clicks`` are ``(R,)``; ``constants`` are what
    is kept of ``topic_seen``, and the newest slate's weight in satisfaction and in the click rate.
    """
    n_topics, k = topic_clicks.shape[1], clicks.shape[1]
    keep_seen, by_satisfaction, by_click_rate = constants
    counted, rated, summed = np.empty((3, n_topics), np.float32)
    for r in range(len(rows)):
        if not active[r]:
            continue
        u = rows[r]
        counted[:] = _ZERO
        rated[:] = _ZERO
        summed[:] = _ZERO
        n_clicks, n_rated, total = _ZERO, _ZERO, _ZERO
        for j in range(k):
            if not clicks[r, j]:
                continue
            known = not np.isnan(ratings[r, j])
            one, rating = (_ONE, np.float32(ratings[r, j])) if known else (_ZERO, _ZERO)
            n_clicks += _ONE
            n_rated += one
            total += rating
            for t in range(n_topics):
                has = np.float32(topics[sets[r, j], t])
                counted[t] += has
                rated[t] += one * has
                summed[t] += rating * has
        for t in range(n_topics):
            topic_clicks[u, t] = topic_clicks[u, t] * keep_clicks[r] + counted[t]
            before = topic_seen[u, t] * keep_seen
            topic_seen[u, t] = before + rated[t]
            if rated[t] > _ZERO:
                weighed = summed[t] + before * topic_satisfaction[u, t]
                topic_satisfaction[u, t] = weighed / max(topic_seen[u, t], _TINY)
        if n_rated > _ZERO:
            satisfaction[u] += by_satisfaction * (total / n_rated - satisfaction[u])
        click_rate[u] += by_click_rate * (n_clicks / np.float32(k) - click_rate[u])
        n_slates[u] += _ONE
        days_away[u] = days[r]


@njit(cache=True, error_model="numpy")
def take_in_items(
    item_shown: FloatArray,
    item_clicked: FloatArray,
    item_looks: FloatArray,
    item_clicks: FloatArray,
    item_rated: FloatArray,
    item_enjoyed: FloatArray,
    enjoyment: FloatArray,
    familiarity: FloatArray,
    rows: IntArray,
    active: BoolArray,
    columns: IntArray,
    clicks: BoolArray,
    ratings: FloatArray,
    looks: FloatArray,
    keep_items: FloatArray,
    constants: FloatArray,
    odds: FloatArray,
) -> None:
    """Take in what slates tell of their items, bit for bit as ``take_in`` does in numpy.

    The first eight are fields of the state of ``U`` users, ``(U, N)``. ``rows`` ``(R,)`` are those
    with a slate ``columns`` ``(R, k)``, taken in if ``active`` ``(R,)``; ``clicks`` and ``ratings``
    are ``(R, k)``, ``looks`` ``(k,)``, ``keep_items`` ``(R,)``; ``constants`` are the memory's
    clicks per look and few ratings. Clicks over those expected are written to ``odds`` ``(R, k)``:
    numpy's logarithm of them rounds otherwise than ours would.
    """
    n_candidates, k = item_shown.shape[1], columns.shape[1]
    prior, few = constants
    for r in range(len(rows)):
        if not active[r]:
            continue
        u, keep = rows[r], keep_items[r]
        for n in range(n_candidates):
            item_shown[u, n] *= keep
            item_clicked[u, n] *= keep
        for j in range(k):
            n = columns[r, j]
            if n == PAD:
                continue
            item_shown[u, n] += _ONE
            item_looks[u, n] += looks[j]
            if clicks[r, j]:
                item_clicked[u, n] += _ONE
                item_clicks[u, n] += _ONE
                if not np.isnan(ratings[r, j]):
                    item_rated[u, n] += _ONE
                    item_enjoyed[u, n] += np.float32(ratings[r, j])
            seen = item_looks[u, n]
            odds[r, j] = (item_clicks[u, n] + prior) / (seen * prior + prior)
            above = item_enjoyed[u, n] - _HALF * item_rated[u, n]
            enjoyment[u, n] = above / (_HALF * (item_rated[u, n] + few))
            familiarity[u, n] = _ONE - _ONE / np.sqrt(_ONE + seen)


@njit(cache=True, error_model="numpy")
def put_shown(
    values: FloatArray, rows: IntArray, active: BoolArray, columns: IntArray, new: FloatArray
) -> None:
    """Write the ``new`` values ``(R, k)`` of the columns shown to active rows."""
    for r in range(len(rows)):
        if active[r]:
            for j in range(columns.shape[1]):
                if columns[r, j] != PAD:
                    values[rows[r], columns[r, j]] = new[r, j]
