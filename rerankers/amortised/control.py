"""The loop that the amortised re-rankers share: lift groups, show, count, adjust."""

from abc import ABC, abstractmethod
from typing import Annotated, Generic, Self

import numpy as np
from pydantic import Field

from ...arrays import FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ...metrics.exposure import position_discount
from ...metrics.lists import sum_by
from ..base import Slates, require_k
from ..config import RerankerSettings
from ..knowledge import column_codes
from ..order import serving_order
from ..relevance import RelevanceScale, relevance
from .state import S, Vector, read_state


class AmortisedConfig(RerankerSettings):
    """What the amortised re-rankers have in common.

    Attributes:
        attribute: Item attribute whose groups share the exposure. Items of no group are never
            lifted or lowered.
        relevance: Scale of the base scores that bonuses are added to.
        block: Users served between two updates, by all workers together; they are taken in an
            order that depends on the users and on how many slates were shown before, not on where
            they stand in the batch.
        workers: How many workers serve at once from copies of one state, to be merged from time to
            time. Each then takes its own slates to stand for those of all, so that a debt which
            all inherit is paid once, not once by each (which would make the fleet swing from one
            merge to the next).
    """

    attribute: str = "popularity"
    relevance: RelevanceScale = "scaled"
    block: Annotated[int, Field(ge=1, le=256)] = 16
    workers: Annotated[int, Field(ge=1)] = 1


class Tally:
    """A sum per group, to which one of several workers adds.

    Attributes:
        own: What this worker holds, shape ``(G,)``.
    """

    def __init__(self, n_groups: int, workers: int) -> None:
        self._workers = workers
        self.own = self._fork = np.zeros(n_groups)

    @property
    def seen(self) -> FloatArray:
        """What all workers together are taken to hold, if they fare as this one does."""
        return self.own + (self._workers - 1) * (self.own - self._fork)

    def add(self, values: FloatArray) -> None:
        """Count more, shape ``(G,)``."""
        self.own = self.own + values

    def hold(self, low: FloatArray | float, high: FloatArray | float) -> None:
        """Clip so that `seen` lies between ``low`` and ``high``."""
        inherited = (self._workers - 1) * self._fork
        self.own = np.clip(
            self.own, (low + inherited) / self._workers, (high + inherited) / self._workers
        )

    def load(self, values: Vector) -> None:
        """Continue from a state, which all workers have in common."""
        self.own = self._fork = np.array(values)


class GroupController(ABC, Generic[S]):
    """Turns what was shown into a bonus per group; its state can be saved and merged."""

    reads_relevance = False
    """Whether `update` wants the relevance that each group offered."""

    def __init__(self, blank: S, workers: int) -> None:
        self._blank = blank
        self.n_slates = 0
        self.exposure = Tally(len(blank.groups), workers)

    @property
    @abstractmethod
    def bonuses(self) -> FloatArray:
        """What is added to the relevance of each group's items next, shape ``(G,)``."""

    @abstractmethod
    def update(
        self, exposure: FloatArray, n_slates: int, relevance: FloatArray | None = None
    ) -> None:
        """Take in what a block of slates did.

        Args:
            exposure: Exposure that each group received, summed over the slates, each of which
                hands out 1; shape ``(G,)``.
            n_slates: Slates in the block.
            relevance: Relevance of each group's candidates, summed over the pools of the block;
                shape ``(G,)``.
        """

    @abstractmethod
    def state(self) -> S:
        """A copy of what it remembers."""

    @abstractmethod
    def _load(self, state: S) -> None:
        """Take the fields over that are the algorithm's own."""

    @property
    def shares(self) -> FloatArray:
        """Share of the groups' exposure that each received so far, ``(G,)``; 0 before any."""
        total = self.exposure.own.sum()
        return self.exposure.own / total if total > 0 else np.zeros(len(self.exposure.own))

    def to_json(self) -> str:
        """The state as JSON."""
        return self.state().model_dump_json()

    def restore(self, text: str) -> Self:
        """Continue from a state saved by `to_json`, or merged; returns the controller itself.

        Raises:
            InvalidValue: The text is not such a state, or it belongs to other groups or targets.
        """
        state = read_state(type(self._blank), text)
        self._blank.require_same(state)
        self.n_slates = state.n_slates
        self.exposure.load(state.exposure)
        self._load(state)
        return self

    def _count(self, exposure: FloatArray, n_slates: int) -> None:
        if exposure.shape != self.exposure.own.shape or n_slates < 0:
            raise InvalidValue(
                f"shape {exposure.shape} and {n_slates} slates, expected {self.exposure.own.shape}",
                field="exposure",
            )
        if not (np.isfinite(exposure) & (exposure >= 0)).all():
            raise InvalidValue("holds a negative number, NaN or infinity", field="exposure")
        self.exposure.add(exposure)
        self.n_slates += n_slates


class AmortisedReranker(Generic[S]):
    """Orders by relevance plus the bonus of the item's group, and tells what it showed.

    It learns as it serves: each call moves the state of ``controller``, so equal slates need equal
    generators *and* equal states. O(U · N log N).

    Args:
        config: Its ``algorithm`` is the name.
        controller: Gives the bonuses.
        groups: The item groups.
        name: Short name for tables and records.
    """

    def __init__(
        self,
        config: AmortisedConfig,
        controller: GroupController[S],
        groups: Groups,
        name: str,
    ) -> None:
        self.name = name
        self.controller = controller
        self._groups, self._config = groups, config
        self._block = max(config.block // config.workers, 1)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`; ``rng`` is not used."""
        require_k(pools, k)
        order = serving_order(pools.users, self.controller.n_slates)
        gain = relevance(pools, self._config.relevance)[order]
        cost = np.where(pools.valid[order], -gain, np.inf)
        codes = column_codes(self._groups, pools)[order]
        columns = np.empty((len(pools), k), np.intp)
        for start in range(0, len(order), self._block):
            block = slice(start, start + self._block)
            columns[order[block]] = self._serve(gain[block], cost[block], codes[block], k)
        return Slates.from_columns(pools, columns)

    def _serve(self, gain: FloatArray, cost: FloatArray, codes: IntArray, k: int) -> IntArray:
        """Slates of one block, which the controller takes in."""
        n_groups = len(self._groups.names)
        # Code -1, no group, picks the 0 at the end.
        lift = np.append(self.controller.bonuses, 0.0)
        columns = np.argsort(cost - lift[codes], axis=1, kind="stable")[:, :k]
        shown = codes[np.arange(len(codes))[:, None], columns]
        discount = position_discount(k)
        handed_out = np.tile(discount / discount.sum(), len(codes))
        exposure = group_sums(shown, handed_out, n_groups)
        offered = group_sums(codes, gain, n_groups) if self.controller.reads_relevance else None
        self.controller.update(exposure, len(codes), offered)
        return columns


def group_sums(codes: IntArray, values: FloatArray, n_groups: int) -> FloatArray:
    """Values summed by group, shape ``(G,)``; those of no group are left out."""
    return sum_by(codes.ravel() + 1, values.ravel(), n_groups + 1)[1:]
