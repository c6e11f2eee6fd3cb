"""Hard filters around any re-ranker."""

import numpy as np

from ..arrays import BoolArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .base import Reranker, Slates


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
        slates = self.inner.rerank(kept, k, rng)
        # `keep` moves columns, stably, to close the gaps; undo that for the caller.
        passed = pools.valid & self._allowed[np.maximum(pools.items, 0)]
        order = np.argsort(~passed, axis=1, kind="stable")
        columns = np.take_along_axis(order, slates.columns, axis=1)
        return Slates(columns, slates.items, slates.propensities)
