"""What Singh & Joachims (KDD 2018) want equal over groups: three rates of exposure."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray, IntArray
from ...metrics.lists import sum_by

ParityConstraint = Literal["demographic-parity", "disparate-treatment", "disparate-impact"]
"""Which rate is compared; see `GroupRates`."""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """How exposure of a pool's columns turns into rates of its groups.

    The rate of a group is, with sums over its items in the pool,

    - demographic parity: its exposure per item, Σ v / n;
    - disparate treatment: its exposure per relevance, Σ v / Σ u;
    - disparate impact: its expected clicks per relevance, Σ v·u / Σ u.

    Attributes:
        codes: Group of each column, shape ``(U, N)``, ``MISSING`` where there is none.
        unit: What one unit of exposure of a column adds to its group's rate, shape ``(U, N)``; 0
            for columns without a group, and in a group without relevance where that is divided by.
        present: Groups that have a rate in a user's pool, shape ``(U, G)``.
    """

    codes: IntArray
    unit: FloatArray
    present: BoolArray

    @classmethod
    def of(
        cls, gains: FloatArray, codes: IntArray, n_groups: int, constraint: ParityConstraint
    ) -> Self:
        """The rates of some pools.

        Args:
            gains: Relevance ``u`` of the columns, not negative, shape ``(U, N)``.
            codes: Group of the columns, shape ``(U, N)``.
            n_groups: Number of groups ``G``.
            constraint: Which rate.
        """
        ones = np.ones_like(gains)
        divided_by = _group_sums(
            ones if constraint == "demographic-parity" else gains, codes, n_groups
        )
        present = divided_by > 0.0
        counted = (codes != MISSING) & np.take_along_axis(present, np.maximum(codes, 0), axis=1)
        own = np.take_along_axis(divided_by, np.maximum(codes, 0), axis=1)
        added = gains if constraint == "disparate-impact" else ones
        unit = np.divide(added, own, out=np.zeros_like(gains), where=counted)
        return cls(codes, unit, present)

    def take(self, rows: IntArray) -> "GroupRates":
        """The rates of the given rows, in that order."""
        return GroupRates(self.codes[rows], self.unit[rows], self.present[rows])

    @property
    def n_present(self) -> IntArray:
        """Groups with a rate, shape ``(U,)``."""
        return self.present.sum(axis=1)

    def gaps(self, exposure: FloatArray) -> FloatArray:
        """Largest group rate minus the smallest, NaN with fewer than two groups.

        Args:
            exposure: Expected exposure of the columns, shape ``(U, N)``.

        Returns:
            Shape ``(U,)``.
        """
        rates = _group_sums(exposure * self.unit, self.codes, self.present.shape[1])
        high = np.where(self.present, rates, -np.inf).max(axis=1)
        low = np.where(self.present, rates, np.inf).min(axis=1)
        compared = self.n_present >= 2
        return np.subtract(high, low, out=np.full(len(rates), np.nan), where=compared)


def _group_sums(values: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """Sum of each group's columns, shape ``(U, G)``."""
    known = codes != MISSING
    cells = (np.arange(len(codes))[:, None] * n_groups + codes)[known]
    return sum_by(cells, values[known], len(codes) * n_groups).reshape(len(codes), n_groups)
