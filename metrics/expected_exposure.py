"""Exposure as an expectation over a stochastic ranking policy (Diaz et al. 2020).

Where the expected exposure comes from: ``plackett_luce`` and ``policies``. What else is computed
from it: ``policy_exposure``.
"""

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..errors import InvalidValue
from .lists import require_not_negative
from .plackett_luce import enumerated_exposures, sampled_exposures


def target_exposure(
    relevant: BoolArray, discount: FloatArray, valid: BoolArray | None = None
) -> FloatArray:
    """ε*: exposure under the ideal stochastic policy, shape ``(..., N)``.

    That policy ranks every relevant item above every other and shuffles inside both sets, so
    equally relevant items expect equal exposure.

    Args:
        relevant: Shape ``(N,)`` or ``(U, N)``.
        discount: Weight of each position, shape ``(N,)``; 0 beyond the shown ones.
        valid: Columns that hold an item, of the shape of ``relevant``; all unless given. The others
            expect nothing.
    """
    if discount.shape != relevant.shape[-1:]:
        raise InvalidValue("one discount per item is needed", field="discount")
    there = np.ones_like(relevant) if valid is None else valid
    above = np.concatenate([[0.0], np.cumsum(discount)])
    n_relevant = (relevant & there).sum(axis=-1, keepdims=True)
    n_items = there.sum(axis=-1, keepdims=True)
    top = above[n_relevant] / np.maximum(n_relevant, 1)
    rest = (above[n_items] - above[n_relevant]) / np.maximum(n_items - n_relevant, 1)
    return np.where(there, np.where(relevant, top, rest), 0.0)


def expected_exposure_disparity(expected: FloatArray) -> FloatArray:
    """EE-D = ε·ε: how unequally exposure is expected; lower is more equal.

    Args:
        expected: Expected exposure, shape ``(..., N)``.

    Returns:
        Shape ``(...)``.
    """
    require_not_negative(expected, "expected")
    return (expected * expected).sum(axis=-1)


def expected_exposure_relevance(expected: FloatArray, target: FloatArray) -> FloatArray:
    """EE-R = ε·ε*: how much exposure falls on relevant items, shape ``(...)``; higher is better."""
    require_not_negative(expected, "expected")
    return (expected * target).sum(axis=-1)


def expected_exposure_loss(expected: FloatArray, target: FloatArray) -> FloatArray:
    """EE-L = ‖ε − ε*‖²: distance from the ideal policy, shape ``(...)``, 0 at best."""
    require_not_negative(expected, "expected")
    return ((expected - target) ** 2).sum(axis=-1)


def plackett_luce_exposure(
    scores: FloatArray, n_samples: int, rng: np.random.Generator, k: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Expected exposure of one pool's items under a Plackett-Luce policy, by Gumbel top-k.

    Args:
        scores: Log weights, shape ``(I,)``.
        n_samples: Rankings to draw, at least 2.
        rng: Source of randomness.
        k: Positions shown; all unless given.

    Returns:
        Mean exposure with discount 1/log2(j + 1), and its standard error, both shape ``(I,)``.
    """
    shown = len(scores) if k is None else min(k, len(scores))
    mean, error = sampled_exposures(scores[None, :], shown, n_samples, rng)
    return mean[0], error[0]


def plackett_luce_exposure_exact(scores: FloatArray, k: int | None = None) -> FloatArray:
    """The same without sampling, for at most 12 items, shape ``(I,)``."""
    shown = len(scores) if k is None else min(k, len(scores))
    return enumerated_exposures(scores[None, :], shown)[0]
