"""Differences between groups of users, for any per-user value.

Whether a gap is more than chance is not told here: see ``permutation.gap_test``.
"""

import numpy as np

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import require_not_negative, sum_by


def group_sizes(values: FloatArray, codes: IntArray, n_groups: int) -> IntArray:
    """Users of each group whose value is known, shape ``(G,)``."""
    return np.bincount(codes[counted(values, codes)], minlength=n_groups)


def group_means(values: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """Mean of each group, shape ``(G,)``; NaN for an empty group.

    Args:
        values: One per user, shape ``(U,)``; users with NaN are left out.
        codes: Group of each user, shape ``(U,)``; users with ``MISSING`` are left out.
        n_groups: Number of groups ``G``.
    """
    use = counted(values, codes)
    sizes = np.bincount(codes[use], minlength=n_groups)
    sums = sum_by(codes[use], values[use], n_groups)
    return np.divide(sums, sizes, out=np.full(n_groups, np.nan), where=sizes > 0)


def gap(per_group: FloatArray) -> float:
    """Largest − smallest value over groups; NaN entries are left out."""
    return float(np.nanmax(per_group) - np.nanmin(per_group))


def ratio(per_group: FloatArray) -> float:
    """Smallest / largest value over groups; NaN if the largest is not positive."""
    high = float(np.nanmax(per_group))
    return float(np.nanmin(per_group)) / high if high > 0 else float("nan")


def impact_ratio(selected: IntArray, totals: IntArray) -> FloatArray:
    """Selection rate of each group / highest group's rate (NYC Local Law 144), shape ``(G,)``.

    Args:
        selected: How many of each group were selected, shape ``(G,)``.
        totals: Size of each group, shape ``(G,)``.

    Returns:
        1 for the group with the highest rate; NaN for empty groups, or if nobody was selected.
    """
    require_not_negative(selected, "selected")
    require_not_negative(totals, "totals")
    shape = np.shape(totals)
    rate = np.divide(selected, totals, out=np.full(shape, np.nan), where=totals > 0)
    high = np.nanmax(rate, initial=0.0)
    return rate / high if high > 0 else np.full(shape, np.nan)


def utility_loss(before: FloatArray, after: FloatArray) -> FloatArray:
    """What each user loses of a metric against the base order, ``before − after``, shape ``(U,)``.

    Its disaggregation tells who pays for a re-ranking (Patro et al. 2020 report its mean).

    Args:
        before: The metric under the base order, higher being better, shape ``(U,)``.
        after: The same under the re-ranking, of the same users in the same order.

    Returns:
        Negative where a user gains; NaN where either is.
    """
    if before.shape != after.shape:
        raise InvalidValue(f"{before.shape} and {after.shape} are not paired", field="after")
    return before - after


def counted(values: FloatArray, codes: IntArray) -> BoolArray:
    """Users with a known value and a known group, shape ``(U,)``."""
    return np.isfinite(values) & (codes != MISSING)
