"""From what users did to the state that follows: slate by slate, or a whole log at once."""

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .context import PoolContext
from .state import EVERYONE, MEMORY, Memory, ObservedState, SlateFeedback, new_state
from .take_in import take_in


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
    take_in(state, EVERYONE, feedback, context.pattern_topics, sets, memory, active)


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
    take_in(state, rows, feedback, item_topics, feedback.columns, memory)


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
        take_in(state, EVERYONE, slate, item_topics, kept[None], memory)
    return state
