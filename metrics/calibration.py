"""Whether a list has the topics of its user's history in the same proportions."""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import in_blocks, require_lists


def topic_distribution(
    lists: IntArray, topics: BoolArray, weights: FloatArray | None = None
) -> FloatArray:
    """Share of each topic in each list (Steck 2018).

    An item of several topics spreads its weight evenly over them.

    Args:
        lists: Item indices, shape ``(U, k)``.
        topics: Topic membership, shape ``(I, T)``.
        weights: Weight of each position, shape ``(k,)`` or ``(U, k)``; equal unless given.

    Returns:
        Shape ``(U, T)``, rows sum to 1; NaN for a list without any topic.
    """
    valid = require_lists(lists, len(topics))
    n_topics = topics.sum(axis=1, keepdims=True)
    spread = topics / np.maximum(n_topics, 1)
    weight = np.where(valid, 1.0 if weights is None else weights, 0.0)

    def mixed(weight: FloatArray, items: IntArray) -> FloatArray:
        return np.einsum("uk,ukt->ut", weight, spread[items])

    total = in_blocks(mixed, weight, np.where(valid, lists, 0))
    mass = total.sum(axis=1, keepdims=True)
    return np.divide(total, mass, out=np.full_like(total, np.nan), where=mass > 0)


def calibration_kl(p: FloatArray, q: FloatArray, alpha: float = 0.01) -> FloatArray:
    """KL divergence of a list's topics from a history's, nats (Steck 2018).

    Σ_t p ln(p / ((1 − α) q + α p)): smoothing with α keeps it finite where q is 0.

    Args:
        p: Topic shares of the history, shape ``(U, T)``.
        q: Topic shares of the list, shape ``(U, T)``.
        alpha: Smoothing in (0, 1).

    Returns:
        Not negative, shape ``(U,)``; 0 where the two agree, NaN where either is unknown.
    """
    if not 0.0 < alpha < 1.0:
        raise InvalidValue(f"alpha is {alpha}", field="alpha", mend="Use a value in (0, 1).")
    smooth = (1.0 - alpha) * q + alpha * p
    ratio = np.divide(p, smooth, out=np.ones_like(smooth), where=~(p == 0))
    return (p * np.log(ratio)).sum(axis=1)
