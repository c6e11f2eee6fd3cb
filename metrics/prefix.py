"""Group shares in the prefixes of a ranking, compared with a target."""

from typing import Literal

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import in_blocks


def ndkl(groups: IntArray, target: FloatArray) -> FloatArray:
    """Normalised discounted cumulative KL divergence, nats (Geyik et al. 2019).

    Z⁻¹ Σ_i KL(share in the first i ‖ target) / log2(i + 1) with Z = Σ_i 1/log2(i + 1).

    Args:
        groups: Group code at each position, shape ``(U, k)``, none missing.
        target: Wanted share of each group, shape ``(G,)``, positive, sums to 1.

    Returns:
        Not negative, shape ``(U,)``; 0 only if every prefix has the target's shares.
    """
    if not np.isclose(target.sum(), 1.0) or (target <= 0).any():
        raise InvalidValue("target shares must be positive and sum to 1", field="target")
    if groups.size and (groups.min() < 0 or groups.max() >= len(target)):
        raise InvalidValue("a group code has no target share", field="groups")
    k = groups.shape[1]
    length = np.arange(1, k + 1)
    weights = 1.0 / np.log2(length + 1)

    def divergence(block: IntArray) -> FloatArray:
        share = np.cumsum(np.eye(len(target))[block], axis=1) / length[:, None]
        logs = np.log(share / target, out=np.zeros_like(share), where=share > 0)
        return (share * logs).sum(axis=2) @ weights / weights.sum()

    return in_blocks(divergence, groups)


PrefixMeasure = Literal["rND", "rKL", "rRD"]


def prefix_disparity(
    protected: BoolArray, measure: PrefixMeasure = "rND", step: int = 10
) -> FloatArray:
    """RND, rKL or rRD of complete rankings (Yang & Stoyanovich 2017).

    Compares the protected share in the first i = step, 2·step, … positions with the share in the
    whole ranking, discounts by 1/log2(i) and divides by the worst order of the same items (all
    protected items first, or all last, whichever is further off).

    Args:
        protected: Whether each position holds a protected item, shape ``(U, N)``.
        measure: ``"rND"`` difference of shares, ``"rKL"`` KL divergence in bits, ``"rRD"``
            difference of ratios to the others (a prefix with only one kind counts as ratio 0).
        step: Distance between the prefixes that are compared, at least 2.

    Returns:
        0 (as in the whole ranking at every prefix) to 1 (worst order), shape ``(U,)``; NaN where
        all or none are protected or no prefix is shorter than the ranking.
    """
    if step < 2:
        raise InvalidValue(f"step is {step}", field="step", mend="Use at least 2 (log2 1 is 0).")
    last = np.sort(protected, axis=1)
    worst = np.maximum(_prefix_sum(last, measure, step), _prefix_sum(last[:, ::-1], measure, step))
    value = _prefix_sum(protected, measure, step)
    return np.divide(value, worst, out=np.full(len(protected), np.nan), where=worst > 1e-12)


def _prefix_sum(protected: BoolArray, measure: PrefixMeasure, step: int) -> FloatArray:
    n = protected.shape[1]
    ends = np.arange(step, n + 1, step)
    inside = np.cumsum(protected, axis=1)[:, ends - 1].astype(np.float64)
    total = protected.sum(axis=1, keepdims=True).astype(np.float64)
    p, q = inside / ends, total / n
    if measure == "rND":
        off = np.abs(p - q)
    elif measure == "rKL":
        off = _kl_bits(p, q) + _kl_bits(1 - p, 1 - q)
    else:
        off = np.abs(_odds(p) - _odds(q))
    return off @ (1.0 / np.log2(ends))


def _kl_bits(p: FloatArray, q: FloatArray) -> FloatArray:
    """One term p log2(p / q); 0 where p is 0."""
    whole = np.broadcast_to(q, p.shape)
    ratio = np.divide(p, whole, out=np.ones_like(p), where=(p > 0) & (whole > 0))
    return p * np.log2(ratio)


def _odds(p: FloatArray) -> FloatArray:
    """Ratio p / (1 − p); 0 where either is 0, as the paper defines it."""
    return np.divide(p, 1 - p, out=np.zeros_like(p), where=p < 1)
