"""The protocol that every re-ranker follows, and the slates it returns."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Slates:
    """What is shown to ``U`` users, top position first.

    Attributes:
        columns: Columns of the pool that were chosen, shape ``(U, k)``.
        items: Item indices, shape ``(U, k)``.
        propensities: Probability with which this very slate was drawn, shape ``(U,)``; 1 for a
            deterministic re-ranker.
    """

    columns: IntArray
    items: IntArray
    propensities: FloatArray

    @classmethod
    def from_columns(
        cls, pools: CandidatePools, columns: IntArray, propensities: FloatArray | None = None
    ) -> "Slates":
        """Look the items of the chosen pool columns up; propensity 1 unless given."""
        items = np.take_along_axis(pools.items, columns, axis=1)
        drawn = np.ones(len(pools)) if propensities is None else propensities
        return cls(columns, items, drawn)


class Reranker(Protocol):
    """Orders candidates. Every implementation inherits the suite in ``tests/rerankers``.

    The contract: an item outside the pool is never shown, none is shown twice, equal generators
    give equal slates, permuting the users permutes the slates, and a ``k`` above the smallest
    pool raises ``InvalidValue``.
    """

    @property
    def name(self) -> str:
        """Short name for tables and records."""
        ...

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """Choose and order ``k`` of each user's candidates.

        Raises:
            InvalidValue: ``k`` is below 1 or above the size of a pool.
        """
        ...


def require_k(pools: CandidatePools, k: int) -> None:
    """Refuse a slate length that a pool cannot fill."""
    require_length(pools.valid, k)


def require_length(valid: BoolArray, k: int) -> None:
    """Refuse a slate length that a user's candidates cannot fill.

    Args:
        valid: Which columns hold a candidate, shape ``(U, N)``.
        k: Slate length.

    Raises:
        InvalidValue: ``k`` is below 1 or above the number of a user's candidates.
    """
    require_sizes(valid.sum(axis=1), valid.shape[1], k)


def require_sizes(n_valid: IntArray, widest: int, k: int) -> None:
    """Refuse a slate length that a user's candidates cannot fill, where they are counted already.

    Args:
        n_valid: Candidates of each user, shape ``(U,)``.
        widest: Columns of the pools, the limit where there are no users.
        k: Slate length.

    Raises:
        InvalidValue: ``k`` is below 1 or above the number of a user's candidates.
    """
    smallest = int(n_valid.min(initial=widest))
    if not 1 <= k <= smallest:
        raise InvalidValue(
            f"k={k}, but the smallest pool holds {smallest} candidates",
            field="k",
            mend=f"Use a k between 1 and {smallest}, or make larger pools.",
        )
