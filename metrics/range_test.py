"""A permutation test for the gap of any statistic, not only of a mean."""

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .permutation import permutation_p_value
from .terms import Terms, group_sums, shape_of

_ENTRIES_AT_ONCE = 1_000_000  # users × shuffles held at a time


def range_test(
    terms: Terms,
    codes: IntArray,
    n_groups: int,
    n_permutations: int,
    rng: np.random.Generator,
) -> float:
    """Chance of a largest − smallest value as large when users' groups are shuffled.

    Exact where a user's terms have nothing to do with the group. It reacts to any difference
    between groups, in spread as well as in level, and is ruled by the smallest group; where a mean
    is compared, ``permutation.gap_test`` is the better one.

    Args:
        terms: A statistic of ``U`` users.
        codes: Group of each user, shape ``(U,)``, none missing.
        n_groups: Number of groups ``G``; those without a value are left out.
        n_permutations: Shuffles; the smallest possible p-value is 1 / (this + 1).
        rng: Source of randomness.

    Returns:
        The p-value. O(n_permutations · entries of the terms).
    """
    if n_permutations < 1:
        raise InvalidValue(f"n_permutations is {n_permutations}", field="n_permutations")
    if len(np.unique(codes)) < 2:
        raise EmptyData("a gap needs two groups", field="codes")
    observed = _spread(terms, codes[None, :], n_groups)
    per_shuffle = max(len(codes), n_groups * shape_of(terms.columns)[1])
    block = max(1, _ENTRIES_AT_ONCE // per_shuffle)
    null: list[FloatArray] = []
    for start in range(0, n_permutations, block):
        labels = np.tile(codes, (min(block, n_permutations - start), 1))
        null.append(_spread(terms, rng.permuted(labels, axis=1, out=labels), n_groups))
    return permutation_p_value(float(observed[0]), np.concatenate(null))


def _spread(terms: Terms, labels: IntArray, n_groups: int) -> FloatArray:
    """Largest − smallest value over groups, shape ``(B,)``; 0 where fewer than two have one."""
    values = terms.reduce(group_sums(terms.columns, labels, n_groups))
    high = np.where(np.isnan(values), -np.inf, values).max(axis=1)
    low = np.where(np.isnan(values), np.inf, values).min(axis=1)
    return np.maximum(high - low, 0.0)
