"""What weights amount to in a list: how far each aspect of a score spreads the candidates.

Raw weights cannot be compared: a weight of 10 on a feature that hardly varies does nothing, two
features that say the same add up, and twice all weights make the same order. So weights are
multiplied by how far their features spread this user's candidates, those of one aspect are added,
and the whole is divided by its length. An aspect of strength 0.5 then moves a candidate by half a
standard deviation of score when the candidate stands one standard deviation out in that aspect
(exactly so where aspects are uncorrelated within the pool).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...rerankers.context import PoolContext
from ...rerankers.features import scoring_features
from ...rerankers.state import ObservedState

_ASPECT_OF = {
    "base": "relevance",
    "base_when_dissatisfied": "relevance",
    "satiation": "satiation",
    "satiation_squared": "satiation",
}
"""Aspects of more than one feature; every other weight is an aspect of its own name."""


@dataclass(frozen=True, slots=True)
class Aspects:
    """Which of ``A`` weights belong together in ``J`` aspects.

    Attributes:
        names: Name of each aspect.
        of_weight: Aspect of each weight, shape ``(A,)``.
        lead: First weight of each aspect, shape ``(J,)``; its feature gives the direction.
    """

    names: tuple[str, ...]
    of_weight: IntArray
    lead: IntArray

    @classmethod
    def of(cls, weights: Sequence[str]) -> "Aspects":
        """Those of weights by name, diversity among them."""
        aspect = [_ASPECT_OF.get(name, name) for name in weights]
        names = tuple(dict.fromkeys(aspect))
        of_weight = np.array([names.index(name) for name in aspect], np.intp)
        return cls(names, of_weight, np.array([aspect.index(name) for name in names], np.intp))

    def columns(self, aspect: int) -> IntArray:
        """The weights of one aspect."""
        return np.flatnonzero(self.of_weight == aspect)

    def loadings(self, context: PoolContext, state: ObservedState) -> FloatArray:
        """What one unit of each weight moves candidates along its aspect's lead feature.

        Its covariance with the lead feature over the pool's candidates, divided by the standard
        deviation of the lead: the standard deviation itself for the lead. For diversity, the
        standard deviation of the candidates' distance to the first one, as in `weight_units`.

        Args:
            context: Pools of ``U`` users.
            state: Their state.

        Returns:
            Shape ``(U, A)``, float64; 0 where the lead feature does not vary.
        """
        features = scoring_features(context, state).transpose(0, 2, 1).astype(np.float64)
        first = context.patterns[:, :1]
        distance = context.pattern_distance[first, context.patterns][:, None].astype(np.float64)
        values = np.concatenate([features, distance], axis=1)
        valid = context.valid[:, None]
        n = np.maximum(context.n_valid, 1)[:, None]
        values -= (values * valid).sum(axis=2, keepdims=True) / n[:, :, None]
        values *= valid
        lead = values[:, self.lead]
        spread = np.sqrt((lead**2).sum(axis=2) / n)
        by_lead = lead[:, self.of_weight]
        covariance = (values * by_lead).sum(axis=2) / n
        own = spread[:, self.of_weight]
        return np.where(own > FLAT, covariance / np.maximum(own, FLAT), 0.0)

    def amounts(self, weights: FloatArray, loadings: FloatArray) -> FloatArray:
        """Weights times loadings, those of one aspect added, ``(…, A)`` to ``(…, J)``."""
        member = self.of_weight[:, None] == np.arange(len(self.names))
        return (weights * loadings) @ member.astype(np.float64)

    def strengths(self, weights: FloatArray, loadings: FloatArray) -> FloatArray:
        """`amounts` divided by their Euclidean length; 0 if all weights are.

        Args:
            weights: Shape ``(…, A)``.
            loadings: Shape ``(A,)``, or as ``weights``.

        Returns:
            Shape ``(…, J)``, float64.
        """
        amounts = self.amounts(weights, loadings)
        length = np.linalg.norm(amounts, axis=-1, keepdims=True)
        return amounts / np.where(length > 0.0, length, 1.0)


FLAT = 1e-6
"""A standard deviation within a pool up to this is none."""
