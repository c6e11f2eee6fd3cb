"""Families of published re-rankers, each with a knob for every constraint.

None of them reads what a user did lately. Where the paper has no way to hold a floor, the usual one
is added: a bonus on the relevance of the floor's group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import FloatArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..rerankers.base import Reranker, Slates
from ..rerankers.constraints import Constraints
from ..rerankers.controller import ControllerConfig
from ..rerankers.diversity.dpp import DPPConfig, DPPReranker, TopicSimilarity
from ..rerankers.diversity.mmr import MMRConfig, MMRReranker
from ..rerankers.exposure import ExposureConfig, ExposureReranker
from ..rerankers.patterns import TopicPatterns
from ..rerankers.relevance import scaled_relevance
from ..simulators.policies import SlatePolicy, from_reranker


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
        return self.remade(self.parameters(point, knobs))

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """Trade-off and bonus."""
        return {
            "trade_off": _share_of_odds(point[0] - knobs[-1]),
            "floor_bonus": _softplus(point[1] + knobs[:-1].sum()),
        }

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """See `Family.remade`."""
        config = MMRConfig.model_validate(dict(parameters))
        return from_reranker(MMRReranker(config, self.catalogue, self.constraints))


@dataclass(frozen=True)
class DPP:
    """Greedy inference of a determinantal point process, with a bonus for whom each limit lifts.

    The point is the log-odds of the trade-off θ, those of the shrinkage of the similarity, and the
    bonus before its softplus; each floor's knob moves its own bonus.
    """

    catalogue: Catalogue
    constraints: Constraints
    name: str = "dpp"

    @property
    def start(self) -> FloatArray:
        """θ of 0.73, a shrinkage of 0.02 and bonuses of 0.31."""
        return np.array([1.0, -4.0, -1.0])

    def policy(self, point: FloatArray, knobs: FloatArray) -> SlatePolicy:
        """The re-ranker at every visit."""
        return self.remade(self.parameters(point, knobs))

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """Trade-off, shrinkage, and a bonus for each floor."""
        bonuses = {
            name: _softplus(point[2] + knob)
            for name, knob in zip(self._bonus_names, knobs[:-1], strict=True)
        }
        return {
            "theta": min(_share_of_odds(point[0] - knobs[-1]), LARGEST_SHARE),
            "shrinkage": min(_share_of_odds(point[1]), LARGEST_SHARE),
            **bonuses,
        }

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """See `Family.remade`."""
        config = DPPConfig(
            theta=parameters["theta"], shrinkage=parameters["shrinkage"], relevance="raw"
        )
        dpp = DPPReranker(config, self._similarity)
        bonus = np.zeros(self.catalogue.n_items, np.float32)
        for name, limit in zip(self._bonus_names, self.constraints.exposure, strict=True):
            bonus += np.float32(parameters[name]) * limit.members(self.catalogue)
        return from_reranker(Lifted(dpp, bonus))

    @property
    def _bonus_names(self) -> tuple[str, ...]:
        return tuple(f"bonus:{label}" for label in self.constraints.labels)

    @cached_property
    def _similarity(self) -> TopicSimilarity:
        return TopicSimilarity(TopicPatterns.of(self.catalogue))


LARGEST_SHARE = 0.999
"""At θ = 1 a DPP is the base order whatever the bonuses; at a shrinkage of 1 it has no kernel."""


@dataclass(frozen=True)
class Lifted:
    """A re-ranker on relevance in [0, 1], plus what each item is given on top.

    Attributes:
        inner: Reads the scores as they are.
        bonus: Of each item, not negative, shape ``(I,)``.
    """

    inner: Reranker
    bonus: FloatArray

    @property
    def name(self) -> str:
        """That of the re-ranker."""
        return self.inner.name

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        safe = np.where(pools.valid, pools.items, 0)
        lifted = scaled_relevance(pools.scores, pools.valid) + self.bonus[safe]
        return self.inner.rerank(replace(pools, scores=lifted), k, rng)


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
        return self.remade(self.parameters(point, knobs))

    def parameters(self, point: FloatArray, knobs: FloatArray) -> dict[str, float]:
        """Gains, and how far each aim lies above its target."""
        raises = dict(zip(self._raise_names, (RAISE * knobs).tolist(), strict=True))
        default = ControllerConfig()
        factors = np.exp(np.clip(point, -LARGEST_LOG_GAIN, LARGEST_LOG_GAIN))
        return {
            "integral": default.integral * float(factors[0]),
            "proportional": default.proportional * float(factors[1]),
            **raises,
        }

    def remade(self, parameters: Mapping[str, float]) -> SlatePolicy:
        """See `Family.remade`."""
        *raises, wider = (parameters[name] for name in self._raise_names)
        floors = tuple(
            limit.raised(higher)
            for limit, higher in zip(self.constraints.exposure, raises, strict=True)
        )
        diversity = self.constraints.min_diversity
        raised = self.constraints.model_copy(
            update={
                "exposure": floors,
                "min_diversity": None if diversity is None else _share(diversity + wider),
            }
        )
        gains = {name: parameters[name] for name in ("integral", "proportional")}
        config = ExposureConfig(controller=ControllerConfig.model_validate(gains))
        return from_reranker(ExposureReranker(config, self.catalogue, raised))

    @property
    def _raise_names(self) -> tuple[str, ...]:
        return (*(f"raise:{label}" for label in self.constraints.labels), "raise:diversity")


RAISE = 0.05
"""What a knob of 1 adds to the aim of the exposure controller."""

LARGEST_LOG_GAIN = 3.0


def _share_of_odds(log_odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def _softplus(value: float) -> float:
    return float(np.logaddexp(0.0, value))


def _share(value: float) -> float:
    return float(np.clip(value, 0.0, 1.0))
