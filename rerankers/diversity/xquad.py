"""Explicit query aspect diversification (Santos, Macdonald & Ounis, WWW 2010)."""

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

Coverage = Literal["relevance", "shares", "binary", "smooth"]
"""How well an item covers an aspect that it has; see `XQuADConfig`."""


class XQuADConfig(RerankerSettings):
    """Aspects, and how much their coverage counts.

    Attributes:
        strength: λ of the paper: 0 keeps the base order, 1 looks at coverage alone.
        aspects: ``"topics"``, each wanted as in the user's history, or an item attribute, each of
            its groups wanted as ``targets`` say.
        targets: Wanted share of each group; each group's share of the items where None.
        coverage: P(item | aspect) of an item that has the aspect.

            - ``"relevance"``: (2^r − 1)/2 with r the item's relevance divided by the largest of
              the aspect (Vargas, Castells & Vallet, SIGIR 2012).
            - ``"shares"``: its share of the aspect's relevance, against its share of the pool's
              (Vargas, Castells & Vallet, SIGIR 2011). Weak in large pools: each share is small, so
              a covered aspect is hardly discounted.
            - ``"binary"``: 1, so that an aspect counts until it is covered once (Abdollahpouri,
              Burke & Mobasher, FLAIRS 2019, for groups of popularity).
            - ``"smooth"``: 1, and a covered aspect is discounted by its share of the slate so far
              (the same paper's other variant).
        relevance: Scale of the base scores.
    """

    algorithm: Literal["xquad"] = "xquad"
    strength: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    aspects: str = TOPICS
    targets: dict[str, float] | None = None
    coverage: Coverage = "relevance"
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return XQuADReranker(self, Aspects.of(knowledge, self.aspects, self.targets))

    def _scaled(self, strength: float) -> Self:
        return self.changed(strength=strength)


class XQuADReranker:
    """Greedy choice of ``(1 − λ) P(i|u) + λ Σ_a P(a|u) P(i|a) Π_{j chosen} (1 − P(j|a))``.

    A user without a history keeps the base order. O(U · N · A · k) with A aspects, in blocks of
    users.
    """

    name = "xquad"

    def __init__(self, config: XQuADConfig, aspects: Aspects) -> None:
        self._config, self._aspects = config, aspects

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        config, valid = self._config, pools.valid
        wanted, base = self._aspects.wanted(pools), relevance(pools, config.relevance)
        columns = np.empty((len(pools), k), np.intp)
        for rows in user_blocks(len(pools), pools.items.shape[1] * self._aspects.n_aspects):
            member = self._aspects.member(pools, rows)
            columns[rows] = aspect_slates(
                shares(base[rows]) if config.coverage == "shares" else base[rows],
                aspect_coverage(base[rows], member, config.coverage),
                wanted[rows],
                valid[rows],
                config.strength,
                k,
                smooth=config.coverage == "smooth",
            )
        return Slates.from_columns(pools, columns)


def aspect_coverage(relevance: FloatArray, member: FloatArray, kind: Coverage) -> FloatArray:
    """P(item | aspect) as `XQuADConfig` defines it, from ``(U, N)`` and ``(U, N, A)``."""
    if kind == "shares":
        return shares_by_aspect(relevance, member)
    if kind == "relevance":
        graded = relevance[:, :, None] * member
        largest = graded.max(axis=1, keepdims=True, initial=0.0)
        graded /= np.where(largest > 0, largest, 1.0)
        return np.expm1(np.log(2.0) * graded) / 2.0
    return member


def aspect_slates(
    base: FloatArray,
    coverage: FloatArray,
    wanted: FloatArray,
    valid: BoolArray,
    strength: float,
    k: int,
    smooth: bool = False,
) -> IntArray:
    """The greedy loop of the paper, for a block of users.

    Args:
        base: P(item | user), shape ``(U, N)``.
        coverage: P(item | aspect), in [0, 1], shape ``(U, N, A)``.
        wanted: P(aspect | user), shape ``(U, A)``.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        strength: λ.
        k: Slate length.
        smooth: Discount an aspect by its mean coverage in the slate, instead of by the probability
            that the slate does not cover it.

    Returns:
        Columns, shape ``(U, k)``; equal values resolve to the lowest column.
    """
    users = np.arange(len(base))
    worth = masked((1.0 - strength) * base, valid)
    uncovered = np.ones_like(wanted)
    columns = np.empty((len(base), k), np.intp)
    for j in range(k):
        gain = worth + strength * weighted_sum(coverage, wanted * uncovered)
        best = gain.argmax(axis=1)
        columns[:, j] = best
        worth[users, best] = -np.inf
        uncovered_by_best = 1.0 - coverage[users, best]
        if smooth:
            uncovered = (j * uncovered + uncovered_by_best) / (j + 1)
        else:
            uncovered = uncovered * uncovered_by_best
    return columns
