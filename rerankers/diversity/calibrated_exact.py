"""The calibrated slate with the largest objective, proven, instead of a greedy one.

Where every candidate has one aspect at most, this is a minimum-cost flow, an idea of Abdollahpouri
et al. (WSDM 2023): the source sends an item's unit over the item to its aspect, and from there to
the sink over one of the aspect's slots, whose costs rise. The costs here are those of Steck's
objective. Where items have several aspects, the objective is no flow any more but a concave
integer programme (`calibrated_milp`).
"""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from .aspects import Aspects
from .calibrated_milp import IntegerProgramme, agreement

MAX_EXACT_CANDIDATES = 200
"""Candidates per user up to which integer programmes are solved; flows have no such limit."""


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
        InvalidValue: A pool with items of several aspects holds more than
            ``MAX_EXACT_CANDIDATES``, or its optimum cannot be proven with reasonable effort.
    """
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

    Items without an aspect do not count in q, so its denominator is the number m of the others.
    For each m, the best m of those are one programme, and the most relevant items without an
    aspect fill the slate.

    Args:
        relevance: Shape ``(n,)``, largest first.
        member: Shape ``(n, A)``.
        wanted: p, shape ``(A,)``.
        strength: λ.
        alpha: Smoothing of q.
        k: Slate length, at most n.

    Returns:
        Rows in ascending order, shape ``(k,)``. O(k · n log n) where each item has one aspect at
        most; exponential at worst where they have several.
    """
    if strength == 0.0 or not wanted.any():
        return np.arange(k)
    n_aspects = member.sum(axis=1)
    inside, outside = np.flatnonzero(n_aspects), np.flatnonzero(n_aspects == 0)
    single = int(n_aspects.max()) <= 1
    if not single and len(relevance) > MAX_EXACT_CANDIDATES:
        raise InvalidValue(
            f"the exact method takes at most {MAX_EXACT_CANDIDATES} candidates where items have "
            f"several aspects, a pool has {len(relevance)}",
            field="method",
            mend="Use the method 'greedy', or smaller pools.",
        )
    worth = (1.0 - strength) * relevance
    spread = member / np.maximum(n_aspects, 1)[:, None]
    lengths = range(max(0, k - len(outside)), min(k, len(inside)) + 1)

    def filled(counted: IntArray) -> IntArray:
        return np.concatenate([inside[counted], outside[: k - len(counted)]])

    def value(slate: IntArray) -> float:
        share = spread[slate].sum(axis=0)
        terms = agreement(wanted, share / max(float(share.sum()), 1.0), alpha)
        return float(worth[slate].sum() + strength * terms.sum())

    if single:
        aspect = member[inside].argmax(axis=1)
        gains = (strength * slot_gains(wanted, alpha, m) for m in lengths)
        slates = (filled(flow_subset(worth[inside], aspect, gain)) for gain in gains)
        return np.sort(max(slates, key=value))
    best = filled(np.arange(lengths[0]))
    # Slates with many counted items tend to be the better ones: they raise the floor for the rest.
    for m in reversed(lengths[lengths[0] == 0 :]):
        floor = value(best) - float(worth[outside[: k - m]].sum())
        programme = IntegerProgramme(worth[inside], spread[inside], wanted, strength, alpha, m)
        counted = programme.best(floor)
        if counted is not None:
            best = max(best, filled(counted), key=value)
    return np.sort(best)


def slot_gains(wanted: FloatArray, alpha: float, m: int) -> FloatArray:
    """What the j-th of an aspect's items adds to Σ p ln q, in a slate of m, shape ``(A, m)``."""
    share = np.arange(m + 1) / max(m, 1)
    return np.diff(agreement(wanted[:, None], share, alpha), axis=1)


def flow_subset(worth: FloatArray, aspect: IntArray, gains: FloatArray) -> IntArray:
    """Choose m items of one aspect each, so that worth and slot gains sum to the most.

    Gains fall from slot to slot, for the logarithm is concave, so an aspect's best items take its
    slots in order. Then every shortest augmenting path of the flow is a single new item, and the
    maximum is that of the m largest sums.

    Args:
        worth: Shape ``(n,)``, largest first.
        aspect: Shape ``(n,)``.
        gains: Shape ``(A, m)``, m at most n.

    Returns:
        The m items.
    """
    m = gains.shape[1]
    order = np.argsort(aspect, kind="stable")
    slot = np.empty(len(worth), np.intp)
    slot[order] = np.arange(len(worth)) - np.searchsorted(aspect[order], aspect[order])
    open_ = np.flatnonzero(slot < m)
    value = worth[open_] + gains[aspect[open_], slot[open_]]
    return open_[np.argsort(-value, kind="stable")[:m]]
