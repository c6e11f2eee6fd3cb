"""Hard filters around any re-ranker."""

import numpy as np

from ..arrays import BoolArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .base import Reranker, Slates
from .stochastic.mixture import RankingMixture, StochasticReranker


class FilteredReranker:
    """Takes the forbidden candidates out of the pools before another re-ranker sees them.

    Columns of the slates are those of the pools as they were handed in.
    """

    def __init__(self, inner: Reranker, allowed: BoolArray) -> None:
        """Wrap ``inner``; ``allowed`` says which items may be shown, shape ``(I,)``."""
        self.inner = inner
        self._allowed = allowed

    @property
    def name(self) -> str:
        """Name of the re-ranker inside."""
        return self.inner.name

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`.

        Raises:
            InvalidValue: The filters leave fewer than ``k`` candidates to a user.
        """
        kept, order = self._without_forbidden(pools, k)
        slates = self.inner.rerank(kept, k, rng)
        columns = np.take_along_axis(order, slates.columns, axis=1)
        return Slates(columns, slates.items, slates.propensities)

    def _without_forbidden(self, pools: CandidatePools, k: int) -> tuple[CandidatePools, IntArray]:
        """The pools that are left, and the caller's column of each of theirs."""
        kept = pools.keep(self._allowed)
        left = kept.sizes
        if k > int(left.min(initial=k)):
            row = int(left.argmin())
            raise InvalidValue(
                f"they leave {int(left[row])} of {int(pools.sizes[row])} candidates to user index "
                f"{int(pools.users[row])}, fewer than k={k}",
                field="filters",
                mend="Loosen the filters, lower k, or make larger pools.",
            )
        # `keep` moves columns, stably, to close the gaps; the caller's are in this order.
        passed = pools.valid & self._allowed[np.maximum(pools.items, 0)]
        return kept, np.argsort(~passed, axis=1, kind="stable")


class FilteredStochasticReranker(FilteredReranker):
    """The same around a re-ranker whose lottery can be asked for."""

    def __init__(self, inner: StochasticReranker, allowed: BoolArray) -> None:
        super().__init__(inner, allowed)
        self._stochastic = inner

    def mixture(self, pools: CandidatePools, k: int) -> RankingMixture:
        """See `StochasticReranker.mixture`; columns are those of the pools handed in.

        Raises:
            InvalidValue: The filters leave fewer than ``k`` candidates to a user.
        """
        kept, order = self._without_forbidden(pools, k)
        lottery = self._stochastic.mixture(kept, k)
        columns = np.take_along_axis(order[:, None, :], lottery.columns, axis=2)
        return RankingMixture(columns, lottery.weights)


def filtered(reranker: Reranker, allowed: BoolArray) -> Reranker:
    """A re-ranker that shows only the items allowed, shape ``(I,)``."""
    if isinstance(reranker, StochasticReranker):
        return FilteredStochasticReranker(reranker, allowed)
    return FilteredReranker(reranker, allowed)
