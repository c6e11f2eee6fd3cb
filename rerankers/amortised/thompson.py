"""Thompson-style exploration around any re-ranker, with the propensities computed."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..randomness import draw_seed, keyed_uniforms
from ..relevance import standardised
from ..topk import TopKConfig
from .exploration import require_certain
from .normal_order import order_probability

if TYPE_CHECKING:
    from ..factory import RerankerConfig

LEAST = 0.2
"""Smallest standard deviation, in units of ``scale``: no number of interactions makes it 0."""

NEGLIGIBLE = 1e-6
"""A ``scale`` below this counts as 0: floats could not resolve draws so close together."""


class ThompsonConfig(RerankerSettings):
    """How uncertain scores are taken to be.

    The type of ``inner`` is made known where the union of all configurations is: import
    ``rerankers.factory`` before using this one.

    Attributes:
        inner: Any re-ranker that draws nothing; a sweep of ``strength`` scales it as well, so that
            0 is the base order.
        scale: Standard deviation of the score of an item never seen, in standard deviations of
            the base scores of a pool; below 1e-6 it counts as 0.
        prior: Interactions that tell as much as the prior does; an item with n of them has the
            standard deviation ``scale / sqrt(1 + n / prior)``, though not below a fifth of
            ``scale``.
        keep: The first positions always stay as ``inner`` proposes them.
    """

    algorithm: Literal["thompson"] = "thompson"
    inner: "RerankerConfig" = TopKConfig()
    scale: Annotated[float, Field(ge=0.0)] = 0.3
    prior: Annotated[float, Field(gt=0.0)] = 20.0
    keep: Annotated[int, Field(ge=0)] = 0

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return ThompsonReranker(self, self.inner.make(knowledge), knowledge.catalogue.popularity)

    def _scaled(self, strength: float) -> Self:
        inner = self.inner.at_strength(strength)
        return self.changed(scale=strength * self.scale, inner=inner.model_dump())


class ThompsonReranker:
    """Draws every candidate's score from a normal posterior and shows the best draws.

    What is Thompson about it: each candidate comes first with the probability that it *is* the
    best under the posterior, whose variance is that of a normal mean after n observations (n from
    the item's popularity). What is not: the posterior is not updated here, from one slate to the
    next (that is for the base model, when it is fitted again), and items are taken as independent.

    The posterior means are the pool's standardised base scores, handed out in the order of the
    inner slate: its first item gets the highest one, and so on, and the candidates that it left
    out follow in base order. Around top-k these are the base scores themselves, and without noise
    the slate is the inner one.

    Propensities are those of the whole slate given the inner one, to about ten digits by
    quadrature (`normal_order`). An inner re-ranker that draws its slates is refused: its chance and
    this one's could not be told apart. One with a state has counted what it proposed, not what was
    shown. O(U · N · M), M a few hundred points of quadrature: about a millisecond a user.
    """

    name = "thompson"

    def __init__(self, config: ThompsonConfig, inner: Reranker, popularity: FloatArray) -> None:
        if not (np.isfinite(popularity) & (popularity >= 0)).all():
            raise InvalidValue(
                "popularity holds a negative number, NaN or infinity",
                field="catalogue.popularity",
                mend="Give the number of training interactions of each item.",
            )
        self.inner = inner
        self._config = config
        shrunk = 1.0 / np.sqrt(1.0 + popularity / config.prior)
        self._spread = config.scale * np.maximum(shrunk, LEAST)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`.

        Raises:
            InvalidValue: ``k`` is out of range, or the inner re-ranker draws its slates.
        """
        require_k(pools, k)
        proposed = self.inner.rerank(pools, k, rng)
        keep = self._config.keep
        if self._config.scale < NEGLIGIBLE or keep >= k:
            return proposed
        require_certain(self.inner, proposed, mend="Use one that draws nothing.")
        kept = proposed.columns[:, :keep]
        mean = posterior_means(pools, proposed.columns)
        np.put_along_axis(mean, kept, -np.inf, axis=1)
        spread = self._spread[np.maximum(pools.items, 0)]
        noise = ndtri(keyed_uniforms(draw_seed(rng), pools.users, pools.items))
        drawn = np.argsort(-(mean + spread * noise), axis=1, kind="stable")[:, : k - keep]
        propensities = order_probability(mean, spread, drawn)
        columns = np.concatenate([kept, drawn], axis=1)
        # A long slate from a wide pool can be rarer than the smallest float; it is not impossible.
        propensities = np.clip(propensities, np.finfo(np.float64).tiny, 1.0)
        return Slates.from_columns(pools, columns, propensities)


def posterior_means(pools: CandidatePools, slate: IntArray) -> FloatArray:
    """Standardised base scores, handed out in the order of the slate and then of the base.

    Args:
        pools: The pools.
        slate: Columns, shape ``(U, k)``.

    Returns:
        Shape ``(U, N)``; −inf where a column holds no candidate.
    """
    scores = np.where(pools.valid, standardised(pools.scores, pools.valid), -np.inf)
    # Columns by rank: those of the slate first, the others by score, padding last.
    urgency = scores.copy()
    np.put_along_axis(urgency, slate, np.inf, axis=1)
    ranked = np.argsort(-urgency, axis=1, kind="stable")
    ranked[:, : slate.shape[1]] = slate
    mean = np.empty_like(scores)
    np.put_along_axis(mean, ranked, -np.sort(-scores, axis=1), axis=1)
    return mean
