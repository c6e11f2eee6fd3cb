"""Any re-ranker as a policy."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...arrays import PAD, BoolArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import NotReady
from ...rerankers.base import Reranker
from ...rerankers.state import PER_ITEM, ObservedState, StateLookup
from ..gaps import Controller
from ..logged import LoggedPopulation
from .base import Decision, PolicyLuck


class RerankerPolicy:
    """Any ``Reranker``; it sees the pools of the active users alone.

    Users who are at the same visit are served together, as one batch with one generator. For a
    re-ranker that treats each user alone the slates do not depend on who else is in the batch;
    one that shares something out between users, or that steers by what it showed before, depends on
    it by its very definition, and its propensities are given that.

    Args:
        reranker: Chooses the slates, at every visit anew; or what makes it, given a way to look
            the users' observed state up, for one that weighs what they did so far.
        name: Name for tables; the re-ranker's own by default.
    """

    def __init__(
        self, reranker: Reranker | Callable[[StateLookup], Reranker], name: str | None = None
    ) -> None:
        self._served: tuple[CandidatePools, ObservedState] | None = None
        self._reranker = reranker(self._states) if callable(reranker) else reranker
        self.name = self._reranker.name if name is None else name

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The re-ranker's slates; the first columns for users who are gone."""
        n, k = len(logged), logged.world.config.slate_size
        columns = np.broadcast_to(np.arange(k), (n, k)).copy()
        propensities = np.ones(n)
        for visit in np.unique(luck.visits[active]).tolist():
            rows = np.flatnonzero(active & (luck.visits == visit))
            pools = logged.world.pools.take(rows)
            self._served = (pools, logged.observed.take(rows))
            slates = self._reranker.rerank(pools, k, luck.generator(visit))
            columns[rows], propensities[rows] = slates.columns, slates.propensities
        return Decision.drawn(columns, propensities, None)

    def _states(self, pools: CandidatePools) -> ObservedState:
        """What was observed of the users who are being served, by the columns of ``pools``."""
        if self._served is None or len(self._served[0]) != len(pools):
            raise NotReady("these are not the users who are being served", field="states")
        served, observed = self._served
        if pools.items is served.items:
            return observed
        columns, known = _columns_of(served.items, pools.items)
        moved = {
            name: np.take_along_axis(getattr(observed, name), columns, axis=1) * known
            for name in PER_ITEM
        }
        return replace(observed, **moved)


def from_reranker(reranker: Reranker) -> RerankerPolicy:
    """A re-ranker as a slate policy."""
    return RerankerPolicy(reranker)


def _columns_of(pools: IntArray, items: IntArray) -> tuple[IntArray, BoolArray]:
    """Where in each row of the pools the items stand, and which do, both ``(U, n)``."""
    order = np.argsort(pools, axis=1, kind="stable")
    offset = np.arange(len(pools))[:, None] * (max(int(pools.max()), int(items.max())) + 2)
    keys = (np.take_along_axis(pools, order, axis=1) + offset).ravel()
    place = np.minimum(np.searchsorted(keys, (items + offset).ravel()), keys.size - 1)
    known = (keys[place].reshape(items.shape) == items + offset) & (items != PAD)
    columns = order.ravel()[place].reshape(items.shape)
    return np.where(known, columns, 0), known
