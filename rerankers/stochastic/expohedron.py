"""Pareto-optimal lotteries between utility and a target exposure (Kletti et al., WSDM 2022)."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, FloatArray
from ...candidates.pools import CandidatePools
from ...metrics.exposure import position_discount
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import best_first
from ..relevance import RelevanceScale, relevance
from .mixture import RankingMixture, blocks, draw_slates, join
from .permutahedron import decompose, project

Merit = Literal["equal", "relevance"]
"""What exposure ought to be proportional to: nothing (all items alike), or relevance."""

FARTHEST = 1e9
"""Utility counts at most this much more than the target; more changes no order of doubles."""


class ExpohedronConfig(RerankerSettings):
    """Which exposure items ought to get, and how much that counts against utility.

    Attributes:
        merit: Target exposure of the items of a pool: the same for all (``"equal"``), or
            proportional to their relevance (``"relevance"``, meritocratic; the same for all where
            none has any). Where no lottery over rankings gives it, the closest that one gives.
        weight: w in (1 − w) · expected DCG − w/2 · ‖exposure − target‖², which is maximised: 0
            keeps the base order, 1 gives the target, and what lies between is the Pareto curve.
        relevance: Scale of the gains.
    """

    algorithm: Literal["expohedron"] = "expohedron"
    merit: Merit = "equal"
    weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.9
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return ExpohedronReranker(self)

    def _scaled(self, strength: float) -> Self:
        return self.changed(weight=strength)


class ExpohedronReranker:
    """Each user's point of the Pareto curve, as a lottery over at most N rankings.

    The exposures come from one projection, the lottery from `decompose`: O(U · N² + U · N · k log
    k) at worst, less the closer to the base order. Items are treated one by one, without groups.
    """

    name = "expohedron"

    def __init__(self, config: ExpohedronConfig) -> None:
        self._config = config

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        return draw_slates(lambda part: self._mix(part, k), pools, k, rng)

    def mixture(self, pools: CandidatePools, k: int) -> RankingMixture:
        """See `StochasticReranker.mixture`."""
        require_k(pools, k)
        return join([self._mix(pools.take(rows), k) for rows in blocks(len(pools))], k)

    def _mix(self, pools: CandidatePools, k: int) -> RankingMixture:
        """Lotteries of one block of users; columns are those in base order until the last line."""
        ordered, order = best_first(pools)
        if self._config.weight == 0.0:
            return RankingMixture.certain(order[:, :k])
        gains = relevance(ordered, self._config.relevance)
        discount = position_discount(k)
        target = target_exposure(gains, ordered.valid, discount, self._config.merit)
        exposure = pareto_point(gains, target, self._config.weight, discount, ordered.valid)
        lottery = decompose(exposure, discount)
        columns = np.take_along_axis(order[:, None, :], lottery.columns, axis=2)
        return RankingMixture(columns, lottery.weights)


def target_exposure(
    gains: FloatArray, valid: BoolArray, discount: FloatArray, merit: Merit
) -> FloatArray:
    """The closest expected exposures to those that the items merit, shape ``(U, N)``.

    Args:
        gains: Relevance, not negative, 0 in padding, shape ``(U, N)``.
        valid: Columns that hold a candidate, shape ``(U, N)``.
        discount: Exposure of the ``k`` positions, shape ``(k,)``.
        merit: What it ought to be proportional to.
    """
    share = valid.astype(np.float64)
    if merit == "relevance":
        share = np.where(gains.sum(axis=1, keepdims=True) > 0.0, gains, share)
    wanted = discount.sum() * share / share.sum(axis=1, keepdims=True)
    # Equal exposure is what a uniformly drawn ranking gives: always feasible.
    return wanted if merit == "equal" else project(wanted, discount, valid)


def pareto_point(
    gains: FloatArray, target: FloatArray, weight: float, discount: FloatArray, valid: BoolArray
) -> FloatArray:
    """Exposures that maximise (1 − w) · exposure·gains − w/2 · ‖exposure − target‖².

    Completing the square, that is the projection of ``target + (1 − w)/w · gains``.

    Args:
        gains: Shape ``(U, N)``.
        target: Shape ``(U, N)``.
        weight: w in (0, 1].
        discount: Exposure of the ``k`` positions, shape ``(k,)``.
        valid: Columns that hold a candidate, shape ``(U, N)``.

    Returns:
        Shape ``(U, N)``.
    """
    pull = min((1.0 - weight) / weight, FARTHEST)
    return project(target + pull * gains, discount, valid)
