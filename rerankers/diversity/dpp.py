"""Greedy MAP inference of a determinantal point process (Chen, Zhang & Zhou, NeurIPS 2018)."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import user_blocks
from ..patterns import TopicPatterns
from ..relevance import RelevanceScale, relevance
from ..topk import TopKReranker

TOLERANCE = 1e-10
"""A candidate whose residual variance is this small a part of its own adds nothing: it is spent."""


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
        return DPPReranker(self, knowledge)

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

    def __init__(self, config: DPPConfig, knowledge: Knowledge) -> None:
        self._config = config
        self._patterns = self._units = None
        if config.similarity == "topics":
            self._patterns = TopicPatterns.of(knowledge.catalogue)
        else:
            self._units = _unit_vectors(knowledge.item_embeddings)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        theta = self._config.theta
        if theta == 1.0:
            return TopKReranker().rerank(pools, k, rng)
        require_k(pools, k)
        worth, valid = relevance(pools, self._config.relevance), pools.valid
        n_columns = pools.items.shape[1]
        width = k if self._units is None else max(k, self._units.shape[1])
        columns = np.empty((len(pools), k), np.intp)
        for rows in user_blocks(len(pools), n_columns * width):
            safe = np.where(valid[rows], pools.items[rows], 0)
            columns[rows] = _greedy(
                np.ones(safe.shape),
                self._rows_of(safe),
                valid[rows],
                k,
                theta * worth[rows],
                1.0 - theta,
                TOLERANCE,
            )
        return Slates.from_columns(pools, columns)

    def _rows_of(self, items: IntArray) -> Callable[[IntArray], FloatArray]:
        """Gives the similarities of one item per user to all of the user's, ``(U, N)``."""
        users, kept = np.arange(len(items)), 1.0 - self._config.shrinkage
        if self._patterns is not None:
            codes, distance = self._patterns.codes[items], self._patterns.distance
            flat, n_patterns = distance.ravel(), len(distance)

            def by_topics(columns: IntArray) -> FloatArray:
                cells = codes + (codes[users, columns] * n_patterns)[:, None]
                return kept * (1.0 - flat.take(cells).astype(np.float64))

            return by_topics
        assert self._units is not None
        vectors = self._units[items]

        def by_embeddings(columns: IntArray) -> FloatArray:
            cosine = (vectors @ vectors[users, columns][:, :, None])[:, :, 0]
            return kept * (1.0 + cosine) / 2.0

        return by_embeddings


def greedy_map(
    kernels: FloatArray, valid: BoolArray, k: int, tolerance: float = TOLERANCE
) -> IntArray:
    """Greedy search for the ``k`` candidates whose kernel has the largest determinant.

    Args:
        kernels: Positive semi-definite, shape ``(U, N, N)``; the diagonal and the rows of the
            chosen candidates are read, nothing else.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        k: How many to choose.
        tolerance: A candidate whose residual variance falls to this part of its diagonal is spent:
            it is linearly dependent on the chosen, and comes after all that are not, by its
            diagonal.

    Returns:
        Columns, shape ``(U, k)``; equal gains resolve to the lowest column. O(U · N · k²).

    Raises:
        InvalidValue: The shapes do not fit, ``k`` is below 1 or above the number of a user's
            candidates, or what is read of the kernels is not finite or has a negative diagonal.
    """
    n_users, n_columns = valid.shape
    if kernels.shape != (n_users, n_columns, n_columns):
        raise InvalidValue(
            f"kernels {kernels.shape} for candidates {valid.shape}",
            field="kernels",
            mend="Give one (N, N) kernel per user.",
        )
    smallest = int(valid.sum(axis=1).min(initial=n_columns))
    if not 1 <= k <= smallest:
        raise InvalidValue(
            f"k={k}, but the smallest pool holds {smallest} candidates",
            field="k",
            mend=f"Use a k between 1 and {smallest}, or make larger pools.",
        )
    diagonal = np.where(valid, kernels.diagonal(axis1=1, axis2=2), 0.0)
    if not ((diagonal >= 0.0) & (diagonal < np.inf)).all():
        raise InvalidValue(
            "a diagonal holds a negative number, NaN or infinity",
            field="kernels",
            mend="Give positive semi-definite kernels.",
        )
    columns = np.empty((n_users, k), np.intp)
    for rows in user_blocks(n_users, n_columns * k):
        columns[rows] = _greedy(
            diagonal[rows],
            _given_rows(kernels[rows], valid[rows]),
            valid[rows],
            k,
            np.zeros(diagonal[rows].shape),
            1.0,
            tolerance,
        )
    return columns


def _greedy(
    diagonal: FloatArray,
    row_of: Callable[[IntArray], FloatArray],
    valid: BoolArray,
    k: int,
    worth: FloatArray,
    weight: float,
    tolerance: float,
) -> IntArray:
    """Algorithm 1 of the paper for a block of users, with gains ``worth + weight · log d²``.

    Relevance only scales rows and columns of the kernel, so it enters as a sum of logarithms, and
    no exponential of it can overflow: ``diagonal`` and ``row_of`` are of S alone.

    Args:
        diagonal: Shape ``(U, N)``.
        row_of: From columns ``(U,)`` to kernel rows ``(U, N)``.
        valid: Shape ``(U, N)``.
        k: How many to choose.
        worth: Shape ``(U, N)``.
        weight: Of the determinant.
        tolerance: See `greedy_map`.

    Returns:
        Columns, shape ``(U, k)``.
    """
    n_users, n_columns = valid.shape
    users = np.arange(n_users)
    residual = np.where(valid, diagonal, 0.0)
    spent_at = tolerance * residual
    left = valid.copy()
    factors = np.empty((n_users, k, n_columns))
    columns = np.empty((n_users, k), np.intp)
    for j in range(k):
        alive = left & (residual > spent_at)
        gain = worth + weight * np.log(np.where(alive, residual, 1.0))
        best = np.where(alive, gain, -np.inf).argmax(axis=1)
        adds = alive[users, best]
        if not adds.all():
            by_relevance = np.where(left, worth + diagonal, -np.inf).argmax(axis=1)
            best = np.where(adds, best, by_relevance)
        columns[:, j] = best
        left[users, best] = False
        if j + 1 == k:
            break
        seen = factors[:, :j]
        own = np.take_along_axis(seen, best[:, None, None], axis=2)
        factor = row_of(best) - (own.transpose(0, 2, 1) @ seen)[:, 0]
        pivot = np.sqrt(np.where(adds, residual[users, best], 1.0))
        # A spent item has no direction of its own to take away from the others.
        factor *= (adds / pivot)[:, None]
        factors[:, j] = factor
        residual -= factor * factor
    return columns


def _given_rows(kernels: FloatArray, valid: BoolArray) -> Callable[[IntArray], FloatArray]:
    """Rows of kernels that stand in memory, shape ``(U, N, N)``."""
    users = np.arange(len(kernels))

    def rows(columns: IntArray) -> FloatArray:
        row = np.where(valid, kernels[users, columns], 0.0)
        if not np.isfinite(row).all():
            raise InvalidValue("a kernel holds NaN or infinity", field="kernels")
        return row

    return rows


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
