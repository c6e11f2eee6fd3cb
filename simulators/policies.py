"""What may choose slates in a simulation: re-rankers, fixed weights, learned weights, chance."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.base import Reranker
from .gaps import Controller
from .logged import LoggedPopulation


class SlatePolicy(Protocol):
    """Chooses a slate for every user of a population."""

    @property
    def name(self) -> str:
        """Short name for tables."""
        ...

    def slates(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        rng: np.random.Generator,
    ) -> IntArray:
        """Distinct pool columns for each user, shape ``(U, k)``.

        Args:
            logged: The users, as far as a platform knows them (``context``, ``observed``), and
                the truth, for oracles only (``population``).
            active: Users that will see the slate, shape ``(U,)``; rows of others are ignored.
            controller: Gaps to the constraints, and offsets to add to weights.
            rng: Source of the policy's own draws.
        """
        ...


class StaticWeights:
    """Weights of a linear re-ranker that never change.

    Args:
        weights: Feature weights, then the diversity strength, shape ``(A,)`` for everybody, or
            ``(U, A)`` with a row for each user that a simulation starts with.
        name: Name for tables.
    """

    def __init__(self, weights: FloatArray, name: str = "static weights") -> None:
        self._weights = np.asarray(weights, np.float32)
        self.name = name

    def slates(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        rng: np.random.Generator,
    ) -> IntArray:
        """The linear re-ranker's slates."""
        own = self._weights if self._weights.ndim == 1 else self._weights[logged.row]
        weights = own + controller.offsets()
        return logged.slates(np.broadcast_to(weights, (len(logged), weights.shape[-1])))


class ObservationPolicy:
    """Weights that follow from what is observed.

    Args:
        act: From observations ``(U, O)`` to weights ``(U, A)``.
        name: Name for tables.
    """

    def __init__(self, act: Callable[[FloatArray], FloatArray], name: str = "policy") -> None:
        self._act = act
        self.name = name

    def slates(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        rng: np.random.Generator,
    ) -> IntArray:
        """The slates of the weights that the policy gives each user."""
        weights = self._act(logged.observation(controller.gaps))
        return logged.slates(weights + controller.offsets())


class RerankerPolicy:
    """Any ``Reranker``; it sees the pools of the active users alone, and no state.

    Args:
        reranker: Chooses the slates, at every visit anew.
    """

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker
        self.name = reranker.name

    def slates(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        rng: np.random.Generator,
    ) -> IntArray:
        """The re-ranker's slates; the first columns for users who are gone."""
        k, rows = logged.world.config.slate_size, np.flatnonzero(active)
        columns = np.broadcast_to(np.arange(k), (len(logged), k)).copy()
        if len(rows):
            columns[rows] = self._reranker.rerank(logged.world.pools.take(rows), k, rng).columns
        return columns


class RandomSlates:
    """Candidates drawn uniformly without replacement."""

    name = "random"

    def slates(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        rng: np.random.Generator,
    ) -> IntArray:
        """Uniform draws over the valid columns."""
        k = logged.world.config.slate_size
        keys = rng.random(logged.context.items.shape, dtype=np.float32)
        keys[~logged.context.valid] = np.inf
        return np.argpartition(keys, k - 1, axis=1)[:, :k]


def from_reranker(reranker: Reranker) -> RerankerPolicy:
    """A re-ranker as a slate policy."""
    return RerankerPolicy(reranker)
