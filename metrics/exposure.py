"""Who is seen: exposure of items and of groups of items.

Exposure of position j (from 1) is 1/log2(j + 1) unless a discount is given. Exposure of items
whose group is not known stays in every denominator, so shares of known groups sum to at most 1.
"""

import numpy as np

from ..arrays import MISSING, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import require_lists, sum_by


def position_discount(k: int) -> FloatArray:
    """1/log2(j + 1) for positions j = 1…k, shape ``(k,)`` (Järvelin & Kekäläinen 2002)."""
    if k < 1:
        raise InvalidValue(f"k is {k}", field="k", mend="Use a k of at least 1.")
    return 1.0 / np.log2(np.arange(2, k + 2))


def rbp_discount(k: int, patience: float) -> FloatArray:
    """patience^(j − 1) for positions j = 1…k, shape ``(k,)`` (Moffat & Zobel 2008)."""
    if not 0.0 < patience < 1.0:
        raise InvalidValue(f"patience is {patience}", field="patience", mend="Use (0, 1).")
    return patience ** np.arange(k, dtype=np.float64)


def list_exposure(lists: IntArray, discount: FloatArray | None = None) -> FloatArray:
    """Exposure that each list hands out, empty positions none, shape ``(U,)``."""
    return _position_exposure(lists, discount).sum(axis=1)


def item_exposure(lists: IntArray, n_items: int, discount: FloatArray | None = None) -> FloatArray:
    """Exposure of every item, summed over the lists, shape ``(I,)``."""
    valid = require_lists(lists, n_items)
    weights = _position_exposure(lists, discount)
    return sum_by(lists[valid], weights[valid], n_items)


def group_exposure(
    lists: IntArray, codes: IntArray, n_groups: int, discount: FloatArray | None = None
) -> FloatArray:
    """Exposure that each list hands to each group.

    Args:
        lists: Item indices, shape ``(U, k)``.
        codes: Group of each item, shape ``(I,)``, ``MISSING`` where it is not known.
        n_groups: Number of groups ``G``.
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.

    Returns:
        Shape ``(U, G)``, summed over the positions of a list.
    """
    valid = require_lists(lists, len(codes))
    weights = _position_exposure(lists, discount)
    group = np.where(valid, codes[np.where(valid, lists, 0)], MISSING)
    known = group != MISSING
    row = np.broadcast_to(np.arange(len(lists))[:, None], lists.shape)
    cell = row[known] * n_groups + group[known]
    flat = sum_by(cell, weights[known], len(lists) * n_groups)
    return flat.reshape(len(lists), n_groups)


def exposure_share(
    lists: IntArray, codes: IntArray, n_groups: int, discount: FloatArray | None = None
) -> FloatArray:
    """Share of all exposure that each group receives, shape ``(G,)``; NaN if nothing is shown."""
    by_group = group_exposure(lists, codes, n_groups, discount).sum(axis=0)
    total = float(list_exposure(lists, discount).sum())
    return by_group / total if total > 0 else np.full(n_groups, np.nan)


def exposure_per_item(
    lists: IntArray, codes: IntArray, n_groups: int, discount: FloatArray | None = None
) -> FloatArray:
    """Mean exposure of a group's items, per list (Singh & Joachims 2018), shape ``(G,)``.

    Every item of the catalogue counts, shown or not; NaN for a group without items.
    """
    sizes = np.bincount(codes[codes != MISSING], minlength=n_groups)
    by_group = group_exposure(lists, codes, n_groups, discount).sum(axis=0) / max(len(lists), 1)
    return np.divide(by_group, sizes, out=np.full(n_groups, np.nan), where=sizes > 0)


def parity_ratio(per_group: FloatArray) -> FloatArray:
    """Smallest / largest value over groups (Singh & Joachims 2018), 1 where all are equal.

    Args:
        per_group: Not negative, shape ``(..., G)``; NaN entries are left out.

    Returns:
        Shape ``(...)``; NaN where no group has a positive value.
    """
    low = np.where(np.isnan(per_group), np.inf, per_group).min(axis=-1)
    high = np.where(np.isnan(per_group), -np.inf, per_group).max(axis=-1)
    return np.divide(low, high, out=np.full(np.shape(high), np.nan), where=high > 0)


def worst_half_share(per_group: FloatArray) -> float:
    """Share held by the worse half of the groups (MMF@worst-half), shape ``(G,)`` in.

    With an odd number of groups the half is rounded down, at least one group.
    """
    ordered = np.sort(per_group)
    return float(ordered[: max(len(ordered) // 2, 1)].sum() / ordered.sum())


def disparate_treatment_ratio(
    exposure: FloatArray, relevance: FloatArray, codes: IntArray, group_a: int, group_b: int
) -> float:
    """(exposure A / relevance A) / (exposure B / relevance B) (Singh & Joachims 2018, DTR).

    Args:
        exposure: Exposure of each item, shape ``(I,)``.
        relevance: Relevance of each item, shape ``(I,)``, from held-out data or judges.
        codes: Group of each item, shape ``(I,)``.
        group_a: Code of the group above the fraction line.
        group_b: Code of the group below it.

    Returns:
        1 where exposure follows relevance; NaN if a group has neither.
    """
    a, b = codes == group_a, codes == group_b
    numerator = exposure[a].mean() * relevance[b].mean()
    denominator = exposure[b].mean() * relevance[a].mean()
    return float(numerator / denominator) if denominator > 0 else float("nan")


def disparate_impact_ratio(
    exposure: FloatArray, relevance: FloatArray, codes: IntArray, group_a: int, group_b: int
) -> float:
    """DTR with click-through, exposure × relevance, in place of exposure (the paper's DIR)."""
    return disparate_treatment_ratio(exposure * relevance, relevance, codes, group_a, group_b)


def amortised_inequity(attention: FloatArray, relevance: FloatArray) -> float:
    """Σ |attention share − relevance share| over items, amortised (Biega et al. 2018, IAA).

    Args:
        attention: Attention per ranking and item, shape ``(R, I)``.
        relevance: Relevance per ranking and item, shape ``(R, I)``.

    Returns:
        0 (attention follows relevance) to 2.
    """
    attended, deserved = attention.sum(axis=0), relevance.sum(axis=0)
    if attended.sum() <= 0 or deserved.sum() <= 0:
        raise InvalidValue("attention and relevance must each sum above 0", field="relevance")
    return float(np.abs(attended / attended.sum() - deserved / deserved.sum()).sum())


def awrf(
    lists: IntArray,
    codes: IntArray,
    target: FloatArray,
    distance: str = "tv",
    discount: FloatArray | None = None,
) -> FloatArray:
    """1 − distance(exposure share in the list, target share) (Sapiezynski et al. 2019, AWRF).

    Args:
        lists: Item indices, shape ``(U, k)``.
        codes: Group of each item, shape ``(I,)``; items without a group are left out.
        target: Wanted share of each group, shape ``(G,)``, sums to 1.
        distance: ``"tv"`` (total variation) or ``"js"`` (Jensen-Shannon divergence, bits).
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.

    Returns:
        Values in [0, 1], shape ``(U,)``; NaN for a list without a grouped item.
    """
    if distance not in ("tv", "js"):
        raise InvalidValue(f"unknown distance {distance!r}", field="distance", mend="tv or js.")
    by_group = group_exposure(lists, codes, len(target), discount)
    total = by_group.sum(axis=1, keepdims=True)
    share = np.divide(by_group, total, out=np.full_like(by_group, np.nan), where=total > 0)
    if distance == "tv":
        return 1.0 - 0.5 * np.abs(share - target).sum(axis=1)
    middle = (share + target) / 2.0
    return 1.0 - 0.5 * (
        _kl_bits(share, middle) + _kl_bits(np.broadcast_to(target, share.shape), middle)
    )


def _kl_bits(p: FloatArray, q: FloatArray) -> FloatArray:
    """KL divergence along the last axis in bits, 0·log 0 = 0."""
    ratio = np.divide(p, q, out=np.ones_like(q), where=~(p == 0))
    return (p * np.log2(ratio)).sum(axis=-1)


def _position_exposure(lists: IntArray, discount: FloatArray | None) -> FloatArray:
    """Exposure at each position of each list, 0 where empty, shape ``(U, k)``."""
    weights = position_discount(lists.shape[1]) if discount is None else discount
    if weights.shape != lists.shape[1:]:
        raise InvalidValue(
            f"{weights.shape} discounts for {lists.shape[1]} positions", field="discount"
        )
    return np.where(lists >= 0, weights, 0.0)
