"""ε-greedy exploration around any re-ranker, with exact propensities."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...candidates.pools import CandidatePools
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..randomness import draw_seed, keyed_uniforms
from ..relevance import standardised
from ..stochastic.plackett_luce import log_propensity
from ..topk import TopKConfig
from .exploration import law_of

if TYPE_CHECKING:
    from ..factory import RerankerConfig


class EpsilonGreedyConfig(RerankerSettings):
    """How often, and how, to explore.

    The type of ``inner`` is made known where the union of all configurations is: import
    ``rerankers.factory`` before using this one.

    Attributes:
        inner: Any re-ranker; a sweep of ``strength`` scales it as well, so that 0 is the base
            order.
        epsilon: Share of the slates that are explored.
        temperature: Explored slates are drawn by Plackett-Luce from base scores standardised in
            the pool and divided by this; None makes every order alike probable.
        keep: The first positions always stay as ``inner`` proposes them.
    """

    algorithm: Literal["epsilon-greedy"] = "epsilon-greedy"
    inner: "RerankerConfig" = TopKConfig()
    epsilon: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1
    temperature: Annotated[float, Field(gt=0.0)] | None = None
    keep: Annotated[int, Field(ge=0)] = 0

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return EpsilonGreedyReranker(self, self.inner.make(knowledge))

    def _scaled(self, strength: float) -> Self:
        inner = self.inner.at_strength(strength)
        return self.changed(epsilon=strength * self.epsilon, inner=inner.model_dump())


class EpsilonGreedyReranker:
    """Shows the inner re-ranker's slate, or with probability ε one drawn at random.

    The draw may give the inner slate as well, and exploring is not told from exploiting
    afterwards: the propensity of a slate S is that of showing S by either way,

        (1 − ε) · P(inner proposes S) + ε · P(inner proposes S's kept beginning) · P(rest is drawn).

    The first probability is 0 or 1 for a re-ranker without chance. One that draws its slates must
    be able to tell how probable a slate is that it did *not* draw: Plackett-Luce can, and so can
    lotteries over rankings (`StochasticReranker`); others, such as another exploring wrapper, are
    refused. Where ``inner`` has a state, propensities are given that state, and it has counted
    what it proposed, not what was shown. O(U · N log N) and the inner's cost.
    """

    name = "epsilon-greedy"

    def __init__(self, config: EpsilonGreedyConfig, inner: Reranker) -> None:
        self.inner = inner
        self._config = config

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`.

        Raises:
            InvalidValue: ``k`` is out of range, or the inner re-ranker's law is not known.
        """
        require_k(pools, k)
        proposed = self.inner.rerank(pools, k, rng)
        epsilon, keep = self._config.epsilon, self._config.keep
        if epsilon == 0.0 or keep >= k:
            return proposed
        law = law_of(self.inner, pools, proposed)
        kept = proposed.columns[:, :keep]
        logits = np.where(pools.valid, 0.0, -np.inf)
        if self._config.temperature is not None:
            logits += standardised(pools.scores, pools.valid) / self._config.temperature
        np.put_along_axis(logits, kept, -np.inf, axis=1)
        # Gumbel top-k; what may not be drawn stays at the end.
        noise = -np.log(-np.log(keyed_uniforms(draw_seed(rng), pools.users, pools.items)))
        drawn = np.argsort(-(logits + noise), axis=1, kind="stable")[:, : k - keep]
        coin = keyed_uniforms(draw_seed(rng), pools.users, np.zeros((len(pools), 1), np.intp))
        explored = np.concatenate([kept, drawn], axis=1)
        columns = np.where(coin < epsilon, explored, proposed.columns)
        by_chance = law(columns[:, :keep]) * np.exp(log_propensity(logits, columns[:, keep:]))
        propensities = (1.0 - epsilon) * law(columns) + epsilon * by_chance
        # A long slate from a wide pool can be rarer than the smallest float; it is not impossible.
        propensities = np.clip(propensities, np.finfo(np.float64).tiny, 1.0)
        return Slates.from_columns(pools, columns, propensities)
