"""Lotteries over few rankings: drawn with exact propensities, exposure known without sampling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ...metrics.exposure import position_discount
from ...metrics.lists import sum_by
from ..base import Reranker, Slates
from ..randomness import draw_seed, keyed_uniforms

BLOCK = 1024
"""Users whose lotteries are held in memory at the same time when slates are drawn."""

TOLERANCE = 1e-9
"""How far the weights of a lottery may sum from 1."""


@dataclass(frozen=True, slots=True)
class RankingMixture:
    """For each of ``U`` users ``M`` rankings, of which one is shown.

    Attributes:
        columns: Pool columns of each ranking, top position first, shape ``(U, M, k)``. Users with
            fewer rankings repeat one with weight 0.
        weights: Probability of each ranking, shape ``(U, M)``, rows sum to 1.
    """

    columns: IntArray
    weights: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no lottery."""
        if self.columns.ndim != 3 or self.columns.shape[:2] != self.weights.shape:
            raise InvalidValue(
                f"columns {self.columns.shape} and weights {self.weights.shape} must be "
                "(U, M, k) and (U, M)",
                field="mixture",
            )
        off = np.abs(self.weights.sum(axis=1) - 1.0).max(initial=0.0)
        if not off <= TOLERANCE or (self.weights < 0).any():
            raise InvalidValue(
                f"weights are negative or sum to 1 only within {off:g}",
                field="mixture.weights",
                mend="Give each user's rankings probabilities.",
            )

    @classmethod
    def certain(cls, columns: IntArray) -> Self:
        """One ranking per user, shape ``(U, k)``, shown for sure."""
        return cls(columns[:, None, :], np.ones((len(columns), 1)))

    def __len__(self) -> int:
        return len(self.weights)

    def draw(self, seed: int, users: IntArray) -> tuple[IntArray, FloatArray]:
        """Draw one ranking for each user.

        Args:
            seed: Source of the users' luck (see `keyed_uniforms`).
            users: User indices, shape ``(U,)``.

        Returns:
            Columns shown, shape ``(U, k)``, and the exact probability of showing them, shape
            ``(U,)``: the summed weight of all rankings with these very columns. O(U · M · k).
        """
        luck = keyed_uniforms(seed, users, np.zeros((len(users), 1), np.intp))
        cumulative = np.cumsum(self.weights, axis=1)
        member = (cumulative <= luck * cumulative[:, -1:]).sum(axis=1)
        # Rounding may take the luck up to the whole sum: then it is the last one with a weight.
        last = self.weights.shape[1] - 1 - (self.weights[:, ::-1] > 0).argmax(axis=1)
        shown = self.columns[np.arange(len(self)), np.minimum(member, last)]
        alike = (self.columns == shown[:, None, :]).all(axis=2)
        propensities = np.where(alike, self.weights, 0.0).sum(axis=1)
        return shown.astype(np.intp), np.minimum(propensities, 1.0)

    def exposure(self, n_columns: int, discount: FloatArray | None = None) -> FloatArray:
        """Expected exposure of every pool column, shape ``(U, n_columns)``.

        Args:
            n_columns: Columns ``N`` of the pools.
            discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.
        """
        n_users, _, k = self.columns.shape
        seen = position_discount(k) if discount is None else discount
        if seen.shape != (k,):
            raise InvalidValue(f"{seen.shape} discounts for {k} positions", field="discount")
        cells = self.columns + n_columns * np.arange(n_users)[:, None, None]
        weights = self.weights[:, :, None] * seen
        return sum_by(cells.ravel(), weights.ravel(), n_users * n_columns).reshape(
            n_users, n_columns
        )


@runtime_checkable
class StochasticReranker(Reranker, Protocol):
    """A re-ranker whose lottery over rankings can be asked for, not only drawn from."""

    def mixture(self, pools: CandidatePools, k: int) -> RankingMixture:
        """Each user's rankings with their probabilities.

        `Reranker.rerank` draws from just these, so `RankingMixture.exposure` is its expected
        exposure, exactly.

        Raises:
            InvalidValue: ``k`` is below 1 or above the size of a pool.
        """
        ...


def draw_slates(
    mixture: Callable[[CandidatePools], RankingMixture],
    pools: CandidatePools,
    k: int,
    rng: np.random.Generator,
) -> Slates:
    """Slates drawn from lotteries that are made for a block of users at a time.

    For re-rankers that treat each user alone: memory grows with the block, not with the batch.

    Args:
        mixture: Makes the lotteries of some users.
        pools: All users' pools.
        k: Slate length.
        rng: Source of the draw's seed.
    """
    seed = draw_seed(rng)
    columns, propensities = np.empty((len(pools), k), np.intp), np.empty(len(pools))
    for rows in blocks(len(pools)):
        part = pools.take(rows)
        columns[rows], propensities[rows] = mixture(part).draw(seed, part.users)
    return Slates.from_columns(pools, columns, propensities)


def with_rows(mixture: RankingMixture, rows: IntArray, part: RankingMixture) -> RankingMixture:
    """The same lotteries, but those of ``rows`` replaced by the ones in ``part``."""
    width = max(mixture.weights.shape[1], part.weights.shape[1])
    whole, part = padded_to(mixture, width), padded_to(part, width)
    columns, weights = whole.columns.copy(), whole.weights.copy()
    columns[rows], weights[rows] = part.columns, part.weights
    return RankingMixture(columns, weights)


def join(parts: list[RankingMixture], k: int) -> RankingMixture:
    """Lotteries of consecutive blocks of users as one, padded to the longest; none is fine."""
    width = max((part.weights.shape[1] for part in parts), default=1)
    if not parts:
        return RankingMixture.certain(np.zeros((0, k), np.intp))
    padded = [padded_to(part, width) for part in parts]
    return RankingMixture(
        np.concatenate([part.columns for part in padded]),
        np.concatenate([part.weights for part in padded]),
    )


def padded_to(mixture: RankingMixture, width: int) -> RankingMixture:
    """The same lotteries with their first ranking repeated, at weight 0, up to ``width``."""
    missing = width - mixture.weights.shape[1]
    extra = np.repeat(mixture.columns[:, :1], missing, axis=1)
    return RankingMixture(
        np.concatenate([mixture.columns, extra], axis=1),
        np.concatenate([mixture.weights, np.zeros((len(mixture), missing))], axis=1),
    )


def blocks(n_users: int) -> list[IntArray]:
    """Row indices of consecutive blocks of at most `BLOCK` users."""
    return [np.arange(start, min(start + BLOCK, n_users)) for start in range(0, n_users, BLOCK)]
