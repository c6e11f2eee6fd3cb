"""Any metric, by any groups: values, counts, gap and ratio, small groups hidden.

The idea is that of fairlearn's ``MetricFrame`` (Bird et al. 2020), with uncertainty: intervals for
the groups' values, and a permutation p-value for the gap, since a largest − smallest value is above
zero even where groups are alike.
"""

from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import scipy.sparse as sp

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .bootstrap import bootstrap_sums, interval, resampling_counts
from .intersections import GroupsLike, require_codes
from .permutation import gap_test, sign_flip_test
from .range_test import range_test
from .terms import Measured, Terms, TermStack, as_terms, group_sums, shape_of

SMALL_CELL = 30


class Options(TypedDict, total=False):
    """What every disaggregation takes, and the thin functions hand on.

    Attributes:
        minimum: Groups with fewer members are hidden.
        n_bootstrap: Replicates for the groups' intervals; 0 for none.
        n_permutations: Shuffles for the gap's p-value; 0 for none.
        rng: Source of randomness; needed for either.
        confidence: Probability that the intervals aim at.
    """

    minimum: int
    n_bootstrap: int
    n_permutations: int
    rng: np.random.Generator | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Disaggregated:
    """A metric by group.

    Attributes:
        names: ``G`` names of groups.
        values: Value of each group, shape ``(G,)``; NaN where hidden or not known.
        counts: Members with a value, shape ``(G,)``: users, or items where items are grouped.
        hidden: Groups with fewer members than asked for, shape ``(G,)``.
        overall: Value over everybody with a value, members of hidden and of no group included.
        gap: Largest − smallest value shown; NaN with fewer than two.
        ratio: Smallest / largest value shown; NaN with fewer than two, or if none is positive.
        low: Lower ends of the values' intervals, shape ``(G,)``; ``None`` if not asked for.
        high: Upper ends.
        p_value: Chance of a gap as large when group has no influence; ``None`` if not asked for,
            or with fewer than two groups shown.
        minimum_detectable: Smallest gap that this test would have found with a power of 0.8;
            ``None`` where there is no test, or for a statistic that is not a mean.
    """

    names: tuple[str, ...]
    values: FloatArray
    counts: IntArray
    hidden: BoolArray
    overall: float
    gap: float
    ratio: float
    low: FloatArray | None = None
    high: FloatArray | None = None
    p_value: float | None = None
    minimum_detectable: float | None = None


def disaggregate(
    measured: Measured,
    groups: GroupsLike,
    *,
    minimum: int = SMALL_CELL,
    n_bootstrap: int = 0,
    n_permutations: int = 0,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Disaggregated:
    """A metric by group of users (or of whatever its rows are).

    Of values, the mean is compared, by a studentised permutation test. Of terms, the statistic
    itself, by shuffling who belongs to which group: the plain largest − smallest value.

    Args:
        measured: One value per user, shape ``(U,)``, NaN where there is none; or ``Terms``.
        groups: Group of each user; one attribute, or an intersection of several.
        minimum: Groups with fewer members are hidden. This keeps noise out of reports. It is no
            protection of persons: a single hidden value can be computed from ``overall``.
        n_bootstrap: Replicates for the groups' intervals; 0 for none.
        n_permutations: Shuffles for the gap's p-value; 0 for none.
        rng: Source of randomness; needed for either.
        confidence: Probability that the intervals aim at.
    """
    require_codes(groups)
    _require_minimum(minimum)
    terms = as_terms(measured)
    codes, n_groups = groups.codes, len(groups.names)
    if len(codes) != terms.n_users:
        raise InvalidValue(f"{len(codes)} codes for {terms.n_users} users", field="groups")
    use = terms.known & (codes != MISSING)
    counts = np.bincount(codes[use], minlength=n_groups)
    hidden = counts < minimum
    rows = np.flatnonzero(use & ~hidden[np.where(use, codes, 0)])
    rows = rows[np.argsort(codes[rows], kind="stable")]
    ordered, shown = codes[rows], terms.take(rows)

    sums = group_sums(shown.columns, ordered[None, :], n_groups)[0]
    values = np.where(hidden, np.nan, terms.reduce(sums))
    out = _compared(groups, values, counts, hidden, terms.value)
    if n_bootstrap:
        low, high = _intervals(shown, ordered, values, n_bootstrap, _needed(rng), confidence)
        out = replace(out, low=low, high=high)
    if n_permutations and np.count_nonzero(~hidden & (counts >= 2)) >= 2:
        if isinstance(measured, Terms):
            p_value = range_test(shown, ordered, n_groups, n_permutations, _needed(rng))
            return replace(out, p_value=p_value)
        test = gap_test(measured[rows], ordered, n_groups, n_permutations, _needed(rng))
        return replace(out, p_value=test.p_value, minimum_detectable=test.minimum_detectable)
    return out


def disaggregate_items(
    amounts: FloatArray | sp.csr_array,
    groups: GroupsLike,
    *,
    minimum: int = SMALL_CELL,
    n_bootstrap: int = 0,
    n_permutations: int = 0,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
) -> Disaggregated:
    """What an item receives from a user, on average, by group of items.

    Users are resampled, not items: the catalogue is what it is. Since every user has a value for
    each group, groups are compared within users (``permutation.sign_flip_test``).

    Args:
        amounts: What each user hands to each item, such as ``exposure.exposure_matrix``, shape
            ``(U, I)``.
        groups: Group of each item, ``I`` codes.
        minimum: Groups with fewer items are hidden.
        n_bootstrap: Replicates for the groups' intervals; 0 for none.
        n_permutations: Sign patterns for the gap's p-value; 0 for none.
        rng: Source of randomness; needed for either.
        confidence: Probability that the intervals aim at.
    """
    require_codes(groups)
    _require_minimum(minimum)
    n_users, n_items = shape_of(amounts)
    codes, n_groups = groups.codes, len(groups.names)
    if len(codes) != n_items:
        raise InvalidValue(f"{len(codes)} codes for {n_items} items", field="groups")
    if not n_users:
        raise EmptyData("nobody hands anything to the items", field="amounts")
    known = np.flatnonzero(codes != MISSING)
    sizes = np.bincount(codes[known], minlength=n_groups)
    hidden = sizes < minimum
    share = 1.0 / sizes[codes[known]]
    member = sp.csr_array((share, (known, codes[known])), shape=(n_items, n_groups))
    product = amounts @ member
    per_item = product.toarray() if isinstance(product, sp.csr_array) else np.asarray(product)

    values = np.where(hidden, np.nan, per_item.mean(axis=0))
    overall = float(amounts.sum()) / (n_users * n_items)
    out = _compared(groups, values, sizes, hidden, overall)
    if n_bootstrap:
        replicates = bootstrap_sums(per_item, n_bootstrap, _needed(rng)) / n_users
        low, high = interval(replicates, confidence)
        out = replace(out, low=np.where(hidden, np.nan, low), high=np.where(hidden, np.nan, high))
    if n_permutations and np.count_nonzero(~hidden) >= 2:
        test = sign_flip_test(per_item[:, ~hidden], n_permutations, _needed(rng))
        return replace(out, p_value=test.p_value, minimum_detectable=test.minimum_detectable)
    return out


def _compared(
    groups: GroupsLike, values: FloatArray, counts: IntArray, hidden: BoolArray, overall: float
) -> Disaggregated:
    shown = values[np.isfinite(values)]
    compared = len(shown) >= 2
    gap = float(np.ptp(shown)) if compared else float("nan")
    ratio = float(shown.min() / shown.max()) if compared and shown.max() > 0 else float("nan")
    return Disaggregated(groups.names, values, counts, hidden, overall, gap, ratio)


def _intervals(
    terms: Terms,
    codes: IntArray,
    values: FloatArray,
    n_replicates: int,
    rng: np.random.Generator,
    confidence: float,
) -> tuple[FloatArray, FloatArray]:
    """Intervals of the groups' values; the users stand in group order."""
    low, high = np.full((2, len(values)), np.nan)
    measured = np.flatnonzero(np.isfinite(values))
    if not len(measured):
        return low, high
    parts = [slice(*np.searchsorted(codes, [g, g + 1])) for g in measured]
    stacks = [TermStack([terms.take(np.arange(part.start, part.stop))]) for part in parts]
    blocks = [
        np.hstack(
            [stack.at(drawn[:, part]) for stack, part in zip(stacks, parts, strict=True)],
        )
        for drawn in resampling_counts(terms.n_users, n_replicates, rng)
    ]
    replicates = np.concatenate(blocks)
    if terms.centred:
        replicates = replicates - np.nanmean(replicates, axis=0) + values[measured]
    low[measured], high[measured] = interval(replicates, confidence)
    return low, high


def _require_minimum(minimum: int) -> None:
    if minimum < 1:
        raise InvalidValue(f"minimum is {minimum}", field="minimum", mend="Use at least 1.")


def _needed(rng: np.random.Generator | None) -> np.random.Generator:
    if rng is None:
        raise InvalidValue(
            "intervals and p-values need a generator",
            field="rng",
            mend="Give rng=numpy.random.default_rng(seed).",
        )
    return rng
