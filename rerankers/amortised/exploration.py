"""What exploring wrappers need of the re-ranker inside: how likely it is to propose a slate."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates
from ..stochastic.mixture import RankingMixture, StochasticReranker


@runtime_checkable
class KnownLaw(Protocol):
    """A re-ranker that draws, and can tell how probable *any* slate is, drawn or not."""

    def probability(self, pools: CandidatePools, columns: IntArray) -> FloatArray:
        """Probability that a slate begins with these columns, in this order.

        Args:
            pools: The pools.
            columns: Shape ``(U, m)``, no column twice; m may be 0.

        Returns:
            Shape ``(U,)``.
        """
        ...


def law_of(
    inner: Reranker, pools: CandidatePools, proposed: Slates
) -> Callable[[IntArray], FloatArray]:
    """How probable it is that ``inner`` proposes slates that begin with given columns.

    A re-ranker that draws tells it itself, or has a lottery over few rankings. One without chance
    proposes its slate and no other (given its state and the batch, where it has a state or weighs
    users against each other).

    Raises:
        InvalidValue: It drew the slates and cannot tell the probability of others.
    """
    if isinstance(inner, KnownLaw):
        return lambda columns: inner.probability(pools, columns)
    if isinstance(inner, StochasticReranker):
        lottery = inner.mixture(pools, proposed.columns.shape[1])
    else:
        require_certain(inner, proposed, mend="Use one whose law is known, or that draws nothing.")
        lottery = RankingMixture.certain(proposed.columns)

    def law(columns: IntArray) -> FloatArray:
        alike = (lottery.columns[:, :, : columns.shape[1]] == columns[:, None, :]).all(axis=2)
        return np.where(alike, lottery.weights, 0.0).sum(axis=1)

    return law


def require_certain(inner: Reranker, proposed: Slates, mend: str) -> None:
    """Refuse an inner re-ranker that drew its slates.

    Raises:
        InvalidValue: A propensity is below 1.
    """
    if (proposed.propensities < 1.0).any():
        raise InvalidValue(
            f"{inner.name} draws its slates, so the propensities of what is shown in their place "
            "would not be exact",
            field="inner",
            mend=mend,
        )
