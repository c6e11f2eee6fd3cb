"""Families of simple policies: each differs in a few numbers, and in one knob per constraint."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays import FloatArray
from ..candidates.catalogue import Catalogue
from ..rerankers.constraints import Constraints
from ..rerankers.context import MEMORYLESS
from ..rerankers.controller import ControllerConfig
from ..rerankers.diversity.mmr import MMRConfig, MMRReranker
from ..rerankers.exposure import ExposureConfig, ExposureReranker
from ..rerankers.features import FEATURES, feature_names
from ..rerankers.topk import TopKReranker
from ..simulators.policies import SlatePolicy, StaticWeights, from_reranker
from .policy import DIVERSITY


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
        return from_reranker(TopKReranker())

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """None."""
        return {}


@dataclass(frozen=True)
class MMR:
    """Maximal marginal relevance with a bonus for the groups that have a floor.

    The point is the trade-off's log-odds and the bonus before its softplus.
    """

    catalogue: Catalogue
    constraints: Constraints
    name: str = "mmr"

    @property
    def start(self) -> FloatArray:
        """A trade-off of 0.73 and a bonus of 0.31."""
        return np.array([1.0, -1.0])

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """The re-ranker at every visit."""
        config = MMRConfig.model_validate(self.parameters(point, knobs))
        return from_reranker(MMRReranker(config, self.catalogue, self.constraints))

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """Trade-off and bonus."""
        return {
            "trade_off": float(1.0 / (1.0 + np.exp(knobs[-1] - point[0]))),
            "floor_bonus": float(np.logaddexp(0.0, point[1] + knobs[:-1].sum())),
        }


@dataclass(frozen=True)
class ExposureControl:
    """The controller that holds exposure and diversity over time; the knobs raise what it aims at.

    The point is the log of the gains relative to their defaults.
    """

    catalogue: Catalogue
    constraints: Constraints
    name: str = "exposure"

    @property
    def start(self) -> FloatArray:
        """The default gains."""
        return np.zeros(2)

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """The controller from its start; it learns as it serves."""
        floors = tuple(
            floor.model_copy(update={"share": _share(floor.share + RAISE * knob)})
            for floor, knob in zip(self.constraints.exposure, knobs[:-1], strict=True)
        )
        diversity = self.constraints.min_diversity
        raised = self.constraints.model_copy(
            update={
                "exposure": floors,
                "min_diversity": None
                if diversity is None
                else _share(diversity + RAISE * knobs[-1]),
            }
        )
        gains = self._gains(point)
        config = ExposureConfig(controller=ControllerConfig.model_validate(gains))
        return from_reranker(ExposureReranker(config, self.catalogue, raised))

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """Gains, and how far each aim lies above its target."""
        names = (*(f"raise:{f.attribute}={f.group}" for f in self.constraints.exposure),)
        raises = dict(zip((*names, "raise:diversity"), (RAISE * knobs).tolist(), strict=True))
        return {**self._gains(point), **raises}

    def _gains(self, point: FloatArray) -> dict[str, float]:
        default = ControllerConfig()
        factors = np.exp(np.clip(point, -LARGEST_LOG_GAIN, LARGEST_LOG_GAIN))
        return {
            "integral": default.integral * float(factors[0]),
            "proportional": default.proportional * float(factors[1]),
        }


RAISE = 0.05
"""What a knob of 1 adds to the aim of the exposure controller."""

LARGEST_LOG_GAIN = 3.0


@dataclass(frozen=True)
class StaticLinear:
    """Fixed weights of a linear re-ranker; the point counts in ``units``.

    Attributes:
        name: Name for tables.
        searched: Features that may weigh something beside the floors' and diversity.
        units: Weight that moves the score by one standard deviation, shape ``(A,)``.
        constraints: They fix the features.
    """

    name: str
    searched: tuple[str, ...]
    units: FloatArray
    constraints: Constraints

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the weights."""
        return (*feature_names(self.constraints), DIVERSITY)

    @property
    def start(self) -> FloatArray:
        """The base score alone."""
        return np.array([float(n == "base") for n in np.array(self.names)[self._free]])

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
        return StaticWeights(self.weights(point, knobs), self.name)

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """The weights by name."""
        return dict(zip(self.names, self.weights(point, knobs).tolist(), strict=True))

    @property
    def _free(self) -> np.ndarray:
        with_floors = {*self.searched, *self.names[len(FEATURES) :]}
        return np.array([name in with_floors for name in self.names])


def baseline_families(
    catalogue: Catalogue, constraints: Constraints, units: FloatArray
) -> tuple[Family, ...]:
    """Every baseline that the gate asks for; the last one is where learning starts."""
    return (
        TopK(),
        MMR(catalogue, constraints),
        ExposureControl(catalogue, constraints),
        StaticLinear("static-memoryless", MEMORYLESS, units, constraints),
        StaticLinear(STATE_AWARE, FEATURES, units, constraints),
    )


STATE_AWARE = "static-state-aware"


def _share(value: float) -> float:
    return float(np.clip(value, 0.0, 1.0))
