"""What the log tells of each user so far: the state that re-rankers and policies may see.

Everything here follows from events that a serving system records (what was shown, clicked and
rated, and when), so a served policy computes the same state by replaying a user's log.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Self

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from ..metrics.exposure import position_discount
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
        clicks_per_look: Clicks that are expected of one look at an item, for what is believed of
            items; believed as much as one look.
        few_ratings: Ratings at which an item's satisfaction is believed by half.
    """

    topic_clicks: float = 0.8
    topic_seen: float = 0.98
    items: float = 0.9
    day: float = 0.9
    satisfaction: float = 0.2
    click_rate: float = 0.2
    clicks_per_look: float = 0.25
    few_ratings: float = 0.5


MEMORY = Memory()
EVERYONE = slice(None)
"""Rows of all users."""

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
        item_looks: Exposure 1/log2(j + 1) that each pool column ever had, shape ``(U, N)``.
        item_clicks: Clicks ever on each pool column, shape ``(U, N)``.
        item_rated: Rated clicks ever, shape ``(U, N)``.
        item_enjoyed: Sum of their satisfaction, shape ``(U, N)``.
        preference: Log of clicks over those expected of as many looks, shrunk towards 0 where there
            were few, shape ``(U, N)``.
        enjoyment: Mean satisfaction above neutral, in (-1, 1), shrunk likewise, shape ``(U, N)``.
        familiarity: 1 − 1/√(1 + looks), in [0, 1): how well the two are known, shape ``(U, N)``.
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
    item_looks: FloatArray
    item_clicks: FloatArray
    item_rated: FloatArray
    item_enjoyed: FloatArray
    preference: FloatArray
    enjoyment: FloatArray
    familiarity: FloatArray
    satisfaction: FloatArray
    click_rate: FloatArray
    n_slates: FloatArray
    days_away: FloatArray

    def __len__(self) -> int:
        return len(self.n_slates)

    def take(self, rows: IntArray) -> Self:
        """A copy of the given rows, in that order."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


PER_ITEM = (
    "item_shown",
    "item_clicked",
    "item_looks",
    "item_clicks",
    "item_rated",
    "item_enjoyed",
    "preference",
    "enjoyment",
    "familiarity",
)
"""Fields with a number for each pool column; 0 where nothing was shown."""

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
        **{name: zeros(n_users, n_candidates) for name in PER_ITEM},
        satisfaction=np.full(n_users, NEUTRAL, np.float32),
        click_rate=zeros(n_users),
        n_slates=zeros(n_users),
        days_away=zeros(n_users),
    )


def reset_rows(state: ObservedState, rows: IntArray | BoolArray | slice) -> None:
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
        InvalidValue: The feedback has other shapes than the state, or columns that no pool has.
    """
    if len(feedback.columns) != len(state) or len(context) != len(state):
        raise InvalidValue(
            f"state of {len(state)} users, pools of {len(context)}, "
            f"feedback of {len(feedback.columns)}",
            field="feedback",
        )
    columns = feedback.columns
    if active is not None:
        # Columns of users who were not there may be anything, and are not looked at.
        columns = np.where(active[:, None], columns, 0)
    sets = context.patterns.ravel().take(context.cells(columns))
    _take_in(state, EVERYONE, feedback, context.pattern_topics, sets, memory, active)


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
    _take_in(state, rows, feedback, item_topics, feedback.columns, memory)


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
        _take_in(state, EVERYONE, slate, item_topics, kept[None], memory)
    return state


def _take_in(
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
    clicks, columns, days = feedback.clicks, feedback.columns, feedback.days_away
    if active is not None:
        clicks = clicks & active[:, None]
    gains = _gains(clicks, feedback.satisfaction)
    per_topic = np.matmul(gains, topics.take(sets, axis=0).astype(np.float32, copy=False))
    n_clicks, n_rated, total = np.add.reduce(gains, 2).T

    rest = memory.day ** days.astype(np.float32)
    keep_clicks, keep_items = rest * memory.topic_clicks, rest * memory.items
    keep_seen, fresh = memory.topic_seen, np.float32(1.0)
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
    rate = n_clicks / np.float32(max(columns.shape[1], 1)) - state.click_rate[rows]
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


def _rate_topics(
    state: ObservedState,
    rows: IntArray | slice,
    n_new: FloatArray,
    s_new: FloatArray,
    keep: FloatArray | float,
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
