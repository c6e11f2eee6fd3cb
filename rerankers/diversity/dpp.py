"""Greedy MAP inference of a determinantal point process (Chen, Zhang & Zhou, NeurIPS 2018)."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import user_blocks
from ..patterns import TopicPatterns
from ..relevance import RelevanceScale, relevance
from ..topk import TopKReranker
from .determinant import RowOf, greedy_block


class DPPConfig(RerankerSettings):
    """Relevance against diversity, and what makes two items alike.

    Attributes:
        theta: θ of the paper: the slate sought has the largest ``θ Σ r + (1 − θ) log det S``, which
            is a determinantal point process of kernel ``exp(α r_i) S_ij exp(α r_j)`` with
            ``α = θ / (2 (1 − θ))``. 1 keeps the base order, 0 looks at S alone.
        similarity: S: ``"topics"``, Jaccard's index of topic sets (positive definite: Bouchard,
            Jousselme & Doré 2013), or ``"embeddings"``, ``(1 + cosine) / 2`` as in the paper.
        shrinkage: S is drawn this far towards the identity. At 0, as in the paper, two items with
            the same topics are one and the same, and at any θ < 1 the second is shown after all
            others; above 0 it may be worth its place.
        relevance: Scale of the base scores.
    """

    algorithm: Literal["dpp"] = "dpp"
    theta: Annotated[float, Field(ge=0.0, le=1.0)] = 0.7
    similarity: Literal["topics", "embeddings"] = "topics"
    shrinkage: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.01
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        if self.similarity == "topics":
            return DPPReranker(self, TopicSimilarity(TopicPatterns.of(knowledge.catalogue)))
        return DPPReranker(self, EmbeddingSimilarity(_unit_vectors(knowledge.item_embeddings)))

    def _scaled(self, strength: float) -> Self:
        return self.changed(theta=1.0 - strength)


class DPPReranker:
    """Adds one candidate after another, each the one that raises the determinant most.

    By incremental Cholesky factors, from the kernel rows of the chosen items alone: no kernel of a
    pool is ever made. Where the kernel's rank is used up (more positions than linearly independent
    items), the most relevant of the remaining candidates follow. O(U · N · k²), and
    O(U · N · k · D) more with embeddings of length D.
    """

    name = "dpp"

    def __init__(
        self, config: DPPConfig, similarity: "TopicSimilarity | EmbeddingSimilarity"
    ) -> None:
        self._config, self._similarity = config, similarity

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        theta = self._config.theta
        if theta == 1.0:
            return TopKReranker().rerank(pools, k, rng)
        require_k(pools, k)
        worth, valid = relevance(pools, self._config.relevance), pools.valid
        per_user = pools.items.shape[1] * max(k, self._similarity.numbers_per_item)
        columns = np.empty((len(pools), k), np.intp)
        for rows in user_blocks(len(pools), per_user):
            items = np.where(valid[rows], pools.items[rows], 0)
            columns[rows] = greedy_block(
                np.ones(items.shape),
                _shrunk(self._similarity.rows_of(items), 1.0 - self._config.shrinkage),
                valid[rows],
                k,
                theta * worth[rows],
                1.0 - theta,
            )
        return Slates.from_columns(pools, columns)


@dataclass(frozen=True, slots=True)
class TopicSimilarity:
    """Jaccard's index of the items' topic sets."""

    patterns: TopicPatterns
    numbers_per_item: int = 1

    def rows_of(self, items: IntArray) -> RowOf:
        """From one column per user to its similarity to all of the user's items."""
        users, codes = np.arange(len(items)), self.patterns.codes[items]
        distance, n_patterns = self.patterns.distance.ravel(), len(self.patterns.distance)

        def row_of(columns: IntArray) -> FloatArray:
            cells = codes + (codes[users, columns] * n_patterns)[:, None]
            return 1.0 - distance.take(cells).astype(np.float64)

        return row_of


@dataclass(frozen=True, slots=True)
class EmbeddingSimilarity:
    """``(1 + cosine) / 2`` of the items' embeddings, given as vectors of length 1, ``(I, D)``."""

    units: FloatArray

    @property
    def numbers_per_item(self) -> int:
        """Floats that a block of users holds for each of their items."""
        return self.units.shape[1]

    def rows_of(self, items: IntArray) -> RowOf:
        """From one column per user to its similarity to all of the user's items."""
        users, vectors = np.arange(len(items)), self.units[items]

        def row_of(columns: IntArray) -> FloatArray:
            cosine = vectors @ vectors[users, columns][:, :, None]
            return (1.0 + cosine[:, :, 0]) / 2.0

        return row_of


def _shrunk(row_of: RowOf, kept: float) -> RowOf:
    """Similarities drawn towards 0; those to itself are never read, for an item is chosen once."""
    return lambda columns: kept * row_of(columns)


def _unit_vectors(embeddings: FloatArray | None) -> FloatArray:
    """Vectors of length 1, shape ``(I, D)``; 0 stays 0 and so has cosine 0 with all."""
    if embeddings is None:
        raise InvalidValue(
            "the items' embeddings are not known",
            field="similarity",
            mend="Use the similarity 'topics', or a base model that has item embeddings.",
        )
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.where(length > 0, length, 1.0)
