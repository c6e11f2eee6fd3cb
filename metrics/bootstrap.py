"""User-level bootstrap: how far an estimate would move with other users from the same population.

Users are resampled, never rows, because one user's positions and lists hang together. Everything
that is a function of sums over users (means, group means, shares, ratios) comes from one matrix
product of resampling counts with per-user columns (Efron & Tibshirani 1993).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .lists import sum_by

_CELLS_AT_ONCE = 2_000_000  # counts held at a time: 16 MB


class Estimate(NamedTuple):
    """A value and its bootstrap interval."""

    value: float
    low: float
    high: float


def resampling_counts(
    n_users: int, n_replicates: int, rng: np.random.Generator
) -> Iterator[FloatArray]:
    """How often each user is drawn in each replicate, in blocks of shape ``(b, U)``.

    Each row draws ``U`` users with replacement, so it sums to ``U``; all blocks together have
    ``n_replicates`` rows.
    """
    if n_users < 1:
        raise EmptyData("there is no user to resample", field="users")
    if n_replicates < 1:
        raise InvalidValue(f"n_replicates is {n_replicates}", field="n_replicates")
    block = max(1, _CELLS_AT_ONCE // n_users)
    for start in range(0, n_replicates, block):
        shape = (min(block, n_replicates - start), n_users)
        drawn = rng.integers(0, n_users, size=shape, dtype=np.int32)
        counts = np.empty(shape)
        for row, users in zip(counts, drawn, strict=True):
            row[:] = np.bincount(users, minlength=n_users)  # row by row stays in the cache
        yield counts


def bootstrap_sums(columns: FloatArray, n_replicates: int, rng: np.random.Generator) -> FloatArray:
    """Column sums over resampled users.

    Args:
        columns: Per-user terms, finite, shape ``(U, M)``; a mean over some users is the ratio of
            a column of values (0 for the others) and a column of ones (0 for the others).
        n_replicates: Number of replicates ``B``.
        rng: Source of randomness.

    Returns:
        Shape ``(B, M)``. All columns of a replicate share the same users, so differences and
        ratios of columns are paired.
    """
    if not np.isfinite(columns).all():
        raise InvalidValue("columns hold NaN or infinity", field="columns")
    blocks = [counts @ columns for counts in resampling_counts(len(columns), n_replicates, rng)]
    return np.concatenate(blocks)


def bootstrap_item_amounts(
    user: IntArray,
    item: IntArray,
    amount: FloatArray,
    n_users: int,
    n_items: int,
    n_replicates: int,
    rng: np.random.Generator,
) -> Iterator[FloatArray]:
    """What each item receives from resampled users, for statistics such as Gini or coverage.

    Args:
        user: User index of each entry, shape ``(E,)``.
        item: Item index of each entry, shape ``(E,)``.
        amount: What the user hands to the item, shape ``(E,)``.
        n_users: Number of users ``U``.
        n_items: Number of items ``I``.
        n_replicates: Number of replicates.
        rng: Source of randomness.

    Yields:
        One array of shape ``(I,)`` per replicate.
    """
    for counts in resampling_counts(n_users, n_replicates, rng):
        for row in counts:
            yield sum_by(item, row[user] * amount, n_items)


def interval(replicates: FloatArray, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Percentile interval over the first axis; NaN replicates are left out.

    Returns:
        Low and high ends, each of the shape of one replicate.
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidValue(f"confidence is {confidence}", field="confidence", mend="Use (0, 1).")
    tail = (1.0 - confidence) / 2.0
    low, high = np.nanquantile(replicates, [tail, 1.0 - tail], axis=0)
    return low, high


def centred_interval(
    value: float, replicates: FloatArray, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the replicates' spread, laid around the estimate.

    Resampling users drops some and repeats others, which lowers coverage and raises Gini in
    every replicate. That shift is an artefact of resampling, so it is taken out; the spread is
    kept.

    Args:
        value: The estimate from all users.
        replicates: Shape ``(B,)``.
        confidence: Probability that the interval aims at.
    """
    low, high = interval(replicates - replicates.mean(), confidence)
    return value + float(low), value + float(high)


def mean_interval(
    values: FloatArray, n_replicates: int, rng: np.random.Generator, confidence: float = 0.95
) -> Estimate:
    """Mean over users with its interval; users with NaN are left out.

    Args:
        values: One per user, shape ``(U,)``.
        n_replicates: Number of replicates.
        rng: Source of randomness.
        confidence: Probability that the interval aims at.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        raise EmptyData("no user has a value", field="values")
    means = bootstrap_sums(known[:, None], n_replicates, rng)[:, 0] / len(known)
    low, high = interval(means, confidence)
    return Estimate(float(known.mean()), float(low), float(high))


def paired_difference(
    before: FloatArray,
    after: FloatArray,
    n_replicates: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Estimate:
    """Mean of ``after − before`` over the same users, with its interval.

    Args:
        before: One value per user, shape ``(U,)``.
        after: One value per user, in the same order; users with NaN in either are left out.
        n_replicates: Number of replicates.
        rng: Source of randomness.
        confidence: Probability that the interval aims at.
    """
    if before.shape != after.shape:
        raise InvalidValue(f"{before.shape} and {after.shape} are not paired", field="after")
    return mean_interval(after - before, n_replicates, rng, confidence)
