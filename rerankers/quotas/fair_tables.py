"""FA*IR's minimum tables for one protected group, exact.

A ranking passes the ranked group fairness test of Zehlike, Bonchi, Castillo, Hajian, Megahed &
Baeza-Yates (CIKM 2017) if every prefix of length i holds at least ``m(i)`` protected items, the
smallest m whose binomial(i, p) distribution function exceeds the significance. As k such tests are
made at once, a ranking drawn at random with a share p of protected items fails one of them more
often than the significance says; the adjusted significance makes up for that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue

Level = Literal["at-most", "nearest"]
"""How an adjusted table meets the significance that was asked for: with the largest fail
probability that does not exceed it, or with the one nearest to it, above or below, as Zehlike,
Sühr & Castillo (arXiv 2012.12795, 2020) and their fairsearchcore choose."""

SAME = 1.0 + 1e-12
"""Probabilities closer than this factor are one number that was computed in two ways."""


@dataclass(frozen=True, slots=True)
class MinimumTable:
    """How many protected items each prefix must hold.

    Attributes:
        minima: Minimum in the first i + 1 positions, not writeable; shape ``(k,)``, or ``(k, P)``
            for ``P`` protected groups.
        significance: Significance of each single test: a prefix fails if the distribution function
            at its count is not above this.
        fail_probability: Probability that a ranking drawn at random with the given shares fails
            at least one of the k tests.
    """

    minima: IntArray
    significance: float
    fail_probability: float


def unadjusted_table(k: int, p: float, alpha: float) -> MinimumTable:
    """The table with significance ``alpha`` in each test.

    Args:
        k: Length of the ranking.
        p: Share of protected items, in [0, 1].
        alpha: Significance, in (0, 1).

    Raises:
        InvalidValue: An argument lies outside its range.
    """
    require_parameters(k, alpha)
    binomial = _binomial(k, p)
    minima = _minima(_distribution(binomial), alpha * SAME)
    return _table(minima, alpha, _fails(minima, binomial))


@lru_cache(maxsize=256)
def adjusted_table(k: int, p: float, alpha: float, level: Level = "at-most") -> MinimumTable:
    """The table of which a random ranking fails any test with probability ``alpha``.

    The table changes only where the significance passes a value of the distribution function, so
    the search over those values, O(log k) fail probabilities, is exact. Equal
    arguments return the same table again.

    Args:
        k: Length of the ranking.
        p: Share of protected items, in [0, 1].
        alpha: Wanted fail probability, in (0, 1).
        level: See `Level`.

    Raises:
        InvalidValue: An argument lies outside its range.
    """
    require_parameters(k, alpha)
    binomial = _binomial(k, p)
    distribution = _distribution(binomial)
    steps = significance_steps(distribution, alpha)
    # By Bonferroni's inequality no significance up to alpha / k fails too often.
    start = max(int(np.searchsorted(steps, alpha / k, side="right")) - 1, 0)

    def fails(significance: float) -> float:
        return _fails(_minima(distribution, significance), binomial)

    significance, probability = search_significance(steps, fails, alpha, level, start)
    return _table(_minima(distribution, significance), significance, probability)


def fail_probability(minima: IntArray, p: float) -> float:
    """Probability that a ranking of independent draws fails a table, by a dynamic programme.

    Args:
        minima: Required protected items in each prefix, shape ``(k,)``, never decreasing.
        p: Probability that a position holds a protected item, in [0, 1].

    Returns:
        Exact but for rounding; O(k²).

    Raises:
        InvalidValue: ``p`` lies outside its range.
    """
    return _fails(minima, _binomial(len(minima), p))


def significance_steps(distribution: FloatArray, alpha: float) -> FloatArray:
    """Significances up to ``alpha`` at which a test changes, ascending, 0 first.

    Of values that differ by rounding alone the largest is kept.
    """
    values = np.unique(distribution[(distribution > 0.0) & (distribution <= alpha * SAME)])
    last = np.append(values[1:] > values[:-1] * SAME, True)[: len(values)]
    return np.concatenate([[0.0], values[last]])


def search_significance(
    steps: FloatArray, fails: Callable[[float], float], alpha: float, level: Level, start: int = 0
) -> tuple[float, float]:
    """The significance whose tests together fail with probability ``alpha``.

    Args:
        steps: Significances, ascending.
        fails: Fail probability at a significance, never decreasing.
        alpha: Wanted fail probability.
        level: See `Level`.
        start: Index of a step that is known not to fail too often.

    Returns:
        Significance and its fail probability.
    """
    low, high = start, len(steps) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if fails(steps[middle]) <= alpha * SAME:
            low = middle
        else:
            high = middle - 1
    below = fails(steps[low])
    if level == "nearest" and low + 1 < len(steps):
        above = fails(steps[low + 1])
        if above - alpha < alpha - below:
            return float(steps[low + 1]), above
    return float(steps[low]), below


def require_parameters(k: int, alpha: float) -> None:
    """Refuse a length below 1 and a significance outside (0, 1).

    Raises:
        InvalidValue: See above.
    """
    if k < 1:
        raise InvalidValue(f"k is {k}", field="k", mend="Use a length of at least 1.")
    if not 0.0 < alpha < 1.0:
        raise InvalidValue(
            f"alpha is {alpha:g}", field="alpha", mend="Use a significance between 0 and 1."
        )


def _binomial(k: int, p: float) -> FloatArray:
    """Probability of each count in 0 to k trials, shape ``(k + 1, k + 1)``."""
    if not 0.0 <= p <= 1.0:
        raise InvalidValue(f"p is {p:g}", field="p", mend="Use a share between 0 and 1.")
    law = np.zeros((k + 1, k + 1))
    law[0, 0] = 1.0
    for i in range(k):
        law[i + 1] = (1.0 - p) * law[i]
        law[i + 1, 1:] += p * law[i, :-1]
    return law


def _fails(minima: IntArray, binomial: FloatArray) -> float:
    """Fail probability of a table, in blocks that end where the minimum rises."""
    ends = np.flatnonzero(np.diff(minima, prepend=0))
    sizes = np.diff(ends, prepend=-1)
    law, failed = np.ones(1), 0.0  # law[c]: c protected items so far and no failure
    for size, minimum in zip(sizes.tolist(), minima[ends].tolist(), strict=True):
        law = np.convolve(law, binomial[size, : size + 1])
        failed += float(law[:minimum].sum())
        law[:minimum] = 0.0
    return failed


def _distribution(binomial: FloatArray) -> FloatArray:
    """Distribution function of the count in 1 to k trials, shape ``(k, k + 1)``."""
    return np.cumsum(binomial[1:], axis=1)


def _minima(distribution: FloatArray, significance: float) -> IntArray:
    """Smallest count whose distribution function exceeds the significance, shape ``(k,)``."""
    return (distribution <= significance).sum(axis=1)


def _table(minima: IntArray, significance: float, probability: float) -> MinimumTable:
    minima.setflags(write=False)
    return MinimumTable(minima, significance, probability)
