"""Intervals for estimates from clustered rows: the delete-a-group jackknife.

Rows of one user (or of one slate, where nobody is named) depend on each other. Whole clusters are
put into random groups, and the estimate is made again without each group (Kott 2001, "The
delete-a-group jackknife", Journal of Official Statistics).
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import t as student

from ...arrays import FloatArray, IntArray
from ..impressions import ImpressionLog

GROUPS = 40
CONFIDENCE = 0.95


def clusters(log: ImpressionLog) -> IntArray:
    """What each row depends on: its user, or its slate where users are not known, ``(R,)``."""
    return log.slate if log.user is None else log.user


def random_groups(of: IntArray, n: int, seed: int) -> IntArray:
    """Put clusters into ``n`` groups of nearly equal size at random, shape of ``of``."""
    found, place = np.unique(of, return_inverse=True)
    group = np.random.default_rng(seed).permutation(len(found)) % n
    return group[place]


def jackknife(estimate: Callable[[int], FloatArray], n: int = GROUPS) -> FloatArray:
    """Estimates without each group, shape ``(n, E)``; see ``spread`` and ``interval``.

    Args:
        estimate: The estimates ``(E,)`` without a group.
        n: Groups.
    """
    return np.stack([estimate(group) for group in range(n)])


def spread(replicates: FloatArray) -> FloatArray:
    """Standard errors from jackknife replicates, shape ``(E,)``; NaN where one is not finite."""
    n = len(replicates)
    # A replicate without a click at a position has log 0 there: no error can be given.
    known = np.isfinite(replicates).all(axis=0)
    safe = np.where(known, replicates, 0.0)
    error = np.sqrt((n - 1) / n * ((safe - safe.mean(axis=0)) ** 2).sum(axis=0))
    return np.where(known, error, np.nan)


def interval(
    value: FloatArray | float, error: FloatArray | float, n: int = GROUPS
) -> tuple[FloatArray, FloatArray]:
    """Ends of the interval around ``value``, by Student's t with ``n − 1`` degrees of freedom."""
    reach = float(student.ppf(0.5 + CONFIDENCE / 2, n - 1)) * np.asarray(error)
    return np.asarray(value - reach), np.asarray(value + reach)
