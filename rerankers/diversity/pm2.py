"""Diversity by proportionality: PM-2 (Dang & Croft, SIGIR 2012)."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import user_blocks
from ..relevance import RelevanceScale, relevance
from .aspects import TOPICS, Aspects, masked, shares, shares_by_aspect, weighted_sum


class PM2Config(RerankerSettings):
    """Aspects that win seats by their votes, and how much that counts.

    Attributes:
        strength: The paper has no end at which relevance alone decides, so its score is mixed in:
            ``(1 − strength) P(i|u) + strength · PM-2``. 0 keeps the base order, 1 is the paper.
        focus: λ of the paper: how much the aspect next in turn counts against all others.
        aspects: ``"topics"``, with the user's history as votes, or an item attribute, with
            ``targets`` as its groups' votes.
        targets: Wanted share of each group; each group's share of the items where None.
        relevance: Scale of the base scores.
    """

    algorithm: Literal["pm-2"] = "pm-2"
    strength: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    focus: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    aspects: str = TOPICS
    targets: dict[str, float] | None = None
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return PM2Reranker(self, Aspects.of(knowledge, self.aspects, self.targets))

    def _scaled(self, strength: float) -> Self:
        return self.changed(strength=strength)


class PM2Reranker:
    """Gives each position to the aspect next in turn by Sainte-Laguë, and to who covers it best.

    P(item | aspect) is the item's share of the relevance of all candidates with the aspect. A user
    without a history keeps the base order. O(U · N · A · k) with A aspects, in blocks of users.
    """

    name = "pm-2"

    def __init__(self, config: PM2Config, aspects: Aspects) -> None:
        self._config, self._aspects = config, aspects

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        config, valid = self._config, pools.valid
        votes, base = self._aspects.wanted(pools), relevance(pools, config.relevance)
        columns = np.empty((len(pools), k), np.intp)
        for rows in user_blocks(len(pools), pools.items.shape[1] * self._aspects.n_aspects):
            coverage = shares_by_aspect(base[rows], self._aspects.member(pools, rows))
            columns[rows] = proportional_slates(
                shares(base[rows]),
                coverage,
                votes[rows],
                valid[rows],
                config.strength,
                config.focus,
                k,
            )
        return Slates.from_columns(pools, columns)


def proportional_slates(
    base: FloatArray,
    coverage: FloatArray,
    votes: FloatArray,
    valid: BoolArray,
    strength: float,
    focus: float,
    k: int,
) -> IntArray:
    """The greedy loop of the paper, for a block of users.

    An aspect's quotient is ``votes / (2 · seats + 1)``. The item shown takes one seat, divided over
    its aspects in proportion to how well it covers them. The quotients are weighed by ``focus`` and
    scaled to sum to 1, which changes no choice of PM-2 but makes its score an average of
    P(item | aspect), and so of one scale with ``base``.

    Args:
        base: P(item | user), shape ``(U, N)``.
        coverage: P(item | aspect), shape ``(U, N, A)``.
        votes: P(aspect | user), shape ``(U, A)``.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        strength: Weight of PM-2 against ``base``.
        focus: Weight of the aspect next in turn against all others.
        k: Slate length.

    Returns:
        Columns, shape ``(U, k)``; equal values resolve to the lowest column.
    """
    users = np.arange(len(base))
    worth = masked((1.0 - strength) * base, valid)
    seats = np.zeros_like(votes)
    columns = np.empty((len(base), k), np.intp)
    for j in range(k):
        quotient = votes / (2.0 * seats + 1.0)
        turn = quotient.argmax(axis=1)
        weight = (1.0 - focus) * quotient
        weight[users, turn] = focus * quotient[users, turn]
        gain = worth + strength * weighted_sum(coverage, _sum_to_one(weight))
        best = gain.argmax(axis=1)
        columns[:, j] = best
        worth[users, best] = -np.inf
        seats += _sum_to_one(coverage[users, best])
    return columns


def _sum_to_one(values: FloatArray) -> FloatArray:
    """Rows divided by their sums; rows of 0 stay."""
    total = values.sum(axis=1, keepdims=True)
    return values / np.where(total > 0, total, 1.0)
