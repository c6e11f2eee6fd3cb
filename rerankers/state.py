"""What the log tells of each user so far: the state that re-rankers and policies may see.

Everything here follows from events that a serving system records (what was shown, clicked and
rated, and when), so a served policy computes the same state by replaying a user's log.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.pools import CandidatePools


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
