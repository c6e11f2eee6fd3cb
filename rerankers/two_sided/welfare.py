"""Concave welfare of users and items (Do, Corbett-Davies, Atif & Usunier, NeurIPS 2021)."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from ...arrays import FloatArray

FLAT, MAX_TRIALS = 1e-3, 50
"""A line search ends where the slope is this share of the first one, or after so many trials."""


class Utilities(NamedTuple):
    """What both sides get: users' expected DCG ``(U,)`` and items' expected exposure ``(I,)``."""

    users: FloatArray
    items: FloatArray

    def plus(self, step: float, way: "Utilities") -> "Utilities":
        """These utilities after a step along a way."""
        return Utilities(self.users + step * way.users, self.items + step * way.items)

    def minus(self, other: "Utilities") -> "Utilities":
        """The way from others to these."""
        return self.plus(-1.0, other)

    def dot(self, other: "Utilities") -> float:
        """Scalar product over both sides."""
        # Summed by numpy, not by BLAS, so that the result depends on the order of users alone.
        return float((self.users * other.users).sum() + (self.items * other.items).sum())


@dataclass(frozen=True, slots=True)
class Welfare:
    """(1 − λ) Σ_users ψ(u; α₁) + λ Σ_items ψ(v; α₂).

    ψ(x; α) is x^α for α > 0, log x for α = 0 and −x^α for α < 0: the smaller α ≤ 1, the more the
    worse-off count. Maximising it gives Lorenz-efficient utilities.

    Attributes:
        item_weight: λ.
        user_power: α₁.
        item_power: α₂.
        user_offset: Added to users' utilities, so that ψ' is finite at 0.
        item_offset: Added to items' utilities.
    """

    item_weight: float
    user_power: float
    item_power: float
    user_offset: float
    item_offset: float

    @classmethod
    def around(
        cls, base: Utilities, item_weight: float, powers: tuple[float, float], offset: float
    ) -> Self:
        """With offsets that are a share of the mean utilities of the base order."""
        means = [float(side.mean()) if side.size else 0.0 for side in base]
        user_offset, item_offset = (offset * mean if mean > 0 else offset for mean in means)
        return cls(item_weight, *powers, user_offset, item_offset)

    def value(self, at: Utilities) -> float:
        """Total welfare."""
        users = _power(at.users + self.user_offset, self.user_power).sum()
        items = _power(at.items + self.item_offset, self.item_power).sum()
        return float((1.0 - self.item_weight) * users + self.item_weight * items)

    def marginal(self, at: Utilities) -> Utilities:
        """Derivative by each utility."""
        users = _slope(at.users + self.user_offset, self.user_power)
        items = _slope(at.items + self.item_offset, self.item_power)
        return Utilities((1.0 - self.item_weight) * users, self.item_weight * items)

    def best_step(self, at: Utilities, way: Utilities) -> float:
        """Step in [0, 1] along a way of rising welfare that gives the largest, just below it.

        The slope of the welfare falls along the way; its zero is found by regula falsi that halves
        the value of the end it keeps (the Illinois rule), to a thousandth of the slope at 0.
        """
        low, high = 0.0, 1.0
        start = rise = self.marginal(at).dot(way)
        fall = self.marginal(at.plus(high, way)).dot(way)
        if fall >= 0.0:
            return high
        for _ in range(MAX_TRIALS):
            step = (low * fall - high * rise) / (fall - rise)
            slope = self.marginal(at.plus(step, way)).dot(way)
            if 0.0 <= slope <= FLAT * start:
                return step
            if slope > 0.0:
                low, rise, fall = step, slope, 0.5 * fall
            else:
                high, fall, rise = step, slope, 0.5 * rise
        return low


def _power(x: FloatArray, power: float) -> FloatArray:
    """ψ(x; α)."""
    return np.log(x) if power == 0.0 else np.sign(power) * x**power


def _slope(x: FloatArray, power: float) -> FloatArray:
    """ψ'(x; α)."""
    return 1.0 / x if power == 0.0 else abs(power) * x ** (power - 1.0)
