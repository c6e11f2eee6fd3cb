"""Statistics of what items, and groups of items, receive from all users together, as ``Terms``."""

import numpy as np
import scipy.sparse as sp

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue
from .diversity import gini, shannon_entropy
from .exposure import parity_ratio
from .lists import require_lists
from .policy_exposure import expected_exposure_matrix
from .terms import Terms, ratio_terms, shape_of


def shown_matrix(lists: IntArray, n_items: int) -> sp.csr_array:
    """How often each user is shown each item, shape ``(U, I)``."""
    require_lists(lists, n_items)
    return expected_exposure_matrix(np.ones(lists.shape), lists, n_items)


def gini_of(amounts: sp.csr_array) -> Terms:
    """Gini index of what items receive, shape ``(U, I)`` in; items that get nothing included."""
    return Terms(amounts, gini, _everybody(amounts), centred=True)


def entropy_of(amounts: sp.csr_array, base: float = 2.0) -> Terms:
    """Shannon entropy of what items receive, shape ``(U, I)`` in."""

    def reduce(sums: FloatArray) -> FloatArray:
        return shannon_entropy(sums, base)

    return Terms(amounts, reduce, _everybody(amounts), centred=True)


def coverage_of(amounts: sp.csr_array) -> Terms:
    """Share of items that receive anything, shape ``(U, I)`` in."""

    def reduce(sums: FloatArray) -> FloatArray:
        return (sums > 0).mean(axis=-1)

    return Terms(amounts, reduce, _everybody(amounts), centred=True)


def inequity_of(attention: sp.csr_array, relevance: sp.csr_array) -> Terms:
    """Σ |attention share − relevance share| over items (Biega et al. 2018, IAA).

    Args:
        attention: Attention that each user gives each item, shape ``(U, I)``.
        relevance: Relevance of each item to each user, shape ``(U, I)``.
    """
    if shape_of(attention) != shape_of(relevance):
        raise InvalidValue(
            f"attention {shape_of(attention)} and relevance {shape_of(relevance)} do not pair up",
            field="relevance",
        )
    n_items = shape_of(attention)[1]

    def reduce(sums: FloatArray) -> FloatArray:
        attended, deserved = _shares(sums[..., :n_items]), _shares(sums[..., n_items:])
        return np.abs(attended - deserved).sum(axis=-1)

    columns = sp.csr_array(sp.hstack([attention, relevance]))
    return Terms(columns, reduce, _everybody(attention), centred=True)


def parity_of(by_group: FloatArray, sizes: IntArray) -> Terms:
    """Smallest / largest exposure per item over groups of items (Singh & Joachims 2018).

    Args:
        by_group: Exposure that each user hands to each group, shape ``(U, G)``.
        sizes: Items of each group, shape ``(G,)``; groups without items are left out.
    """
    present = _present(sizes)

    def reduce(sums: FloatArray) -> FloatArray:
        return parity_ratio(sums / sizes[present])

    return Terms(by_group[:, present], reduce, np.ones(len(by_group), dtype=np.bool_))


def share_of(by_group: FloatArray, total: FloatArray, group: int) -> Terms:
    """Share of all exposure that one group of items receives.

    Args:
        by_group: Exposure that each user hands to each group, shape ``(U, G)``.
        total: All exposure that each user hands out, shape ``(U,)``.
        group: Code of the group.
    """
    return ratio_terms(by_group[:, group], total)


def worst_half_of(by_group: FloatArray, sizes: IntArray) -> Terms:
    """Share of exposure held by the worse half of the groups (MMF@worst-half, Xu et al. 2023).

    With an odd number of groups the half is rounded down, at least one group.

    Args:
        by_group: Exposure that each user hands to each group, shape ``(U, G)``.
        sizes: Items of each group, shape ``(G,)``; groups without items are left out.
    """
    present = _present(sizes)
    n_worst = max(int(present.sum()) // 2, 1)

    def reduce(sums: FloatArray) -> FloatArray:
        return np.sort(_shares(sums), axis=-1)[..., :n_worst].sum(axis=-1)

    return Terms(by_group[:, present], reduce, np.ones(len(by_group), dtype=np.bool_))


def treatment_parity_of(by_group: FloatArray, relevance_by_group: FloatArray) -> Terms:
    """Smallest / largest exposure per relevance over groups of items.

    For two groups this is DTR (Singh & Joachims 2018) or its inverse, whichever is below 1; for
    more, the smallest DTR of any pair. With clicks in place of exposure it is DIR.

    Args:
        by_group: Exposure that each user hands to each group, shape ``(U, G)``.
        relevance_by_group: Relevance that each group has to each user, shape ``(U, G)``. Groups
            without any are left out.
    """
    if by_group.shape != relevance_by_group.shape:
        raise InvalidValue("exposure and relevance do not pair up", field="relevance_by_group")
    n_groups = by_group.shape[1]

    def reduce(sums: FloatArray) -> FloatArray:
        exposure, relevance = sums[..., :n_groups], sums[..., n_groups:]
        nothing = np.full(np.shape(exposure), np.nan)
        return parity_ratio(np.divide(exposure, relevance, out=nothing, where=relevance > 0))

    columns = np.hstack([by_group, relevance_by_group])
    return Terms(columns, reduce, np.ones(len(by_group), dtype=np.bool_))


def popularity_lift_of(list_popularity: FloatArray, profile: FloatArray) -> Terms:
    """(GAP of lists − GAP of profiles) / GAP of profiles (Abdollahpouri et al. 2020).

    Args:
        list_popularity: Mean popularity of each user's list, shape ``(U,)``.
        profile: Mean popularity of each user's profile, shape ``(U,)``.
    """
    known = np.isfinite(list_popularity) & np.isfinite(profile)
    columns = np.column_stack([np.where(known, v, 0.0) for v in (list_popularity, profile)])

    def reduce(sums: FloatArray) -> FloatArray:
        lists, profiles = sums[..., 0], sums[..., 1]
        nothing = np.full(np.shape(lists), np.nan)
        return np.divide(lists - profiles, profiles, out=nothing, where=profiles > 0)

    return Terms(columns, reduce, known)


def _everybody(amounts: sp.csr_array) -> BoolArray:
    return np.ones(shape_of(amounts)[0], dtype=np.bool_)


def _present(sizes: IntArray) -> BoolArray:
    """Groups that have items."""
    present = sizes > 0
    if np.count_nonzero(present) < 2:
        raise EmptyData("exposure is compared between two groups with items", field="sizes")
    return present


def _shares(sums: FloatArray) -> FloatArray:
    """Shares along the last axis; NaN where all are 0."""
    total = sums.sum(axis=-1, keepdims=True)
    return np.divide(sums, total, out=np.full(np.shape(sums), np.nan), where=total > 0)
