"""What the log tells of each user so far: the state that re-rankers and policies may see.

Everything here follows from events that a serving system records (what was shown, clicked and
rated, and when), so a served policy computes the same state by replaying a user's log.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .context import PoolContext


@dataclass(frozen=True, slots=True)
class Memory:
    """How fast each part of the state forgets.

    Attributes:
        topic_clicks: Kept per slate; short, because satiation is about the last few slates.
        topic_seen: Kept per slate; long, because taste outlives a session.
        items: Kept per slate of the counts of showing and clicking an item.
        day: Kept per day away, of clicks by topic and of counts by item: rest restores appetite.
        satisfaction: Weight of the newest slate with a click in the mean satisfaction.
        click_rate: Weight of the newest slate in the click rate.
    """

    topic_clicks: float = 0.8
    topic_seen: float = 0.98
    items: float = 0.9
    day: float = 0.9
    satisfaction: float = 0.2
    click_rate: float = 0.2


MEMORY = Memory()
NEUTRAL = 0.5
"""Satisfaction assumed before any was seen."""


@dataclass(frozen=True, slots=True)
class SlateFeedback:
    """What one slate per user brought.

    Attributes:
        columns: Pool columns shown, shape ``(U, k)``.
        clicks: Which positions were clicked, shape ``(U, k)``.
        satisfaction: Satisfaction in [0, 1], shape ``(U, k)``; NaN where not clicked, and where
            clicked but not rated.
        days_away: Days between this visit and the one before it, shape ``(U,)``.
    """

    columns: IntArray
    clicks: BoolArray
    satisfaction: FloatArray
    days_away: FloatArray

    def take(self, rows: IntArray) -> Self:
        """A copy of the given rows, in that order."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(slots=True)
class ObservedState:
    """Arrays over ``U`` users, float32, updated in place by `observe`.

    Attributes:
        topic_clicks: Decayed clicks per topic, shape ``(U, T)``: recent consumption.
        topic_seen: Slowly decayed rated clicks per topic, shape ``(U, T)``: how much stands
            behind ``topic_satisfaction``.
        topic_satisfaction: Decayed mean satisfaction per topic, shape ``(U, T)``; 0 where nothing
            was rated.
        item_shown: Decayed count of showing each pool column, shape ``(U, N)``.
        item_clicked: Decayed count of clicks on each pool column, shape ``(U, N)``.
        satisfaction: Moving mean of the satisfaction seen, shape ``(U,)``.
        click_rate: Moving mean of clicks per position shown, shape ``(U,)``.
        n_slates: Slates seen, shape ``(U,)``.
        days_away: Days before the latest visit, shape ``(U,)``.
    """

    topic_clicks: FloatArray
    topic_seen: FloatArray
    topic_satisfaction: FloatArray
    item_shown: FloatArray
    item_clicked: FloatArray
    satisfaction: FloatArray
    click_rate: FloatArray
    n_slates: FloatArray
    days_away: FloatArray

    def __len__(self) -> int:
        return len(self.n_slates)

    def take(self, rows: IntArray) -> Self:
        """A copy of the given rows, in that order."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


StateLookup = Callable[[CandidatePools], ObservedState]
"""The observed state of the pools' users, row by row and column by column."""


def new_state(n_users: int, n_candidates: int, n_topics: int) -> ObservedState:
    """The state of ``n_users`` users of whom nothing is known yet."""

    def zeros(*shape: int) -> FloatArray:
        return np.zeros(shape, np.float32)

    return ObservedState(
        topic_clicks=zeros(n_users, n_topics),
        topic_seen=zeros(n_users, n_topics),
        topic_satisfaction=zeros(n_users, n_topics),
        item_shown=zeros(n_users, n_candidates),
        item_clicked=zeros(n_users, n_candidates),
        satisfaction=np.full(n_users, NEUTRAL, np.float32),
        click_rate=zeros(n_users),
        n_slates=zeros(n_users),
        days_away=zeros(n_users),
    )


def reset_rows(state: ObservedState, rows: IntArray | BoolArray) -> None:
    """Forget everything about the given users, in place."""
    for field in fields(state):
        getattr(state, field.name)[rows] = NEUTRAL if field.name == "satisfaction" else 0.0


def observe(
    state: ObservedState,
    context: PoolContext,
    feedback: SlateFeedback,
    active: BoolArray | None = None,
    memory: Memory = MEMORY,
) -> None:
    """Take in one slate per user, in place.

    Args:
        state: The state of ``U`` users.
        context: Their pools.
        feedback: What their slates brought.
        active: Users who did receive a slate, shape ``(U,)``; the rows of others are left as
            they are. All users by default.
        memory: Decay constants.

    Raises:
        InvalidValue: The feedback has other shapes than the state.
    """
    if len(feedback.columns) != len(state) or len(context) != len(state):
        raise InvalidValue(
            f"state of {len(state)} users, pools of {len(context)}, "
            f"feedback of {len(feedback.columns)}",
            field="feedback",
        )
    rows = np.arange(len(state)) if active is None else np.flatnonzero(active)
    columns = feedback.columns[rows]
    patterns = context.patterns[rows[:, None], columns]
    shown = feedback if active is None else feedback.take(rows)
    _take_in(state, rows, columns, context.pattern_topics[patterns], shown, memory)


def observe_items(
    state: ObservedState,
    item_topics: BoolArray,
    rows: IntArray,
    feedback: SlateFeedback,
    memory: Memory = MEMORY,
) -> None:
    """Take in one slate for each of some users, in place, where columns are items.

    For a state over a whole catalogue, whatever pools the slates were chosen from.

    Args:
        state: The state of ``U`` users, its ``N`` columns the items of the catalogue.
        item_topics: The catalogue's topics, shape ``(I, T)``.
        rows: Distinct rows of the state, shape ``(P,)``.
        feedback: What each of them was shown, with item indices as columns; ``P`` slates.
        memory: Decay constants.

    Raises:
        InvalidValue: There are more or fewer rows than slates.
    """
    if len(rows) != len(feedback.columns):
        raise InvalidValue(f"{len(rows)} rows for {len(feedback.columns)} slates", field="feedback")
    _take_in(state, rows, feedback.columns, item_topics[feedback.columns], feedback, memory)


def replay(
    context: PoolContext,
    item_topics: BoolArray,
    items: IntArray,
    clicks: BoolArray,
    satisfaction: FloatArray,
    days_away: FloatArray,
    memory: Memory = MEMORY,
) -> ObservedState:
    """The state of one user from the log of slates shown, oldest first.

    Items that have left the pool still count towards topics, satisfaction and click rate; only
    their own fatigue has no column to stand in.

    Args:
        context: The pool of that one user.
        item_topics: The catalogue's topics, shape ``(I, T)``.
        items: Item indices of ``S`` slates, shape ``(S, k)``; ``PAD`` in unused positions of
            slates shorter than the longest.
        clicks: Shape ``(S, k)``.
        satisfaction: Shape ``(S, k)``, NaN where not clicked or not rated.
        days_away: Days before each slate since the one before it, shape ``(S,)``.
        memory: Decay constants.

    Raises:
        InvalidValue: The context is not of one user, or shapes differ.
    """
    if len(context) != 1:
        raise InvalidValue(f"{len(context)} pools, expected that of one user", field="context")
    if not items.shape == clicks.shape == satisfaction.shape or len(days_away) != len(items):
        raise InvalidValue("items, clicks, satisfaction and days_away differ in shape", field="log")
    state = new_state(1, context.n_candidates, context.n_topics)
    row = np.zeros(1, np.intp)
    pool = context.items[0]
    for s in range(len(items)):
        shown = items[s] != PAD
        kept = items[s][shown]
        at = kept[:, None] == pool
        columns = np.where(at.any(axis=1), at.argmax(axis=1), PAD)
        slate = SlateFeedback(
            columns[None],
            clicks[s][shown][None],
            satisfaction[s][shown][None],
            days_away[s : s + 1],
        )
        _take_in(state, row, columns[None], item_topics[kept][None], slate, memory)
    return state


def _take_in(
    state: ObservedState,
    rows: IntArray,
    columns: IntArray,
    topics: BoolArray | FloatArray,
    feedback: SlateFeedback,
    memory: Memory,
) -> None:
    """Decay the given rows, then add what their slates brought.

    ``columns`` ``(R, k)``, ``topics`` ``(R, k, T)`` and ``feedback`` are of the rows alone; columns
    of ``PAD`` have left the pool.
    """
    clicks = feedback.clicks
    n_clicks = clicks.sum(axis=1)
    days = feedback.days_away.astype(np.float32)
    rest = memory.day**days

    clicked = clicks.astype(np.float32)
    _decay_add(state.topic_clicks, rows, memory.topic_clicks * rest, _per_topic(clicked, topics))
    _rate_topics(state, rows, topics, clicks, feedback.satisfaction, memory)

    kept = memory.items * rest
    _count(state.item_shown, rows, columns, np.ones_like(clicked), kept)
    _count(state.item_clicked, rows, columns, clicked, kept)

    rated = clicks & ~np.isnan(feedback.satisfaction)
    n_rated = rated.sum(axis=1)
    total = np.where(rated, feedback.satisfaction, 0.0).sum(axis=1)
    seen = np.where(n_rated > 0, total / np.maximum(n_rated, 1), state.satisfaction[rows])
    state.satisfaction[rows] += memory.satisfaction * (seen - state.satisfaction[rows])
    rate = n_clicks / max(columns.shape[1], 1)
    state.click_rate[rows] += memory.click_rate * (rate - state.click_rate[rows])
    state.n_slates[rows] += 1
    state.days_away[rows] = days


def _rate_topics(
    state: ObservedState,
    rows: IntArray,
    topics: BoolArray | FloatArray,
    clicks: BoolArray,
    satisfaction: FloatArray,
    memory: Memory,
) -> None:
    """Move each topic's mean satisfaction by what was rated in it."""
    rated = clicks & ~np.isnan(satisfaction)
    n_new = _per_topic(rated.astype(np.float32), topics)
    s_new = _per_topic(np.where(rated, satisfaction, 0.0).astype(np.float32), topics)
    weight = memory.topic_seen * state.topic_seen[rows]
    mean = state.topic_satisfaction[rows]
    state.topic_seen[rows] = weight + n_new
    new_mean = (weight * mean + s_new) / np.maximum(weight + n_new, np.float32(1e-12))
    state.topic_satisfaction[rows] = np.where(n_new > 0, new_mean, mean)


def _per_topic(values: FloatArray, topics: BoolArray | FloatArray) -> FloatArray:
    """Sum of each slate's values by topic, ``(R, k)`` and ``(R, k, T)`` to ``(R, T)``."""
    return np.matmul(values[:, None, :], topics.astype(np.float32, copy=False))[:, 0]


def _decay_add(values: FloatArray, rows: IntArray, keep: FloatArray, add: FloatArray) -> None:
    values[rows] = values[rows] * keep[:, None] + add


def _count(
    counts: FloatArray, rows: IntArray, columns: IntArray, add: FloatArray, keep: FloatArray
) -> None:
    """Decay counts by pool column and add to the columns of the slates."""
    counts[rows] *= keep[:, None]
    at, position = np.nonzero((columns != PAD) & (add != 0))
    counts[rows[at], columns[at, position]] += add[at, position]
