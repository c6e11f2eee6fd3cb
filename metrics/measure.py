"""Many statistics of the same users, each with its interval, on one common resampling."""

from collections.abc import Mapping

import numpy as np

from ..arrays import FloatArray
from .bootstrap import Estimate, interval, resampling_counts
from .terms import Measured, TermStack, as_terms


def measure(
    statistics: Mapping[str, Measured],
    n_replicates: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> dict[str, Estimate]:
    """Estimate every statistic and lay a user-level bootstrap interval around it.

    Args:
        statistics: By name: one value per user, shape ``(U,)``, for a mean; or ``Terms``. The rows
            of all are the same users.
        n_replicates: Number of replicates ``B``.
        rng: Source of randomness.
        confidence: Probability that the intervals aim at.

    Returns:
        The estimates by name, in the same order; NaN where a statistic says nothing.
    """
    terms = [as_terms(measured) for measured in statistics.values()]
    stack = TermStack(terms)
    values = stack.at(np.ones((1, terms[0].n_users)))[0]
    drawn = resampling_counts(terms[0].n_users, n_replicates, rng)
    replicates = np.concatenate([stack.at(counts) for counts in drawn])
    centred = np.array([t.centred for t in terms])
    low, high = intervals(values, replicates, centred, confidence)
    return {
        name: Estimate(float(value), float(a), float(b))
        for name, value, a, b in zip(statistics, values, low, high, strict=True)
    }


def intervals(
    values: FloatArray, replicates: FloatArray, centred: np.ndarray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Percentile intervals, laid around the value where resampling shifts a statistic.

    Args:
        values: Estimates, shape ``(S,)``.
        replicates: Shape ``(B, S)``; NaN replicates are left out.
        centred: Statistics to be laid around their estimate, shape ``(S,)``.
        confidence: Probability that the intervals aim at.

    Returns:
        Low and high ends, shape ``(S,)``; NaN where the value is.
    """
    low, high = np.full((2, len(values)), np.nan)
    known = np.isfinite(values) & np.isfinite(replicates).any(axis=0)
    if known.any():
        drawn = replicates[:, known]
        shift = np.where(centred[known], values[known] - np.nanmean(drawn, axis=0), 0.0)
        low[known], high[known] = interval(drawn + shift, confidence)
    return low, high
