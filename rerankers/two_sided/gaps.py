"""The mathematics of CP-Fair: relevance against two gaps between groups (Naghiaei et al. 2022).

    F(A) = mean relevance shown − λ₁ · DCF(A) − λ₂ · DPF(A)

over selections A of k candidates for every user, where DCF is the largest difference between user
groups in mean utility, and DPF that between item groups in exposure. A range is a maximum of
linear functions, ``λ (max m − min m) = max { y · m : Σ y = 0, Σ |y| ≤ 2 λ }``: for fixed prices
``y`` the problem falls apart into one sort per user, and the best such bound over all ``y`` is the
value of the paper's programme with fractional A.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ...arrays import FloatArray, IntArray
from .selection import best_columns

BLOCK = 1024
"""Users sorted together: what a block touches stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What slates give, to users and to groups; linear in the selection.

    Attributes:
        relevance: Mean relevance per slot, shape ``()``.
        utility: Mean utility of each user group, shape ``(G_U,)``.
        exposure: Exposure of each item group, shape ``(G_I,)``.
    """

    relevance: FloatArray
    utility: FloatArray
    exposure: FloatArray


@dataclass(frozen=True, slots=True)
class GapProblem:
    """One batch.

    Attributes:
        relevance: Shape ``(U, N)``, −inf in padding.
        utility: What a user has of being shown a candidate, shape ``(U, N)``.
        user_codes: Group of each user, shape ``(U,)``; ``G_U`` for users of none.
        item_codes: Group of each column, shape ``(U, N)``; ``G_I`` for padding and items of none.
        n_users: Users in each group, positive, shape ``(G_U,)``.
        item_scale: Exposure of an item group per slot that it fills, shape ``(G_I,)``.
        consumer_weight: λ₁.
        producer_weight: λ₂.
        k: Slate length.
    """

    relevance: FloatArray
    utility: FloatArray
    user_codes: IntArray
    item_codes: IntArray
    n_users: FloatArray
    item_scale: FloatArray
    consumer_weight: float
    producer_weight: float
    k: int

    @property
    def slots(self) -> int:
        """Positions to fill."""
        return len(self.relevance) * self.k

    def first(self, n_users: int) -> Self:
        """The same with the first users alone; group sizes stay those of all."""
        rows = slice(0, n_users)
        return replace(
            self,
            relevance=self.relevance[rows],
            utility=self.utility[rows],
            user_codes=self.user_codes[rows],
            item_codes=self.item_codes[rows],
        )

    def per_user(self, columns: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Each user's share of the totals: relevance ``(U,)``, utility ``(U,)``, ``(U, G_I)``."""
        relevance = np.take_along_axis(self.relevance, columns, axis=1).sum(axis=1) / self.slots
        utility = np.take_along_axis(self.utility, columns, axis=1).sum(axis=1)
        utility = utility / np.append(self.n_users, 1.0)[self.user_codes]
        shown = np.take_along_axis(self.item_codes, columns, axis=1)
        n_groups = len(self.item_scale)
        cells = shown + (n_groups + 1) * np.arange(len(shown))[:, None]
        counts = np.bincount(cells.ravel(), minlength=len(shown) * (n_groups + 1))
        counts = counts.reshape(len(shown), n_groups + 1)[:, :-1]
        return relevance, utility, counts * (self.item_scale / self.slots)

    def totals(self, columns: IntArray) -> Totals:
        """What the slates of all users give."""
        relevance, utility, exposure = self.per_user(columns)
        by_group = np.zeros(len(self.n_users) + 1)
        np.add.at(by_group, self.user_codes, utility)
        return Totals(np.asarray(relevance.sum()), by_group[:-1], exposure.sum(axis=0))

    def objective(self, totals: Totals) -> FloatArray:
        """F; of many totals at once where they have leading axes."""
        consumer = self.consumer_weight * spread(totals.utility)
        producer = self.producer_weight * spread(totals.exposure)
        return totals.relevance - consumer - producer

    def best_response(self, user_prices: FloatArray, item_prices: FloatArray) -> IntArray:
        """Slates of largest relevance less prices, columns ascending, shape ``(U, k)``.

        Args:
            user_prices: Price of a group's mean utility, shape ``(G_U,)``.
            item_prices: Price of a group's exposure, shape ``(G_I,)``.
        """
        columns = np.empty((len(self.relevance), self.k), np.intp)
        # All in units of one slot's relevance, as the objective is a mean over the slots.
        per_utility = np.append(user_prices / self.n_users, 0.0)[self.user_codes] * self.slots
        per_slot = np.append(item_prices * self.item_scale, 0.0)
        for start in range(0, len(columns), BLOCK):
            rows = slice(start, start + BLOCK)
            keys = self.relevance[rows] - per_utility[rows, None] * self.utility[rows]
            keys -= per_slot[self.item_codes[rows]]
            columns[rows] = best_columns(keys, self.k)
        return columns


def spread(values: FloatArray) -> FloatArray:
    """Largest less smallest over the groups, the last axis; 0 without groups."""
    if values.shape[-1] == 0:
        return np.zeros(values.shape[:-1])
    return values.max(axis=-1) - values.min(axis=-1)
