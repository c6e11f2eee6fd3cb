"""What a swept method can reach: its settings, and any two of them mixed over users."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..metrics.bootstrap import bootstrap_sums
from .frontier import Swept
from .frontier_axes import Axis

STEPS = 50
"""Shares of users at which two settings are mixed: 1/50, 2/50, …"""

_ROUNDING = 1e-12


def mixtures(n_settings: int) -> FloatArray:
    """Each setting alone, then every pair at every share, shape ``(A, P)``; rows sum to 1.

    Row ``w`` stands for serving each user with setting ``p`` with probability ``w[p]``.
    """
    alone = np.eye(n_settings)
    first, second = np.triu_indices(n_settings, k=1)
    share = np.arange(1, STEPS) / STEPS
    pairs = share[:, None, None] * alone[first] + (1.0 - share[:, None, None]) * alone[second]
    return np.concatenate([alone, pairs.reshape(-1, n_settings)])


@dataclass(frozen=True, slots=True)
class Attainable:
    """One method in the plane of accuracy ``x`` and another measure ``y``; more is better in both.

    Attributes:
        name: The method.
        weights: Mixtures of its ``P`` settings, shape ``(A, P)``; the first ``P`` are the settings
            alone, and row 0 is the base order.
        x: Accuracy of each mixture, shape ``(A,)``.
        y: The other measure's worth of each, shape ``(A,)``.
        x_sums: Bootstrap sums of the accuracy's terms, shape ``(B, P, m)``.
        y_sums: Bootstrap sums of the other measure's terms, shape ``(B, P, m)``.
        axes: The two measures.
    """

    name: str
    weights: FloatArray
    x: FloatArray
    y: FloatArray
    x_sums: FloatArray
    y_sums: FloatArray
    axes: tuple[Axis, Axis]

    @property
    def n_settings(self) -> int:
        """Settings ``P``, the base order included."""
        return self.weights.shape[1]

    def resampled(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Accuracy and worth of a mixture over resampled users, each of shape ``(B,)``."""
        weights = self.weights[row]
        return (
            self.axes[0].worth(np.einsum("bpm,p->bm", self.x_sums, weights)),
            self.axes[1].worth(np.einsum("bpm,p->bm", self.y_sums, weights)),
        )

    def most_accurate(self, level: float) -> int | None:
        """Row of the most accurate mixture whose worth is at least ``level``, if there is one."""
        return _best(self.x, self.y >= level - _ROUNDING)

    def worthiest(self, accuracy: float) -> int | None:
        """Row of the mixture of the highest worth whose accuracy is at least this, if any."""
        return _best(self.y, self.x >= accuracy - _ROUNDING)

    def efficient(self) -> IntArray:
        """Rows that stand for the method: nothing it reaches is as good on both and better on one.

        These are its efficient settings, and the two ends of its frontier where they are mixtures:
        a ratio between groups can be best between a setting that leaves one group behind and one
        that leaves the other. What equals the base order on both measures is not among them; empty
        where the base order is at least as good as everything.
        """
        settings = range(self.n_settings)
        found = [row for row in settings if self._stands_out(row) and not self._alike(row, [0])]
        ends = np.lexsort((self.x, self.y))[-1], np.lexsort((self.y, self.x))[-1]
        for end in map(int, ends):
            if self._stands_out(end) and not self._alike(end, [0, *found]):
                found.append(end)
        return np.array(found, dtype=np.intp)

    def _stands_out(self, row: int) -> bool:
        """Whether nothing attainable is as good as this row on both measures, better on one."""
        x, y = self.x - self.x[row], self.y - self.y[row]
        no_worse = (x >= -_ROUNDING) & (y >= -_ROUNDING)
        return not (no_worse & ((x > _ROUNDING) | (y > _ROUNDING))).any()

    def _alike(self, row: int, others: Sequence[int]) -> bool:
        """Whether a row equals one of others on both measures."""
        x, y = self.x[others] - self.x[row], self.y[others] - self.y[row]
        return bool(((np.abs(x) <= _ROUNDING) & (np.abs(y) <= _ROUNDING)).any())

    @classmethod
    def of(cls, swept: Swept, axes: tuple[Axis, Axis], sums: "ResampledSums", number: int) -> Self:
        """From a sweep and its bootstrap sums; ``number`` is the other measure's place."""
        weights = mixtures(len(swept.strengths))
        x_all = np.einsum("ap,pm->am", weights, swept.terms[0].sum(axis=1))
        y_all = np.einsum("ap,pm->am", weights, swept.terms[number].sum(axis=1))
        return cls(
            swept.name,
            weights,
            axes[0].worth(x_all),
            axes[1].worth(y_all),
            sums[swept.name, 0],
            sums[swept.name, number],
            axes,
        )


ResampledSums = dict[tuple[str, int], FloatArray]
"""Bootstrap sums ``(B, P, m)`` by method and place of the measure."""


def resample(swept: list[Swept], n_replicates: int, rng: np.random.Generator) -> ResampledSums:
    """Sums over resampled users; every method and measure meets the same users.

    One matrix product of counts ``(B, U)`` with the terms of everything. Memory is that of the
    terms, O(methods · P · U · m).
    """
    parts = {
        (method.name, number): terms
        for method in swept
        for number, terms in enumerate(method.terms)
    }
    columns = [terms.transpose(1, 0, 2).reshape(terms.shape[1], -1) for terms in parts.values()]
    sums = bootstrap_sums(np.hstack(columns), n_replicates, rng)
    ends = np.cumsum([block.shape[1] for block in columns])
    split = np.split(sums, ends[:-1], axis=1)
    return {
        key: block.reshape(n_replicates, terms.shape[0], terms.shape[2])
        for (key, terms), block in zip(parts.items(), split, strict=True)
    }


def _best(values: FloatArray, allowed: BoolArray) -> int | None:
    if not allowed.any():
        return None
    return int(np.where(allowed, values, -np.inf).argmax())
