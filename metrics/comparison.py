"""Two methods on the same users: what changes, how surely, in many statistics at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..errors import InvalidValue
from .bootstrap import resampling_counts
from .measure import intervals
from .permutation import holm, permutation_p_value
from .terms import Measured, Terms, TermStack, as_terms, shape_of

_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One statistic under two methods.

    Attributes:
        before: Value under the first method, over the users who count under both.
        after: Value under the second.
        change: ``after − before``.
        low: Lower end of the change's interval, from resampling users.
        high: Upper end.
        p_value: Chance of a change as large, up or down, if the methods were exchangeable.
        p_holm: The same, adjusted for all statistics compared together (Holm 1979).
    """

    before: float
    after: float
    change: float
    low: float
    high: float
    p_value: float
    p_holm: float


def compare(
    before: Mapping[str, Measured],
    after: Mapping[str, Measured],
    n_replicates: int,
    n_swaps: int,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
) -> dict[str, Difference]:
    """Compare two methods in every statistic, paired by user.

    If a user's terms could as well have come from the other method, swapping them changes nothing
    but chance. The p-value is the share of random swaps with a change at least as large; for a
    mean, this is the sign-flip test of the users' differences. Intervals resample users, each with
    the terms of both methods. All statistics share the same swaps and the same resampled users.

    Args:
        before: By name: one value per user, shape ``(U,)``, for a mean; or ``Terms``.
        after: The same statistics under the other method, rows being the same users in the same
            order. Who has no value under either does not count in that statistic.
        n_replicates: Bootstrap replicates.
        n_swaps: Random swaps; the smallest possible p-value is 1 / (this + 1).
        rng: Source of randomness.
        confidence: Probability that the intervals aim at.

    Returns:
        The differences by name. Where a statistic says nothing, its figures are NaN and its
        p-value is 1.
    """
    if before.keys() != after.keys():
        raise InvalidValue(
            f"{sorted(before.keys() ^ after.keys())} stand on one side only",
            field="after",
            mend="Give the same statistics for both methods.",
        )
    if n_swaps < 1:
        raise InvalidValue(f"n_swaps is {n_swaps}", field="n_swaps")
    pairs = [_paired(as_terms(before[name]), as_terms(after[name]), name) for name in before]
    first, second = TermStack([a for a, _ in pairs]), TermStack([b for _, b in pairs])
    n_users = pairs[0][0].n_users
    everybody = np.ones((1, n_users))
    values_before, values_after = first.at(everybody)[0], second.at(everybody)[0]
    change = values_after - values_before
    drawn = resampling_counts(n_users, n_replicates, rng)
    replicates = np.concatenate([second.at(counts) - first.at(counts) for counts in drawn])
    centred = np.array([a.centred for a, _ in pairs])
    low, high = intervals(change, replicates, centred, confidence)
    p_values = _swap_test(first, second, change, n_swaps, rng)
    adjusted = holm(p_values)
    table = np.column_stack([values_before, values_after, change, low, high, p_values, adjusted])
    return {name: Difference(*map(float, row)) for name, row in zip(before, table, strict=True)}


def _paired(before: Terms, after: Terms, name: str) -> tuple[Terms, Terms]:
    """Both with the users who count under both."""
    if shape_of(before.columns) != shape_of(after.columns):
        raise InvalidValue(
            f"{name!r} has terms {shape_of(before.columns)} and {shape_of(after.columns)}",
            field="after",
            mend="Measure the same users by the same definition.",
        )
    both: BoolArray = before.known & after.known
    return before.keep(both), after.keep(both)


def _swap_test(
    before: TermStack,
    after: TermStack,
    change: FloatArray,
    n_swaps: int,
    rng: np.random.Generator,
) -> FloatArray:
    """P-value of each statistic's change, shape ``(S,)``."""
    n_users = before.terms[0].n_users
    whole = np.ones((1, n_users))
    totals = [a + b for a, b in zip(before.sums(whole), after.sums(whole), strict=True)]
    block = max(1, _CELLS_AT_ONCE // max(n_users, before.widest))
    null: list[FloatArray] = []
    for start in range(0, n_swaps, block):
        stay = rng.integers(0, 2, size=(min(block, n_swaps - start), n_users), dtype=np.int8)
        kept = stay.astype(np.float64)
        # A swapped user's terms go to the other method: Σ stay·after + Σ (1 − stay)·before, and
        # what one side gives up the other side has.
        left, right = after.sums(kept), before.sums(1.0 - kept)
        columns: list[FloatArray] = []
        for a, b, total, x, y in zip(before.terms, after.terms, totals, left, right, strict=True):
            mixed = x + y
            columns.append(b.reduce(mixed) - a.reduce(total - mixed))
        null.append(np.column_stack(columns))
    shuffled = np.abs(np.concatenate(null))
    return np.array(
        [
            permutation_p_value(abs(float(observed)), column[np.isfinite(column)])
            if np.isfinite(observed)
            else 1.0
            for observed, column in zip(change, shuffled.T, strict=True)
        ]
    )
