"""Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998)."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from .base import Slates, require_k
from .constraints import Constraints
from .greedy import BLOCK
from .patterns import TopicPatterns


class MMRConfig(BaseModel):
    """How much relevance counts against redundancy.

    Attributes:
        trade_off: λ of the paper: 1 keeps the base order, 0 looks at similarity alone.
        floor_bonus: Added to the relevance (which lies in [0, 1]) of the candidates in the group
            of each exposure floor: the usual static way to lift a group's exposure. The paper
            has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Literal["mmr"] = "mmr"
    trade_off: Annotated[float, Field(ge=0.0, le=1.0)] = 0.7
    floor_bonus: Annotated[float, Field(ge=0.0)] = 0.0


class MMRReranker:
    """Greedy choice of ``λ · relevance − (1 − λ) · max similarity to the chosen``.

    Relevance is the base score scaled to [0, 1] within the pool, similarity is Jaccard's on topics.
    O(U · N · k).
    """

    name = "mmr"

    def __init__(self, config: MMRConfig, catalogue: Catalogue, constraints: Constraints) -> None:
        self._config = config
        self._patterns = TopicPatterns.of(catalogue)
        masks = [catalogue.group(f.attribute).mask(f.group) for f in constraints.exposure]
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


def scaled_relevance(scores: FloatArray, valid: BoolArray) -> FloatArray:
    """Scores scaled to [0, 1] within each pool, ``(U, N)``; 0 where all of a pool are equal."""
    low = np.where(valid, scores, np.inf).min(axis=1, keepdims=True)
    high = np.where(valid, scores, -np.inf).max(axis=1, keepdims=True)
    span = np.where(high > low, high - low, 1.0)
    return (np.where(valid, scores - low, 0.0) / span).astype(np.float32)


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
