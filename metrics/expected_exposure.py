"""Exposure as an expectation over a stochastic ranking policy (Diaz et al. 2020)."""

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..errors import InvalidValue
from .exposure import position_discount

MAX_EXACT_ITEMS = 12


def target_exposure(relevant: BoolArray, discount: FloatArray) -> FloatArray:
    """ε*: exposure under the ideal stochastic policy, shape ``(I,)``.

    That policy ranks every relevant item above every other and shuffles inside both sets, so
    equally relevant items expect equal exposure.

    Args:
        relevant: Shape ``(I,)``.
        discount: Weight of each position, shape ``(I,)``; 0 beyond the shown ones.
    """
    if discount.shape != relevant.shape:
        raise InvalidValue("one discount per item is needed", field="discount")
    n_relevant = int(relevant.sum())
    top = discount[:n_relevant].mean() if n_relevant else 0.0
    rest = discount[n_relevant:].mean() if n_relevant < len(relevant) else 0.0
    return np.where(relevant, top, rest)


def expected_exposure_disparity(expected: FloatArray) -> float:
    """EE-D = ε·ε: how unequally exposure is expected; lower is more equal."""
    return float(expected @ expected)


def expected_exposure_relevance(expected: FloatArray, target: FloatArray) -> float:
    """EE-R = ε·ε*: how much exposure falls on relevant items; higher is better."""
    return float(expected @ target)


def expected_exposure_loss(expected: FloatArray, target: FloatArray) -> float:
    """EE-L = ‖ε − ε*‖²: distance from the ideal policy, 0 at best."""
    return float(((expected - target) ** 2).sum())


def plackett_luce_exposure(
    scores: FloatArray, n_samples: int, rng: np.random.Generator, k: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Expected exposure of items ranked by a Plackett-Luce policy, by Gumbel top-k sampling.

    Args:
        scores: Log weights, shape ``(I,)``.
        n_samples: Rankings to draw, at least 2.
        rng: Source of randomness.
        k: Positions shown; all unless given.

    Returns:
        Mean exposure with discount 1/log2(j + 1), and its standard error, both shape ``(I,)``.
    """
    if n_samples < 2:
        raise InvalidValue(f"n_samples is {n_samples}", field="n_samples", mend="Use at least 2.")
    discount = _padded_discount(len(scores), k)
    order = np.argsort(-(scores + rng.gumbel(size=(n_samples, len(scores)))), axis=1)
    seen = np.empty(order.shape)
    np.put_along_axis(seen, order, np.broadcast_to(discount, order.shape), axis=1)
    return seen.mean(axis=0), seen.std(axis=0, ddof=1) / np.sqrt(n_samples)


def plackett_luce_exposure_exact(scores: FloatArray, k: int | None = None) -> FloatArray:
    """The same without sampling, for at most 12 items, shape ``(I,)``.

    Sums over the sets that can fill the first positions, 2^I of them, in place of the I!
    rankings: which items stand above matters, their order does not.
    """
    n = len(scores)
    if n > MAX_EXACT_ITEMS:
        raise InvalidValue(
            f"{n} items are too many to enumerate",
            field="scores",
            mend="Use plackett_luce_exposure, which samples.",
        )
    discount = _padded_discount(n, k)
    reached = np.zeros(2**n)
    reached[0] = 1.0
    exposure = np.zeros(n)
    for above in range(2**n - 1):
        left = np.flatnonzero([not above >> item & 1 for item in range(n)])
        weight = np.exp(scores[left] - scores[left].max())
        chosen = reached[above] * weight / weight.sum()
        exposure[left] += chosen * discount[n - len(left)]
        reached[above | (1 << left)] += chosen
    return exposure


def _padded_discount(n: int, k: int | None) -> FloatArray:
    """1/log2(j + 1) for the first k of n positions, 0 below them."""
    shown = n if k is None else min(k, n)
    discount = np.zeros(n)
    discount[:shown] = position_discount(shown)
    return discount
