"""What the record tells of users: the state that re-rankers see, and what they know already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..rerankers.context import PoolContext
from ..rerankers.observe import replay
from ..rerankers.state import ObservedState, new_state
from .store.events import LoggedEvent, events_of_slates, known_items
from .store.recommendations import LoggedSlate, logs_of

LAST_SLATES = 100
"""Slates replayed per user. What lies before weighs at most 0.13 (0.98 per slate) in the slowest
part of the state, the satisfaction by topic, and nothing to speak of in the others."""

_SECONDS_A_DAY = 86_400.0
_CONSUMED = ("click", "rating", "like", "dislike")


class UserLog:
    """Reads users' slates and feedback for one candidate set."""

    def __init__(self, candidates: CandidateSet) -> None:
        self._candidates = candidates
        self._index = {str(key): row for row, key in enumerate(candidates.catalogue.item_ids)}

    def fresh(
        self,
        session: Session,
        user_ids: Sequence[str],
        items: IntArray,
        before: datetime | None = None,
    ) -> BoolArray:
        """Which candidates the users have not rated, disliked or said to know, shape ``(U, N)``.

        Args:
            session: An open session.
            user_ids: Public ids of the ``U`` users.
            items: Item indices of their pools, shape ``(U, N)``.
            before: What was recorded from then on does not count; all counts where None.
        """
        known = known_items(session, user_ids, before)
        rows = [
            ~np.isin(
                pool, [self._index[item] for item in known.get(user, ()) if item in self._index]
            )
            for user, pool in zip(user_ids, items, strict=True)
        ]
        return np.array(rows).reshape(items.shape)

    def states(
        self, session: Session, user_ids: Sequence[str], context: PoolContext
    ) -> ObservedState:
        """The state of ``U`` users, replayed from their logged slates, rows in their order."""
        logs = logs_of(session, user_ids, LAST_SLATES)
        events = _by_slate(
            events_of_slates(session, (slate.id for log in logs.values() for slate in log))
        )
        state = new_state(len(user_ids), context.n_candidates, context.n_topics)
        for row, user in enumerate(user_ids):
            if user in logs:
                one = self._replay(logs[user], events, context.take(np.array([row])))
                for field in fields(state):
                    getattr(state, field.name)[row] = getattr(one, field.name)[0]
        return state

    def _replay(
        self,
        log: Sequence[LoggedSlate],
        events: Mapping[str, Sequence[LoggedEvent]],
        context: PoolContext,
    ) -> ObservedState:
        width = max(len(slate.item_ids) for slate in log)
        items = np.full((len(log), width), PAD)
        clicks = np.zeros((len(log), width), dtype=bool)
        satisfaction = np.full((len(log), width), np.nan)
        for row, slate in enumerate(log):
            items[row, : len(slate.item_ids)] = [
                self._index.get(item, PAD) for item in slate.item_ids
            ]
            position = {item: column for column, item in enumerate(slate.item_ids)}
            for event in events.get(slate.id, ()):
                if event.kind in _CONSUMED:
                    column = position[event.item_id]
                    clicks[row, column] = True
                    given = satisfaction_of(event)
                    satisfaction[row, column] = (
                        satisfaction[row, column] if given is None else given
                    )
        days = days_between([slate.created_at for slate in log])
        topics = self._candidates.catalogue.topics
        return replay(context, topics, items, clicks, satisfaction, days)


def satisfaction_of(event: LoggedEvent) -> float | None:
    """Satisfaction in [0, 1] that an event tells of; None for a click, which tells nothing of it.

    Ratings from 1 to 5 are spread over the unit interval; a like is 1 and a dislike 0.
    """
    if event.kind == "rating" and event.value is not None:
        return (event.value - 1.0) / 4.0
    return {"like": 1.0, "dislike": 0.0}.get(event.kind)


def days_between(moments: Sequence[datetime]) -> FloatArray:
    """Days before each moment since the one before it, the first one 0."""
    seconds = np.array([moment.timestamp() for moment in moments])
    return np.diff(seconds, prepend=seconds[:1]).clip(min=0.0) / _SECONDS_A_DAY


def _by_slate(events: Iterable[LoggedEvent]) -> dict[str, list[LoggedEvent]]:
    grouped: dict[str, list[LoggedEvent]] = {}
    for event in events:
        if event.recommendation_id is not None:
            grouped.setdefault(event.recommendation_id, []).append(event)
    return grouped
