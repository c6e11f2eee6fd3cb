"""Exposure metrics for any expected exposure: of a list, of sampled rankings, of a mixture.

A policy is described by two arrays of shape ``(U, N)``: the items it may show a user (``PAD`` where
a pool is shorter) and the exposure that each is expected to get. A deterministic list is the case
where the columns are positions and the exposure is their discount; ``exposure`` says so.
"""

from typing import Literal

import numpy as np
import scipy.sparse as sp

from ..arrays import MISSING, PAD, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import require_lists, sum_by
from .terms import Terms, divide_sums

ShareDistance = Literal["tv", "js"]


def require_exposure(exposure: FloatArray, items: IntArray, n_items: int) -> BoolArray:
    """Columns that hold an item, shape ``(U, N)``.

    Raises:
        InvalidValue: Shapes differ, an item index is out of range, or an exposure is negative, NaN
            or infinite.
    """
    valid = require_lists(items, n_items)
    if exposure.shape != items.shape:
        raise InvalidValue(
            f"exposure of shape {exposure.shape} for items of shape {items.shape}",
            field="exposure",
            mend="Give one exposure per item.",
        )
    given = exposure[valid]
    if given.size and not (np.isfinite(given).all() and given.min() >= 0):
        raise InvalidValue("an exposure is negative or not finite", field="exposure")
    return valid


def expected_exposure_matrix(exposure: FloatArray, items: IntArray, n_items: int) -> sp.csr_array:
    """What every user's policy hands to every item, shape ``(U, I)``.

    Args:
        exposure: Expected exposure, shape ``(U, N)``.
        items: Item index of each column, shape ``(U, N)``.
        n_items: Number of items ``I``.
    """
    valid = require_exposure(exposure, items, n_items)
    user = np.nonzero(valid)[0]
    entries = (exposure[valid].astype(np.float64), (user, items[valid]))
    return sp.csr_array(entries, shape=(len(items), n_items))


def expected_item_exposure(exposure: FloatArray, items: IntArray, n_items: int) -> FloatArray:
    """Exposure of every item, summed over users, shape ``(I,)``."""
    valid = require_exposure(exposure, items, n_items)
    return sum_by(items[valid], exposure[valid], n_items)


def expected_group_exposure(
    exposure: FloatArray, items: IntArray, codes: IntArray, n_groups: int
) -> FloatArray:
    """What every user's policy hands to every group of items.

    Args:
        exposure: Expected exposure, shape ``(U, N)``.
        items: Item index of each column, shape ``(U, N)``.
        codes: Group of each item, shape ``(I,)``, ``MISSING`` where it is not known.
        n_groups: Number of groups ``G``.

    Returns:
        Shape ``(U, G)``.
    """
    valid = require_exposure(exposure, items, len(codes))
    group = _group_of(items, codes)
    known = valid & (group != MISSING)
    row = np.broadcast_to(np.arange(len(items))[:, None], items.shape)
    cell = row[known] * n_groups + group[known]
    flat = sum_by(cell, exposure[known], len(items) * n_groups)
    return flat.reshape(len(items), n_groups)


def expected_exposure_per_item(
    exposure: FloatArray, items: IntArray, codes: IntArray, n_groups: int
) -> FloatArray:
    """Mean exposure of a group's items, per user (Singh & Joachims 2018), shape ``(G,)``.

    Every item of the catalogue counts, whether a policy may show it or not; NaN for a group
    without items.
    """
    sizes = np.bincount(codes[codes != MISSING], minlength=n_groups)
    by_group = expected_group_exposure(exposure, items, codes, n_groups).sum(axis=0)
    mean = by_group / max(len(items), 1)
    return np.divide(mean, sizes, out=np.full(n_groups, np.nan), where=sizes > 0)


def expected_exposure_share(
    exposure: FloatArray, items: IntArray, codes: IntArray, n_groups: int
) -> FloatArray:
    """Share of all exposure that each group receives, shape ``(G,)``; NaN if there is none.

    Items without a group stay in the denominator.
    """
    by_group = expected_group_exposure(exposure, items, codes, n_groups).sum(axis=0)
    total = float(exposure[items != PAD].sum())
    return by_group / total if total > 0 else np.full(n_groups, np.nan)


def expected_awrf(
    exposure: FloatArray,
    items: IntArray,
    codes: IntArray,
    target: FloatArray,
    distance: ShareDistance = "tv",
) -> FloatArray:
    """1 − distance(expected exposure share, target share), shape ``(U,)`` (Sapiezynski 2019).

    The distance is taken of the expected shares, not expected of the distance: a policy that
    alternates between two lopsided lists is on target.

    Args:
        exposure: Expected exposure, shape ``(U, N)``.
        items: Item index of each column, shape ``(U, N)``.
        codes: Group of each item, shape ``(I,)``; items without a group are left out.
        target: Wanted share of each group, shape ``(G,)``, not negative, sums to 1.
        distance: ``"tv"`` (total variation) or ``"js"`` (Jensen-Shannon divergence, bits).

    Returns:
        Values in [0, 1]; NaN where no grouped item gets exposure.
    """
    if distance not in ("tv", "js"):
        raise InvalidValue(f"unknown distance {distance!r}", field="distance", mend="tv or js.")
    if (target < 0).any() or not np.isclose(target.sum(), 1.0):
        raise InvalidValue(
            f"target shares {target.tolist()} must not be negative and sum to 1", field="target"
        )
    by_group = expected_group_exposure(exposure, items, codes, len(target))
    total = by_group.sum(axis=1, keepdims=True)
    share = np.divide(by_group, total, out=np.full_like(by_group, np.nan), where=total > 0)
    if distance == "tv":
        return 1.0 - 0.5 * np.abs(share - target).sum(axis=1)
    middle = (share + target) / 2.0
    whole = np.broadcast_to(target, share.shape)
    return 1.0 - 0.5 * (_kl_bits(share, middle) + _kl_bits(whole, middle))


def expected_treatment(
    exposure: FloatArray,
    relevance: FloatArray,
    items: IntArray,
    codes: IntArray,
    group_a: int,
    group_b: int,
) -> Terms:
    """DTR under a policy: (exposure A / relevance A) / (exposure B / relevance B), pooled.

    Singh & Joachims (2018) define it for one query; exposure and relevance are summed over users
    before the ratio is taken, so that users without one of the groups need no special case.

    Args:
        exposure: Expected exposure, shape ``(U, N)``.
        relevance: Relevance of each column's item to the user, not negative, shape ``(U, N)``.
        items: Item index of each column, shape ``(U, N)``.
        codes: Group of each item, shape ``(I,)``.
        group_a: Code of the group above the fraction line.
        group_b: Code of the group below it.

    Returns:
        Terms whose ``value`` is the ratio; NaN if B has no exposure or A no relevance.
    """
    require_exposure(exposure, items, len(codes))
    valid = require_exposure(relevance, items, len(codes))
    group = np.where(valid, _group_of(items, codes), MISSING)
    columns = np.column_stack(
        [
            np.where(group == g, amounts, 0.0).sum(axis=1)
            for g in (group_a, group_b)
            for amounts in (exposure, relevance)
        ]
    )

    def reduce(sums: FloatArray) -> FloatArray:
        cross = np.stack([sums[..., 0] * sums[..., 3], sums[..., 2] * sums[..., 1]], axis=-1)
        return divide_sums(cross)

    return Terms(columns, reduce, np.ones(len(items), dtype=np.bool_))


def expected_impact(
    exposure: FloatArray,
    relevance: FloatArray,
    items: IntArray,
    codes: IntArray,
    group_a: int,
    group_b: int,
) -> Terms:
    """DIR under a policy: DTR with click-through, exposure × relevance, in place of exposure."""
    clicks = np.where(items != PAD, exposure * relevance, 0.0)
    return expected_treatment(clicks, relevance, items, codes, group_a, group_b)


def expected_inequity(
    exposure: FloatArray, relevance: FloatArray, items: IntArray, n_items: int
) -> float:
    """IAA under a policy: Σ |exposure share − relevance share| over items (Biega et al. 2018).

    Args:
        exposure: Expected exposure, shape ``(U, N)``.
        relevance: Relevance of each column's item to the user, not negative, shape ``(U, N)``.
        items: Item index of each column, shape ``(U, N)``.
        n_items: Number of items.

    Returns:
        0 (attention follows relevance) to 2.
    """
    attended = expected_item_exposure(exposure, items, n_items)
    deserved = expected_item_exposure(relevance, items, n_items)
    if attended.sum() <= 0 or deserved.sum() <= 0:
        raise InvalidValue("exposure and relevance must each sum above 0", field="relevance")
    return float(np.abs(attended / attended.sum() - deserved / deserved.sum()).sum())


def expected_ndcg(exposure: FloatArray, relevance: FloatArray, ideal: FloatArray) -> FloatArray:
    """Expected NDCG of a policy: Σ relevance · exposure / ideal, shape ``(U,)``.

    DCG is linear in exposure, so its expectation needs no sampling once the exposure is known.

    Args:
        exposure: Expected exposure with the discount of the DCG, shape ``(U, N)``.
        relevance: Gain of each column's item, shape ``(U, N)``; 0 where a pool is shorter.
        ideal: DCG of each user's ideal list, shape ``(U,)``.

    Returns:
        NaN where the ideal is 0.
    """
    gained = np.where(relevance > 0, relevance * exposure, 0.0).sum(axis=1)
    return np.divide(gained, ideal, out=np.full(len(gained), np.nan), where=ideal > 0)


def _group_of(items: IntArray, codes: IntArray) -> IntArray:
    """Group of each column's item; whatever stands there for ``PAD``."""
    return codes[np.where(items != PAD, items, 0)] if len(codes) else np.full_like(items, MISSING)


def _kl_bits(p: FloatArray, q: FloatArray) -> FloatArray:
    """KL divergence along the last axis in bits, 0·log 0 = 0."""
    ratio = np.divide(p, q, out=np.ones_like(q), where=~(p == 0))
    return (p * np.log2(ratio)).sum(axis=-1)
