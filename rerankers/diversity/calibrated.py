"""Calibrated recommendations (Steck, RecSys 2018)."""

from dataclasses import dataclass
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
from .aspects import TOPICS, Aspects, masked
from .calibrated_exact import exact_slates
from .calibrated_milp import agreement


class CalibratedConfig(RerankerSettings):
    """How much calibration counts against relevance, and how the slate is found.

    Attributes:
        strength: λ of the paper: 0 keeps the base order, 1 looks at calibration alone.
        method: ``"greedy"``, as in the paper; or ``"exact"``: by minimum-cost flow where every
            candidate has one aspect at most, else by integer programmes, for pools of up to
            ``MAX_EXACT_CANDIDATES``, at some tenths of a second per user.
        aspects: ``"topics"``, calibrated to the user's history, or an item attribute, calibrated
            to ``targets`` over its groups.
        targets: Wanted share of each group; each group's share of the items where None.
        alpha: Smoothing of the slate's distribution, as in `fairloop.metrics.calibration`.
        relevance: Scale of the base scores.
    """

    algorithm: Literal["calibrated"] = "calibrated"
    strength: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    method: Literal["greedy", "exact"] = "greedy"
    aspects: str = TOPICS
    targets: dict[str, float] | None = None
    alpha: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.01
    relevance: RelevanceScale = "scaled"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return CalibratedReranker(self, Aspects.of(knowledge, self.aspects, self.targets))

    def _scaled(self, strength: float) -> Self:
        return self.changed(strength=strength)


class CalibratedReranker:
    """Looks for the slate with the largest ``(1 − λ) Σ relevance − λ KL(p ‖ q)``.

    p is the user's distribution over topics, q the slate's, smoothed, and both as in
    `fairloop.metrics.calibration`: an item of several topics spreads its weight evenly over them,
    an item without any does not count. A slate without any topic has the largest divergence,
    −ln α. A user without a history keeps the base order.

    Greedy: O(U · k · (N · z + A · Z)) for A topics, items of at most z topics, and Z different
    numbers of topics. Exact: see `best_subset`; its slates stand in base order.
    """

    name = "calibrated"

    def __init__(self, config: CalibratedConfig, aspects: Aspects) -> None:
        self._config, self._aspects = config, aspects
        self._table = AspectTable.of(aspects)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`.

        Raises:
            InvalidValue: Also where the exact method is asked for and the pools are too large.
        """
        require_k(pools, k)
        config = self._config
        worth, wanted = relevance(pools, config.relevance), self._aspects.wanted(pools)
        if config.method == "exact":
            columns = exact_slates(
                worth, self._aspects, pools, wanted, config.strength, config.alpha, k
            )
            return Slates.from_columns(pools, columns)
        columns = np.empty((len(pools), k), np.intp)
        codes = self._aspects.codes[np.maximum(pools.items, 0)]
        valid, per_user = pools.valid, self._table.places.shape[1] * pools.items.shape[1]
        for rows in user_blocks(len(pools), per_user):
            columns[rows] = greedy_slates(
                worth[rows],
                valid[rows],
                codes[rows],
                self._table,
                wanted[rows],
                config.strength,
                config.alpha,
                k,
            )
        return Slates.from_columns(pools, columns)


@dataclass(frozen=True, slots=True)
class AspectTable:
    """Where the gain of a candidate is found in a table of gains by size and aspect.

    What a candidate adds to Σ_a p_a ln q_a depends on its aspects and on how many they are (its
    *size*), on nothing else. So one table of (sizes × aspects) logarithms per user and position
    serves all candidates.

    Attributes:
        spread: Weight of each aspect in each distinct set, rows sum to 1 or 0, shape ``(P, A)``.
        sizes: The different sizes above 0, shape ``(Z,)``.
        places: Cells of the flattened table that each set sums, shape ``(P, z)``; unused ones
            point behind its end, at a 0.
    """

    spread: FloatArray
    sizes: FloatArray
    places: IntArray

    @classmethod
    def of(cls, aspects: Aspects) -> Self:
        """Prepare the distinct sets of aspects."""
        member, n_aspects = aspects.members, aspects.n_aspects
        size = member.sum(axis=1)
        sizes = np.unique(size[size > 0])
        places = np.full((len(member), max(int(size.max(initial=0)), 1)), len(sizes) * n_aspects)
        row, aspect = np.nonzero(member)
        nth = np.arange(len(row)) - np.searchsorted(row, row)
        places[row, nth] = np.searchsorted(sizes, size[row]) * n_aspects + aspect
        return cls(member / np.maximum(size, 1.0)[:, None], sizes, places)


def greedy_slates(
    relevance: FloatArray,
    valid: BoolArray,
    codes: IntArray,
    table: AspectTable,
    wanted: FloatArray,
    strength: float,
    alpha: float,
    k: int,
) -> IntArray:
    """The greedy loop of the paper, for a block of users.

    Args:
        relevance: Shape ``(U, N)``.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        codes: Set of aspects of each column, shape ``(U, N)``.
        table: The sets.
        wanted: p, shape ``(U, A)``.
        strength: λ.
        alpha: Smoothing of q.
        k: Slate length.

    Returns:
        Columns, shape ``(U, k)``; equal values resolve to the lowest column.
    """
    n_users, n_cells = len(relevance), len(table.sizes) * wanted.shape[1]
    users = np.arange(n_users)
    # Contiguous along users and columns, so that the sum over places is one vectorised addition.
    places = np.ascontiguousarray(np.moveaxis(table.places[codes], 2, 0))
    places += (users * (n_cells + 1))[:, None]
    counts_not = places[0] == (users * (n_cells + 1) + n_cells)[:, None]  # has no aspect
    worth = masked((1.0 - strength) * relevance, valid)
    weight = np.zeros_like(wanted)  # of each aspect in the slate so far, not divided by its length
    length = np.zeros((n_users, 1))  # items in the slate that have an aspect
    cells = np.zeros((n_users, n_cells + 1))
    columns = np.empty((n_users, k), np.intp)
    for j in range(k):
        unchanged = agreement(wanted, weight / np.maximum(length, 1.0), alpha)
        thinned = agreement(wanted, weight / (length + 1.0), alpha)
        for z, size in enumerate(table.sizes):
            more = agreement(wanted, (weight + 1.0 / size) / (length + 1.0), alpha)
            cells[:, z * wanted.shape[1] : (z + 1) * wanted.shape[1]] = more - thinned
        added = thinned.sum(axis=1, keepdims=True) + cells.ravel().take(places).sum(axis=0)
        added = np.where(counts_not, unchanged.sum(axis=1, keepdims=True), added)
        best = (worth + strength * added).argmax(axis=1)
        columns[:, j] = best
        worth[users, best] = -np.inf
        weight += table.spread[codes[users, best]]
        length[:, 0] += ~counts_not[users, best]
    return columns
