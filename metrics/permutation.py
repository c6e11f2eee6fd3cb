"""Is a gap more than chance? Permutation tests, corrections and what could have been seen.

A bootstrap interval of (largest − smallest group) is no test: the statistic is never negative,
so the interval stays off zero even when all groups are alike. Shuffling labels asks the right
question: how large a gap arises when group has nothing to do with the value.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .gaps import counted

Statistic = Literal["studentised", "range"]

_CELLS_AT_ONCE = 1_000_000
_ALIKE = 1e-12  # differences below this are rounding, not gaps


@dataclass(frozen=True, slots=True)
class GapTest:
    """Outcome of a test of equal means.

    Attributes:
        means: Mean of each group, shape ``(G,)``; NaN for a group that was not compared.
        sizes: Users behind each mean, shape ``(G,)``.
        gap: Largest − smallest mean.
        p_value: Chance of a statistic at least as large when group has no influence.
        minimum_detectable: Smallest difference between any two of the groups that this test would
            have found with the asked power, at the asked level, given these sizes and spreads.
    """

    means: FloatArray
    sizes: IntArray
    gap: float
    p_value: float
    minimum_detectable: float


def gap_test(
    values: FloatArray,
    codes: IntArray,
    n_groups: int,
    n_permutations: int,
    rng: np.random.Generator,
    *,
    statistic: Statistic = "studentised",
    level: float = 0.05,
    power: float = 0.8,
) -> GapTest:
    """Test whether any two groups of users differ in mean, by shuffling the users' groups.

    Args:
        values: One per user, shape ``(U,)``; users with NaN are left out.
        codes: Group of each user, shape ``(U,)``; users with ``MISSING`` are left out.
        n_groups: Number of groups ``G``; groups with fewer than 2 users are not compared.
        n_permutations: Shuffles; the smallest possible p-value is 1 / (this + 1).
        rng: Source of randomness.
        statistic: ``"studentised"``, the largest pairwise difference in standard errors: it keeps
            its level when spreads and sizes differ (Chung & Romano 2013). ``"range"``, the plain
            largest − smallest mean: exact for identical distributions, but ruled by the smallest
            group.
        level: Level at which the minimum detectable gap is computed.
        power: Power at which it is computed.

    Raises:
        EmptyData: Fewer than two groups have at least two users.
    """
    use = counted(values, codes)
    sizes = np.bincount(codes[use], minlength=n_groups)
    compared = np.flatnonzero(sizes >= 2)
    if len(compared) < 2:
        raise EmptyData("a gap needs two groups of at least two users", field="codes")
    use &= np.isin(codes, compared)
    order = np.argsort(codes[use], kind="stable")
    x, n = values[use][order].astype(np.float64), sizes[compared]

    means, errors = _means_and_errors(x[None, :], n)
    observed = float(_statistic(means, errors, statistic)[0])
    null = _shuffled(x, n, n_permutations, rng, statistic)
    critical = float(np.quantile(null, 1.0 - level))
    all_means = np.full(n_groups, np.nan)
    all_means[compared] = means[0]
    return GapTest(
        means=all_means,
        sizes=sizes,
        gap=float(np.ptp(means[0])),
        p_value=permutation_p_value(observed, null),
        minimum_detectable=_minimum_detectable(errors[0], critical, statistic, power),
    )


def sign_flip_test(
    vectors: FloatArray,
    n_flips: int,
    rng: np.random.Generator,
    *,
    level: float = 0.05,
    power: float = 0.8,
) -> GapTest:
    """Test whether two columns differ in mean *within* users, by flipping each user's differences.

    For groups of items every user has a value for each group (its exposure per item, say), so
    users are compared with themselves: under no gap a user's differences could as well have had
    the opposite sign. The statistic is the largest pairwise difference in standard errors.

    Args:
        vectors: One row per user, one column per group, finite, shape ``(U, G)``, ``G`` ≥ 2.
        n_flips: Random sign patterns; the smallest possible p-value is 1 / (this + 1).
        rng: Source of randomness.
        level: Level at which the minimum detectable gap is computed.
        power: Power at which it is computed.
    """
    n_users, n_groups = vectors.shape
    if n_users < 2 or n_groups < 2:
        raise EmptyData("a gap needs two groups and two users", field="vectors")
    a, b = np.triu_indices(n_groups, k=1)
    difference = vectors[:, a] - vectors[:, b]
    square_mean = (difference**2).mean(axis=0)

    def in_errors(mean: FloatArray) -> FloatArray:
        error = np.sqrt(np.maximum(square_mean - mean**2, 0.0) / (n_users - 1))
        return _ratio_to_error(np.abs(mean), error).max(axis=-1)

    null: list[FloatArray] = []
    block = max(1, _CELLS_AT_ONCE // n_users)
    for start in range(0, n_flips, block):
        shape = (min(block, n_flips - start), n_users)
        signs = rng.integers(0, 2, size=shape, dtype=np.int8) * 2.0 - 1.0
        flipped = signs @ vectors / n_users
        null.append(in_errors(flipped[:, a] - flipped[:, b]))
    shuffled = np.concatenate(null)

    mean = difference.mean(axis=0)
    errors = np.sqrt(np.maximum(square_mean - mean**2, 0.0) / (n_users - 1))
    critical = float(np.quantile(shuffled, 1.0 - level))
    means = vectors.mean(axis=0)
    return GapTest(
        means=means,
        sizes=np.full(n_groups, n_users),
        gap=float(np.ptp(means)),
        p_value=permutation_p_value(float(in_errors(mean)), shuffled),
        minimum_detectable=float(errors.max()) * (critical + NormalDist().inv_cdf(power)),
    )


def holm(p_values: FloatArray) -> FloatArray:
    """Adjusted p-values that bound the chance of any false alarm (Holm 1979), same order.

    Rejecting those at or below a level keeps the family-wise error at that level.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * (m - np.arange(m)))
    out = np.empty(m)
    out[order] = np.minimum(stepped, 1.0)
    return out


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Adjusted p-values that bound the share of false alarms (Benjamini & Hochberg 1995)."""
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    stepped = np.minimum.accumulate((p_values[order] * m / np.arange(1, m + 1))[::-1])[::-1]
    out = np.empty(m)
    out[order] = np.minimum(stepped, 1.0)
    return out


def _shuffled(
    x: FloatArray,
    sizes: IntArray,
    n_permutations: int,
    rng: np.random.Generator,
    statistic: Statistic,
) -> FloatArray:
    """The statistic under shuffled groups, shape ``(n_permutations,)``."""
    if n_permutations < 1:
        raise InvalidValue(f"n_permutations is {n_permutations}", field="n_permutations")
    block = max(1, _CELLS_AT_ONCE // len(x))
    null: list[FloatArray] = []
    for start in range(0, n_permutations, block):
        rows = np.tile(x, (min(block, n_permutations - start), 1))
        shuffled = rng.permuted(rows, axis=1, out=rows)
        null.append(_statistic(*_means_and_errors(shuffled, sizes), statistic))
    return np.concatenate(null)


def _means_and_errors(rows: FloatArray, sizes: IntArray) -> tuple[FloatArray, FloatArray]:
    """Group means and squared standard errors of rows whose users stand in group order.

    Args:
        rows: Shape ``(B, U)``.
        sizes: Users of each group, shape ``(G,)``, at least 2 each.

    Returns:
        Both of shape ``(B, G)``.
    """
    ends = np.cumsum(sizes)
    parts = [rows[:, end - n : end] for end, n in zip(ends, sizes, strict=True)]
    means = np.column_stack([part.sum(axis=1) for part in parts]) / sizes
    squares = np.column_stack([np.einsum("bu,bu->b", part, part) for part in parts]) / sizes
    return means, np.maximum(squares - means**2, 0.0) / (sizes - 1)


def _statistic(means: FloatArray, errors: FloatArray, statistic: Statistic) -> FloatArray:
    if statistic == "range":
        return np.ptp(means, axis=1)
    a, b = np.triu_indices(means.shape[1], k=1)
    difference = np.abs(means[:, a] - means[:, b])
    return _ratio_to_error(difference, np.sqrt(errors[:, a] + errors[:, b])).max(axis=1)


def _ratio_to_error(difference: FloatArray, error: FloatArray) -> FloatArray:
    """Difference in standard errors; infinite where two constants differ, 0 where they agree."""
    apart: BoolArray = difference > _ALIKE
    out = np.where(apart, np.inf, 0.0)
    return np.divide(difference, error, out=out, where=error > _ALIKE)


def _minimum_detectable(
    errors: FloatArray, critical: float, statistic: Statistic, power: float
) -> float:
    """Difference whose statistic passes the critical value with the asked power, worst pair."""
    widest = float(np.sqrt(np.sort(errors)[-2:].sum()))
    reach = NormalDist().inv_cdf(power)
    return critical + reach * widest if statistic == "range" else (critical + reach) * widest


def permutation_p_value(observed: float, null: FloatArray) -> float:
    """Share of statistics at least as large, the observed one included (Phipson & Smyth 2010)."""
    slack = _ALIKE * max(1.0, abs(observed)) if np.isfinite(observed) else 0.0
    as_large = null >= observed - slack
    return (1 + int(np.count_nonzero(as_large))) / (1 + len(null))
