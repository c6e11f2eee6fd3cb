"""Who is seen: exposure of items and of groups of items.

Exposure of position j (from 1) is 1/log2(j + 1) unless a discount is given. Exposure of items
whose group is not known stays in every denominator, so shares of known groups sum to at most 1.
"""

import numpy as np
import scipy.sparse as sp

from ..arrays import FloatArray, IntArray
from ..errors import InvalidValue
from .lists import require_not_negative
from .policy_exposure import (
    ShareDistance,
    expected_awrf,
    expected_exposure_matrix,
    expected_exposure_per_item,
    expected_exposure_share,
    expected_group_exposure,
    expected_item_exposure,
)


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
    return np.where(lists >= 0, position_exposure(lists, discount), 0.0).sum(axis=1)


def item_exposure(lists: IntArray, n_items: int, discount: FloatArray | None = None) -> FloatArray:
    """Exposure of every item, summed over the lists, shape ``(I,)``."""
    return expected_item_exposure(position_exposure(lists, discount), lists, n_items)


def exposure_matrix(
    lists: IntArray, n_items: int, discount: FloatArray | None = None
) -> sp.csr_array:
    """Exposure that each list hands to each item, shape ``(U, I)``."""
    return expected_exposure_matrix(position_exposure(lists, discount), lists, n_items)


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
    return expected_group_exposure(position_exposure(lists, discount), lists, codes, n_groups)


def exposure_share(
    lists: IntArray, codes: IntArray, n_groups: int, discount: FloatArray | None = None
) -> FloatArray:
    """Share of all exposure that each group receives, shape ``(G,)``; NaN if nothing is shown."""
    return expected_exposure_share(position_exposure(lists, discount), lists, codes, n_groups)


def exposure_per_item(
    lists: IntArray, codes: IntArray, n_groups: int, discount: FloatArray | None = None
) -> FloatArray:
    """Mean exposure of a group's items, per list (Singh & Joachims 2018), shape ``(G,)``.

    Every item of the catalogue counts, shown or not; NaN for a group without items.
    """
    exposure = position_exposure(lists, discount)
    return expected_exposure_per_item(exposure, lists, codes, n_groups)


def parity_ratio(per_group: FloatArray) -> FloatArray:
    """Smallest / largest value over groups (Singh & Joachims 2018), 1 where all are equal.

    Args:
        per_group: Not negative, shape ``(..., G)``; NaN entries are left out.

    Returns:
        Shape ``(...)``; NaN where no group has a positive value.
    """
    require_not_negative(per_group, "per_group")
    low = np.where(np.isnan(per_group), np.inf, per_group).min(axis=-1)
    high = np.where(np.isnan(per_group), -np.inf, per_group).max(axis=-1)
    return np.divide(low, high, out=np.full(np.shape(high), np.nan), where=high > 0)


def worst_half_share(per_group: FloatArray) -> float:
    """Share held by the worse half of the groups (MMF@worst-half), shape ``(G,)`` in.

    With an odd number of groups the half is rounded down, at least one group; NaN if all have 0.
    """
    require_not_negative(per_group, "per_group")
    if per_group.sum() <= 0:
        return float("nan")
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
        1 where exposure follows relevance; NaN if group B has no exposure or A no relevance.

    Raises:
        InvalidValue: A group holds no item, or an exposure or relevance is negative.
    """
    require_not_negative(exposure, "exposure")
    require_not_negative(relevance, "relevance")
    a, b = codes == group_a, codes == group_b
    if not (a.any() and b.any()):
        raise InvalidValue(
            f"group {group_b if a.any() else group_a} holds no item",
            field="codes",
            mend="Compare groups that occur.",
        )
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
    require_not_negative(attention, "attention")
    require_not_negative(relevance, "relevance")
    attended, deserved = attention.sum(axis=0), relevance.sum(axis=0)
    if attended.sum() <= 0 or deserved.sum() <= 0:
        raise InvalidValue("attention and relevance must each sum above 0", field="relevance")
    return float(np.abs(attended / attended.sum() - deserved / deserved.sum()).sum())


def awrf(
    lists: IntArray,
    codes: IntArray,
    target: FloatArray,
    distance: ShareDistance = "tv",
    discount: FloatArray | None = None,
) -> FloatArray:
    """1 − distance(exposure share in the list, target share) (Sapiezynski et al. 2019, AWRF).

    Args:
        lists: Item indices, shape ``(U, k)``.
        codes: Group of each item, shape ``(I,)``; items without a group are left out.
        target: Wanted share of each group, shape ``(G,)``, not negative, sums to 1.
        distance: ``"tv"`` (total variation) or ``"js"`` (Jensen-Shannon divergence, bits).
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.

    Returns:
        Values in [0, 1], shape ``(U,)``; NaN for a list without a grouped item.
    """
    return expected_awrf(position_exposure(lists, discount), lists, codes, target, distance)


def position_exposure(lists: IntArray, discount: FloatArray | None = None) -> FloatArray:
    """Discount of each position, whether it is filled or not, shape ``(U, k)``."""
    weights = position_discount(lists.shape[1]) if discount is None else discount
    if weights.shape != lists.shape[1:]:
        raise InvalidValue(
            f"{weights.shape} discounts for {lists.shape[1]} positions", field="discount"
        )
    require_not_negative(weights, "discount")
    return np.broadcast_to(weights, lists.shape)
