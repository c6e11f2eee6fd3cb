"""When users come and items are due: drawn up front, so the same under any policy."""

from typing import Literal

import numpy as np

from ...arrays import IntArray
from .. import randomness


def arrival_days(
    keys: randomness.Keys,
    share_at_start: float,
    horizon: int,
    process: Literal["poisson", "fixed"],
) -> IntArray:
    """The day on which each of ``n`` arrives, shape ``(n,)``; some may lie beyond the horizon.

    A share is there on day 0; who that is, and in which order the others follow, is decided by
    their keys. The others follow from day 1 on, at a constant rate of (others) / (horizon − 1):
    with exponential gaps, a Poisson process (some may then come too late), or with equal ones.

    Args:
        keys: One per user or item, shape ``(n,)``.
        share_at_start: In (0, 1]; rounded to a whole number, at least one.
        horizon: Days simulated.
        process: How the gaps are drawn.
    """
    n = len(keys)
    order = np.argsort(keys, kind="stable")
    n_first = min(max(round(share_at_start * n), 1), n)
    n_rest = n - n_first
    days = np.zeros(n, np.int64)
    if n_rest == 0:
        return days
    gap = max(horizon - 1, 1) / n_rest
    if process == "fixed":
        times = gap * np.arange(n_rest)
    else:
        luck = randomness.uniforms(randomness.derive(keys[order[n_first:]], np.zeros(1, np.int64)))
        times = np.cumsum(-np.log1p(-luck.astype(np.float64))) * gap
    days[order[n_first:]] = 1 + np.floor(times).astype(np.int64)
    return days
