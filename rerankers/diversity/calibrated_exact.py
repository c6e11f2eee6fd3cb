"""Calibrated slates by minimum-cost flow: the best slate, not a greedy one.

That calibration is a minimum-cost flow is the idea of Abdollahpouri et al. (WSDM 2023). The costs
here are those of Steck's objective, so that greedy and exact slates answer one question.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from .aspects import Aspects

MAX_EXACT_CANDIDATES = 500
"""Candidates per user up to which the exact method is allowed: about 0.1 s per user there."""


def exact_slates(
    relevance: FloatArray,
    aspects: Aspects,
    pools: CandidatePools,
    wanted: FloatArray,
    strength: float,
    alpha: float,
    k: int,
) -> IntArray:
    """The slates with the largest ``(1 − λ) Σ relevance − λ KL(p ‖ q)``, one user at a time.

    Each item of the slate sends one unit of flow through *one* of its aspects, and q is the share
    of the units: where items have one aspect each, this is Steck's objective itself. Where they
    have several, an item counts for whichever of its aspects helps the slate most, instead of for
    all of them evenly.

    Args:
        relevance: Shape ``(U, N)``.
        aspects: The items' aspects.
        pools: The pools.
        wanted: p, shape ``(U, A)``.
        strength: λ.
        alpha: Smoothing of q.
        k: Slate length.

    Returns:
        Columns in base order, shape ``(U, k)``.

    Raises:
        InvalidValue: A pool holds more than ``MAX_EXACT_CANDIDATES``.
    """
    largest = int(pools.sizes.max(initial=0))
    if largest > MAX_EXACT_CANDIDATES:
        raise InvalidValue(
            f"the exact method takes at most {MAX_EXACT_CANDIDATES} candidates, a pool has "
            f"{largest}",
            field="method",
            mend="Use the method 'greedy', or smaller pools.",
        )
    columns = np.empty((len(pools), k), np.intp)
    for user, valid in enumerate(pools.valid):
        place = np.flatnonzero(valid)
        place = place[np.argsort(-relevance[user, place], kind="stable")]
        member = aspects.members[aspects.codes[pools.items[user, place]]] > 0
        chosen = best_subset(relevance[user, place], member, wanted[user], strength, alpha, k)
        columns[user] = place[chosen]
    return columns


def best_subset(
    relevance: FloatArray,
    member: BoolArray,
    wanted: FloatArray,
    strength: float,
    alpha: float,
    k: int,
) -> IntArray:
    """Which ``k`` candidates one user should see.

    Items without an aspect do not count in q, so its denominator is the number of the others. For
    each such number m the best m of them are one flow, and the rest of the slate is the most
    relevant of those without an aspect. O(k · n³) at worst, and n³ where all items have an aspect.

    Args:
        relevance: Shape ``(n,)``, largest first.
        member: Shape ``(n, A)``.
        wanted: p, shape ``(A,)``.
        strength: λ.
        alpha: Smoothing of q.
        k: Slate length, at most n.

    Returns:
        Rows in ascending order, shape ``(k,)``.
    """
    if strength == 0.0 or not wanted.any():
        return np.arange(k)
    counted = member.any(axis=1)
    inside, outside = np.flatnonzero(counted), np.flatnonzero(~counted)
    worth = (1.0 - strength) * relevance
    best, best_value = np.arange(k), -np.inf
    for m in range(max(0, k - len(outside)), min(k, len(inside)) + 1):
        rest = outside[: k - m]
        gains = strength * _slot_gains(wanted, alpha, m)
        flow, value = _maximum_flow(worth[inside], member[inside], gains)
        value += float(worth[rest].sum())
        if value > best_value:
            best, best_value = np.sort(np.concatenate([inside[flow], rest])), value
    return best


def _slot_gains(wanted: FloatArray, alpha: float, m: int) -> FloatArray:
    """What the j-th of an aspect's items adds to Σ p ln q, in a slate of m, shape ``(A, m)``.

    Falls with j, for the logarithm is concave: a flow never fills a later slot first.
    """
    share = np.arange(m + 1) / max(m, 1)
    smooth = (1.0 - alpha) * share + alpha * wanted[:, None]
    logs = np.log(np.where(wanted[:, None] > 0, smooth, 1.0))
    return wanted[:, None] * np.diff(logs, axis=1)


def _maximum_flow(
    worth: FloatArray, member: BoolArray, gains: FloatArray
) -> tuple[IntArray, float]:
    """Choose m items and an aspect for each, so that worth and slot gains sum to the most.

    A flow from a source over items, aspects and slots to a sink, every edge of capacity 1, is an
    assignment of items to slots: those that stay out are assigned to slots of their own.

    Args:
        worth: Shape ``(n,)``.
        member: Which aspects each item may use, at least one, shape ``(n, A)``.
        gains: Of each aspect's slots, shape ``(A, m)``.

    Returns:
        The m items, and the sum.
    """
    n, m = len(worth), gains.shape[1]
    value = np.where(member[:, :, None], worth[:, None, None] + gains, -np.inf)
    value = value.reshape(n, member.shape[1] * m)
    largest = float(np.abs(value).max(initial=1.0, where=np.isfinite(value)))
    # All below 0, so that no item takes a slot while it can stay out: exactly m of them do.
    taken = value / largest - 2.0
    item, slot = linear_sum_assignment(np.hstack([taken, np.zeros((n, n - m))]), maximize=True)
    chosen = slot < value.shape[1]
    return item[chosen], float(value[item[chosen], slot[chosen]].sum())
