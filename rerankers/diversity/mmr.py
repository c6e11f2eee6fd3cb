"""Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998)."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.catalogue import Catalogue
from ...candidates.pools import CandidatePools
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..constraints import Constraints
from ..knowledge import Knowledge
from ..patterns import TopicPatterns
from ..relevance import scaled_relevance
from ..weigh import BLOCK


class MMRConfig(RerankerSettings):
    """How much relevance counts against redundancy.

    Attributes:
        trade_off: λ of the paper: 1 keeps the base order, 0 looks at similarity alone.
        floor_bonus: Added to the relevance (which lies in [0, 1]) of the candidates in the group
            of each exposure floor: the usual static way to lift a group's exposure. The paper
            has none.
    """

    algorithm: Literal["mmr"] = "mmr"
    trade_off: Annotated[float, Field(ge=0.0, le=1.0)] = 0.7
    floor_bonus: Annotated[float, Field(ge=0.0)] = 0.0

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return MMRReranker(self, knowledge.catalogue, knowledge.constraints)

    def _scaled(self, strength: float) -> Self:
        return self.changed(trade_off=1.0 - strength, floor_bonus=strength * self.floor_bonus)


class MMRReranker:
    """Greedy choice of ``λ · relevance − (1 − λ) · max similarity to the chosen``.

    Relevance is the base score scaled to [0, 1] within the pool, similarity is Jaccard's on topics.
    O(U · N · k).
    """

    name = "mmr"

    def __init__(self, config: MMRConfig, catalogue: Catalogue, constraints: Constraints) -> None:
        self._config = config
        self._patterns = TopicPatterns.of(catalogue)
        masks = [limit.members(catalogue) for limit in constraints.exposure]
        members = np.sum(masks, axis=0) if masks else np.zeros(catalogue.n_items)
        self._bonus = (config.floor_bonus * members).astype(np.float32)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        columns = np.empty((len(pools), k), np.intp)
        for start in range(0, len(pools), BLOCK):
            rows = slice(start, start + BLOCK)
            items, valid = pools.items[rows], pools.valid[rows]
            safe = np.where(valid, items, 0)
            relevance = scaled_relevance(pools.scores[rows], valid) + self._bonus[safe]
            codes = self._patterns.codes[safe]
            columns[rows] = marginal_relevance(
                relevance, valid, codes, self._patterns.distance, self._config.trade_off, k
            )
        return Slates.from_columns(pools, columns)


def marginal_relevance(
    relevance: FloatArray,
    valid: BoolArray,
    codes: IntArray,
    distance: FloatArray,
    trade_off: float,
    k: int,
) -> IntArray:
    """The greedy loop of the paper, for a block of users.

    Args:
        relevance: Shape ``(U, N)``.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        codes: Topic pattern of each column, shape ``(U, N)``.
        distance: Distance between patterns, shape ``(P, P)``; similarity is 1 − distance.
        trade_off: λ.
        k: Slate length.

    Returns:
        Columns, shape ``(U, k)``; the first is the most relevant one.
    """
    n_users = len(relevance)
    users = np.arange(n_users)
    flat, n_patterns = distance.ravel(), len(distance)
    worth = np.where(valid, np.float32(trade_off) * relevance, np.float32(-np.inf))
    # The largest similarity is one minus the smallest distance.
    nearest = np.ones(relevance.shape, np.float32)
    step, index = np.empty_like(nearest), np.empty(relevance.shape, np.intp)
    gain = np.where(valid, relevance, np.float32(-np.inf))
    columns = np.empty((n_users, k), np.intp)
    for j in range(k):
        best = gain.argmax(axis=1)
        columns[:, j] = best
        worth[users, best] = -np.inf
        np.add(codes, (codes[users, best] * n_patterns)[:, None], out=index)
        flat.take(index, out=step, mode="clip")
        np.minimum(nearest, step, out=nearest)
        np.multiply(nearest, np.float32(1.0 - trade_off), out=gain)
        gain += worth
    return columns
