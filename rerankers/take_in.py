"""One slate per user taken into the observed state: the arithmetic, in numpy or compiled."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..metrics.exposure import position_discount
from .state import NEUTRAL, Memory, ObservedState, SlateFeedback

MANY = 256
"""Rows from which on loading a compiled pass is worth its while."""


def take_in(
    state: ObservedState,
    rows: IntArray | slice,
    feedback: SlateFeedback,
    topics: BoolArray | FloatArray,
    sets: IntArray,
    memory: Memory,
    active: BoolArray | None = None,
) -> None:
    """Decay the given rows, then add what their slates brought.

    ``feedback`` is of the ``R`` rows alone; columns of ``PAD`` have left the pool. What was shown
    had the topics of the rows ``sets`` ``(R, k)`` of ``topics``. Rows that are not ``active``
    ``(R,)`` keep all and gain nothing.
    """
    compiled = _compiled() if len(feedback.columns) >= MANY else None
    if compiled is None:
        _take_in_plainly(state, rows, feedback, topics, sets, memory, active)
    else:
        _take_in_compiled(compiled, state, rows, feedback, topics, sets, memory, active)


@cache
def _compiled() -> tuple[Callable[..., None], ...] | None:
    """What takes in many slates where numba is installed, else None."""
    if find_spec("numba") is None:
        return None
    from .take_in_compiled import put_shown, take_in_items, take_in_topics

    return take_in_topics, take_in_items, put_shown


def _kept(days: FloatArray, memory: Memory) -> tuple[FloatArray, FloatArray]:
    """What is kept of recent clicks by topic and of counts by item, each ``(R,)``."""
    rest = memory.day ** days.astype(np.float32)
    return rest * memory.topic_clicks, rest * memory.items


def _take_in_compiled(
    compiled: tuple[Callable[..., None], ...],
    state: ObservedState,
    rows: IntArray | slice,
    feedback: SlateFeedback,
    topics: BoolArray | FloatArray,
    sets: IntArray,
    memory: Memory,
    active: BoolArray | None,
) -> None:
    take_in_topics, take_in_items, put_shown = compiled
    columns, clicks = map(np.ascontiguousarray, (feedback.columns, feedback.clicks))
    ratings = np.ascontiguousarray(feedback.satisfaction, np.float32)
    days = np.ascontiguousarray(feedback.days_away, np.float32)
    which = np.arange(len(state))[rows]
    present = np.ones(len(which), np.bool_) if active is None else active
    keep_clicks, keep_items = _kept(days, memory)
    take_in_topics(
        *(state.topic_clicks, state.topic_seen, state.topic_satisfaction),
        *(state.satisfaction, state.click_rate, state.n_slates, state.days_away),
        *(which, present, clicks, ratings, days, topics, sets, keep_clicks),
        np.array([memory.topic_seen, memory.satisfaction, memory.click_rate], np.float32),
    )
    odds = np.ones(columns.shape, np.float32)
    take_in_items(
        *(state.item_shown, state.item_clicked, state.item_looks, state.item_clicks),
        *(state.item_rated, state.item_enjoyed, state.enjoyment, state.familiarity),
        *(which, present, columns, clicks, ratings, _look_weights(columns.shape[1]), keep_items),
        np.array([memory.clicks_per_look, memory.few_ratings], np.float32),
        odds,
    )
    put_shown(state.preference, which, present, columns, np.log(odds))


def _take_in_plainly(
    state: ObservedState,
    rows: IntArray | slice,
    feedback: SlateFeedback,
    topics: BoolArray | FloatArray,
    sets: IntArray,
    memory: Memory,
    active: BoolArray | None,
) -> None:
    clicks, columns, days = feedback.clicks, feedback.columns, feedback.days_away
    if active is not None:
        clicks = clicks & active[:, None]
    gains = _gains(clicks, feedback.satisfaction)
    has = topics.take(sets, axis=0).astype(np.float32, copy=False)
    per_topic = _in_turn(gains[..., None] * has[:, None])
    n_clicks, n_rated, total = _in_turn(gains).T

    keep_clicks, keep_items = _kept(days, memory)
    keep_seen, fresh = np.float32(memory.topic_seen), np.float32(1.0)
    shown = columns != PAD
    if active is not None:
        keep_clicks, keep_items, keep_seen = (
            np.where(active, keep, np.float32(1.0)) for keep in (keep_clicks, keep_items, keep_seen)
        )
        keep_seen, fresh = keep_seen[:, None], active.astype(np.float32)
        shown &= active[:, None]
        days = np.where(active, days, state.days_away[rows])

    state.topic_clicks[rows] *= keep_clicks[:, None]
    state.topic_clicks[rows] += per_topic[:, 0]
    _rate_topics(state, rows, per_topic[:, 1], per_topic[:, 2], keep_seen)
    start = np.arange(len(state))[rows] * state.item_shown.shape[1]
    cells = columns + start[:, None]
    _count(state.item_shown, rows, keep_items, cells[shown])
    _count(state.item_clicked, rows, keep_items, cells[shown & clicks])
    _believe(
        state,
        cells[shown],
        np.broadcast_to(_look_weights(shown.shape[1]), shown.shape)[shown],
        gains.transpose(0, 2, 1)[shown],
        memory,
    )

    mean = state.satisfaction[rows]
    seen = np.where(n_rated > 0, total / np.maximum(n_rated, np.float32(1.0)), mean)
    state.satisfaction[rows] += memory.satisfaction * (seen - mean)
    rate = n_clicks / np.float32(columns.shape[1]) - state.click_rate[rows]
    state.click_rate[rows] += memory.click_rate * fresh * rate
    state.n_slates[rows] += fresh
    state.days_away[rows] = days


def _gains(clicks: BoolArray, satisfaction: FloatArray) -> FloatArray:
    """Of each position: 1 if clicked, 1 if rated as well, and the rating; ``(R, 3, k)``."""
    gains = np.empty((len(clicks), 3, clicks.shape[1]), np.float32)
    rated = clicks & ~np.isnan(satisfaction)
    gains[:, 0], gains[:, 1] = clicks, rated
    gains[:, 2] = np.where(rated, satisfaction, np.float32(0.0))
    return gains


def _in_turn(values: FloatArray) -> FloatArray:
    """Sum over positions, axis 2, first to last: rounded as the compiled pass rounds."""
    return np.add.accumulate(values, axis=2)[:, :, -1]


def _rate_topics(
    state: ObservedState,
    rows: IntArray | slice,
    n_new: FloatArray,
    s_new: FloatArray,
    keep: FloatArray | np.float32,
) -> None:
    """Move each topic's mean satisfaction by the ``n_new`` ratings of sum ``s_new``, ``(R, T)``."""
    weight = state.topic_seen[rows] * keep
    mean = state.topic_satisfaction[rows]
    s_new = s_new + weight * mean
    weight += n_new
    state.topic_seen[rows] = weight
    s_new /= np.maximum(weight, np.float32(1e-12))
    state.topic_satisfaction[rows] = np.where(n_new > 0, s_new, mean)


def _believe(
    state: ObservedState, cells: IntArray, looks: FloatArray, gains: FloatArray, memory: Memory
) -> None:
    """Take in what was shown at flat ``cells`` (n,), with how many looks, and what it gained.

    ``gains`` (n, 3) are clicks, rated clicks and their satisfaction. What is believed of an item is
    kept up to date here, where it was shown, because every item's is read at every visit.
    """
    looks = _added(state.item_looks, cells, looks)
    clicks, rated, enjoyed = (
        _added(counts, cells, gained)
        for counts, gained in zip(
            (state.item_clicks, state.item_rated, state.item_enjoyed), gains.T, strict=True
        )
    )
    one, prior = np.float32(1.0), np.float32(memory.clicks_per_look)
    state.preference.put(cells, np.log((clicks + prior) / (looks * prior + prior)))
    above = enjoyed - np.float32(NEUTRAL) * rated
    above /= np.float32(NEUTRAL) * (rated + np.float32(memory.few_ratings))
    state.enjoyment.put(cells, above)
    state.familiarity.put(cells, one - one / np.sqrt(one + looks))


def _added(counts: FloatArray, cells: IntArray, more: FloatArray) -> FloatArray:
    """Add to flat ``cells`` of all counts; what stands there then."""
    total = counts.take(cells) + more
    counts.put(cells, total)
    return total


@lru_cache
def _look_weights(k: int) -> FloatArray:
    """Looks that each position brings, shape ``(k,)``, float32."""
    return position_discount(k).astype(np.float32)


def _count(counts: FloatArray, rows: IntArray | slice, keep: FloatArray, cells: IntArray) -> None:
    """Decay the rows' counts by pool column, and add 1 to flat ``cells`` of all counts."""
    counts[rows] *= keep[:, None]
    counts.put(cells, counts.take(cells) + np.float32(1.0))
