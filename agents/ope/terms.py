"""The one form that every estimator here has: a sum of ratios of sums over slates."""

from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...metrics.lists import sum_by


@dataclass(frozen=True, slots=True)
class Terms:
    """``Σ_m (Σ_i numerator[i, m] / Σ_i denominator[i, m])`` over slates i.

    A plain mean has denominators 1, a self-normalised one its weights. Whatever has this form can
    be resampled by users with one matrix product, and compared or added by putting columns side
    by side.

    Attributes:
        numerator: Shape ``(n, M)``.
        denominator: Shape ``(n, M)``.
    """

    numerator: FloatArray
    denominator: FloatArray

    @classmethod
    def mean(cls, values: FloatArray) -> "Terms":
        """The mean of one value per slate, shape ``(n,)``."""
        return cls(values[:, None], np.ones((len(values), 1)))

    @classmethod
    def ratio(cls, values: FloatArray, weights: FloatArray) -> "Terms":
        """Sum of values over sum of weights, shape ``(n,)`` each, or ``(n, M)`` for M ratios."""
        n = len(values)
        return cls(values.reshape(n, -1), weights.reshape(n, -1))

    def plus(self, other: "Terms") -> "Terms":
        """The sum of both estimates, on the same slates."""
        return Terms(
            np.concatenate([self.numerator, other.numerator], axis=1),
            np.concatenate([self.denominator, other.denominator], axis=1),
        )

    def minus(self, other: "Terms") -> "Terms":
        """The difference of both estimates, on the same slates."""
        return self.plus(Terms(-other.numerator, other.denominator))

    def value(self) -> float:
        """The estimate; NaN where a denominator is 0."""
        return float(_of_sums(self.numerator.sum(axis=0), self.denominator.sum(axis=0)))

    def by_user(self, users: IntArray) -> FloatArray:
        """Sums over each user's slates: numerators, then denominators, shape ``(U, 2M)``."""
        _, codes = np.unique(users, return_inverse=True)
        n_users = int(codes.max()) + 1
        columns = np.concatenate([self.numerator, self.denominator], axis=1)
        return np.stack([sum_by(codes, column, n_users) for column in columns.T], axis=1)


def value_of(sums: FloatArray) -> FloatArray:
    """The estimates of sums ``(…, 2M)`` as ``Terms.by_user`` lays them out, shape ``(…)``."""
    m = sums.shape[-1] // 2
    return _of_sums(sums[..., :m], sums[..., m:])


def influence_of(sums: FloatArray) -> FloatArray:
    """How each user moves the estimate, to first order, ``(U, 2M)`` to ``(U,)``; its mean is 0.

    Of a ratio N / D it is (n_u − (N / D) d_u) / D, by the delta method.
    """
    m = sums.shape[1] // 2
    numerator, denominator = sums[:, :m], sums[:, m:]
    totals = denominator.sum(axis=0)
    safe = np.where(totals != 0.0, totals, 1.0)
    ratios = numerator.sum(axis=0) / safe
    return ((numerator - ratios * denominator) / safe).sum(axis=1)


def _of_sums(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    known = denominator != 0.0
    ratios = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=ratios, where=known)
    return ratios.sum(axis=-1)
