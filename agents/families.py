"""Families of simple policies: each differs in a few numbers, and in one knob per constraint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays import FloatArray
from ..candidates.catalogue import Catalogue
from ..rerankers.constraints import Constraints
from ..rerankers.context import MEMORYLESS
from ..rerankers.features import FEATURES, LOGGED, REWARD, feature_names
from ..rerankers.features import STATE_AWARE as LATELY
from ..rerankers.response import ResponseModel
from ..rerankers.topk import TopKReranker
from ..simulators.policies import RandomSlates, SlatePolicy, StaticWeights, from_reranker
from .policy import DIVERSITY
from .report import Kind
from .reranker_families import DPP, MMR, ExposureControl


class Family(Protocol):
    """Policies indexed by a point ``(n,)`` and by knobs ``(C,)``; knob c raises level c.

    Implementations are frozen dataclasses, so that they can be sent to a worker process.
    """

    @property
    def name(self) -> str:
        """Name for tables."""
        ...

    @property
    def start(self) -> FloatArray:
        """Where a search begins, shape ``(n,)``; empty where there is nothing to search."""
        ...

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """A policy, made anew: some carry a state from slate to slate."""
        ...

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """Its numbers by name."""
        ...

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """The policy of numbers that `parameters` gave, as they are stored with a report."""
        ...


@dataclass(frozen=True)
class TopK:
    """The base model's order; nothing to tune, no knobs."""

    name: str = "top-k"

    @property
    def start(self) -> FloatArray:
        """Nothing to search."""
        return np.zeros(0)

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """The base model's order."""
        return self.remade({})

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """None."""
        return {}

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """See `Family.remade`."""
        return from_reranker(TopKReranker())


@dataclass(frozen=True)
class Chance:
    """Candidates drawn uniformly, with exact propensities; nothing to tune, no knobs."""

    name: str = "random"

    @property
    def start(self) -> FloatArray:
        """Nothing to search."""
        return np.zeros(0)

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """Uniform draws, from the luck of each simulation."""
        return self.remade({})

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """None."""
        return {}

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """See `Family.remade`."""
        return RandomSlates()


@dataclass(frozen=True)
class StaticLinear:
    """Fixed weights of a linear re-ranker; the point counts in ``units``.

    Attributes:
        name: Name for tables.
        searched: Features that may weigh something beside the floors' and diversity.
        units: Weight that moves the score by one standard deviation, shape ``(A,)``.
        constraints: They fix the features.
        response: What gives the features in ``REWARD``, where they are searched.
    """

    name: str
    searched: tuple[str, ...]
    units: FloatArray
    constraints: Constraints
    response: ResponseModel | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the weights."""
        return (*feature_names(self.constraints), DIVERSITY)

    @property
    def start(self) -> FloatArray:
        """The base score alone; or the reward now, less a price of the reward at rest."""
        point = np.zeros(len(self.names))
        if self.response is None:
            point[self.names.index("base")] = 1.0
        else:
            now, rested = map(self.names.index, REWARD)
            point[now] = 1.0
            point[rested] = -PRICE_OF_REST * self.units[now] / self.units[rested]
        return point[self._free]

    @property
    def closeness(self) -> float:
        """How far from its start a search begins, as a share of the usual."""
        return 1.0 if self.response is None else NEAR

    def weights(self, point: FloatArray, knobs: FloatArray) -> FloatArray:
        """All weights, shape ``(A,)``, float32; diversity never below 0."""
        inner = np.zeros(len(self.names))
        inner[self._free] = point
        inner[-len(knobs) :] += knobs
        inner *= self.units
        inner[-1] = max(inner[-1], 0.0)
        return inner.astype(np.float32)

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """The linear re-ranker."""
        return StaticWeights(self.weights(point, knobs), self.name, self.response)

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """The weights by name."""
        return dict(zip(self.names, self.weights(point, knobs).tolist(), strict=True))

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """See `Family.remade`; float32 weights go through a report unchanged."""
        weights = np.array([parameters[name] for name in self.names])
        return StaticWeights(weights, self.name, self.response)

    @property
    def _free(self) -> np.ndarray:
        with_floors = {*self.searched, *self.names[len(FEATURES) :]}
        return np.array([name in with_floors for name in self.names])


PRICE_OF_REST = 0.4
"""Where a search for the price of `rerankers.response` begins."""

NEAR = 0.15
"""Of a search that begins at a policy which is good already."""


def baseline_families(
    catalogue: Catalogue, constraints: Constraints, units: FloatArray
) -> tuple[Family, ...]:
    """Every baseline, from what knows least.

    Args:
        catalogue: The items.
        constraints: The limits.
        units: Weight that moves the score by one standard deviation, shape ``(A,)``.
    """
    return (
        Chance(),
        TopK(),
        MMR(catalogue, constraints),
        DPP(catalogue, constraints),
        ExposureControl(catalogue, constraints),
        StaticLinear("static-memoryless", MEMORYLESS, units, constraints),
        StaticLinear(STATE_AWARE, MEMORYLESS + LATELY, units, constraints),
        StaticLinear(HISTORY_AWARE, LOGGED, units, constraints),
    )


def reward_aware(
    units: FloatArray, constraints: Constraints, response: ResponseModel | None
) -> StaticLinear:
    """The weights that learning starts at: over all features, with a model of users' answers."""
    return StaticLinear(REWARD_AWARE, FEATURES, units, constraints, response)


STATE_AWARE = "static-state-aware"
"""Weights over what the user did lately."""


def kind_of(name: str) -> Kind:
    """What a family counts as: a baseline, or a part of what is learned, by itself."""
    return "start" if name in (HISTORY_AWARE, REWARD_AWARE) else "baseline"


HISTORY_AWARE = "static-history-aware"
"""Weights over all that is logged: also what is believed of each item, and the history before."""

REWARD_AWARE = "static-reward-aware"
"""Weights over all features: also what a look is expected to bring by a response model."""
