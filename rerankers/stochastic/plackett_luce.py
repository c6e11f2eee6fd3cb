"""Plackett-Luce sampling: slates drawn with a probability that is known exactly."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..randomness import draw_seed, keyed_uniforms
from ..relevance import standardised
from ..topk import TopKReranker


class PlackettLuceConfig(RerankerSettings):
    """How far from the base order the draws may stray.

    Attributes:
        temperature: Divides the base scores, which are standardised within the pool: 0 is the
            base order without chance, towards infinity every order is alike.
    """

    algorithm: Literal["plackett-luce"] = "plackett-luce"
    temperature: Annotated[float, Field(ge=0.0)] = 0.5

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return PlackettLuceReranker(self)

    def _scaled(self, strength: float) -> Self:
        return self.changed(temperature=strength * self.temperature)


class PlackettLuceReranker:
    """Draws candidates one after another, each by a softmax over those that are left.

    Sampled by Gumbel top-k (Kool, van Hoof & Welling, ICML 2019), which has the same law. A user
    who occurs twice in a batch gets the same slate twice. O(U · N log N).
    """

    name = "plackett-luce"

    def __init__(self, config: PlackettLuceConfig) -> None:
        self._config = config

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        if self._config.temperature == 0.0:
            return TopKReranker().rerank(pools, k, rng)
        require_k(pools, k)
        logits = standardised(pools.scores, pools.valid) / self._config.temperature
        uniforms = keyed_uniforms(draw_seed(rng), pools.users, pools.items)
        gumbel = -np.log(-np.log(uniforms))
        keys = np.where(pools.valid, -(logits + gumbel), np.inf)
        columns = np.argsort(keys, axis=1, kind="stable")[:, :k]
        log_p = log_propensity(np.where(pools.valid, logits, -np.inf), columns)
        # A long slate from a wide pool can be rarer than the smallest float; it is not impossible.
        propensities = np.clip(np.exp(log_p), np.finfo(np.float64).tiny, 1.0)
        return Slates.from_columns(pools, columns, propensities)

    def probability(self, pools: CandidatePools, columns: IntArray) -> FloatArray:
        """Probability that a slate begins with these columns, drawn or not.

        Args:
            pools: The pools.
            columns: Shape ``(U, m)``, no column twice; m may be 0.

        Returns:
            Shape ``(U,)``.
        """
        if self._config.temperature == 0.0:
            cost = np.where(pools.valid, -pools.scores, np.inf)
            best = np.argsort(cost, axis=1, kind="stable")[:, : columns.shape[1]]
            return (best == columns).all(axis=1).astype(np.float64)
        logits = standardised(pools.scores, pools.valid) / self._config.temperature
        return np.exp(log_propensity(np.where(pools.valid, logits, -np.inf), columns))


def log_propensity(logits: FloatArray, columns: IntArray) -> FloatArray:
    """Log-probability that Plackett-Luce draws these very columns in this order.

    Σ_j [logit of the j-th − log Σ exp(logits of those not drawn before it)] (Plackett 1975).

    Args:
        logits: Shape ``(U, N)``; −inf where a column holds no candidate.
        columns: Shape ``(U, k)``, no column twice.

    Returns:
        Shape ``(U,)``, at most 0.

    Raises:
        InvalidValue: A column occurs twice in a slate.
    """
    ordered = np.sort(columns, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise InvalidValue("a slate holds a column twice", field="columns")
    drawn = np.take_along_axis(logits, columns, axis=1).astype(np.float64)
    rest = logits.astype(np.float64)
    np.put_along_axis(rest, columns, -np.inf, axis=1)
    # What is left before draw j: the columns never drawn, plus those drawn at j or later. Summed
    # from the end, so that nothing is ever subtracted and no precision is lost.
    tail = np.logaddexp.accumulate(
        np.concatenate([_log_sum_exp(rest)[:, None], drawn[:, ::-1]], axis=1), axis=1
    )[:, :0:-1]
    return (drawn - tail).sum(axis=1)


def _log_sum_exp(values: FloatArray) -> FloatArray:
    """Row-wise log Σ exp, −inf for a row of −inf."""
    top = values.max(axis=1, initial=-np.inf)
    safe = np.where(np.isfinite(top), top, 0.0)
    total = np.exp(values - safe[:, None]).sum(axis=1)
    return np.where(total > 0, np.log(np.where(total > 0, total, 1.0)) + safe, -np.inf)
