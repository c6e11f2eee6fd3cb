"""What a platform could have observed of a study's users, whatever the model proposes."""

from dataclasses import fields

import numpy as np

from ...arrays import IntArray
from ...candidates.catalogue import Catalogue
from ...candidates.pools import CandidatePools
from ...rerankers.observe import observe_items
from ...rerankers.state import PER_ITEM, ObservedState, SlateFeedback, new_state
from .feedback import Visits


class ObservedUsers:
    """The state that re-rankers with memory read, kept per item instead of per pool column.

    Visits are taken in when someone asks: re-rankers without memory never do, and pay nothing.
    The others pay O(U · I) a day.

    Args:
        catalogue: The items.
        users: Who takes part, shape ``(U,)``.
    """

    def __init__(self, catalogue: Catalogue, users: IntArray) -> None:
        self._catalogue = catalogue
        self._row = np.full(int(users.max(initial=-1)) + 1, -1, np.int64)
        self._row[users] = np.arange(len(users))
        self._n_users = len(users)
        self._state: ObservedState | None = None
        self._pending: list[Visits] = []

    def note(self, visits: Visits) -> None:
        """Remember one slate for each of some users."""
        self._pending.append(visits)

    def of(self, pools: CandidatePools) -> ObservedState:
        """The state of the pools' users, its columns those of the pools; see `StateLookup`."""
        state = self._up_to_date()
        row = self._row[pools.users]
        items = np.maximum(pools.items, 0)
        values = {
            f.name: getattr(state, f.name)[row] for f in fields(state) if f.name not in PER_ITEM
        }
        for name in PER_ITEM:
            at_items = getattr(state, name)[row[:, None], items]
            values[name] = np.where(pools.valid, at_items, np.float32(0.0))
        return ObservedState(**values)

    def _up_to_date(self) -> ObservedState:
        if self._state is None:
            n_items, n_topics = self._catalogue.topics.shape
            self._state = new_state(self._n_users, n_items, n_topics)
        pending, self._pending = self._pending, []
        for visits in pending:
            feedback = SlateFeedback(
                visits.items, visits.clicks, visits.observed_satisfaction, visits.days_away
            )
            observe_items(self._state, self._catalogue.topics, self._row[visits.users], feedback)
        return self._state
