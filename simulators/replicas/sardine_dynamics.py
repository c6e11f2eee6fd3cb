"""The equations of SARDINE: pure functions over arrays.

Deffayet, Thonet, Hwang, Lehoux, Renders & de Rijke 2024, "SARDINE: a simulator for automated
recommendation in dynamic and interactive environments", and its authors' code (naver/sardine),
which decides where the two differ. ``R`` rows (users), ``T`` topics, ``k`` positions.
"""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from .. import randomness

_TOPIC_ORDER, _TOPIC_WEIGHT = 1, 1 << 20  # counters below one key: no two may meet


def draw_items(
    rng: np.random.Generator, n_items: int, n_topics: int, topics_per_item: int
) -> FloatArray:
    """Unit vectors with ``topics_per_item`` or one more topics, equally likely, ``(I, T)``.

    The weights of an item's topics are uniform before they are scaled to length 1.
    """
    count = rng.integers(topics_per_item, topics_per_item + 2, n_items)
    order = np.argsort(np.argsort(rng.random((n_items, n_topics)), axis=1), axis=1)
    weights = rng.random((n_items, n_topics)) * (order < count[:, None])
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def draw_interests(keys: randomness.Keys, n_topics: int, topics_per_user: int) -> FloatArray:
    """Unit vectors over few topics, one per key, shape ``(R, T)``, float32.

    Each topic is of interest with probability ``topics_per_user / T``, given that their number is
    within one of ``topics_per_user``; weights are uniform. The original draws until the number
    fits; here the number is drawn from its law given that it fits, and then which topics: the
    same law.
    """
    number = np.arange(max(topics_per_user - 1, 1), min(topics_per_user + 1, n_topics) + 1)
    chance = _binomial(n_topics, min(topics_per_user / n_topics, 1.0))[number]
    bounds = np.cumsum(chance / chance.sum())[:-1]
    count = number[np.searchsorted(bounds, randomness.uniforms(keys), side="right")]
    topic = np.arange(n_topics)
    by_topic = randomness.derive(keys[:, None], _TOPIC_ORDER + topic[None, :])
    chosen = np.argsort(np.argsort(by_topic, axis=1), axis=1) < count[:, None]
    weights = randomness.derive(keys[:, None], _TOPIC_WEIGHT + topic[None, :])
    interests = randomness.uniforms(weights) * chosen
    return interests / np.linalg.norm(interests, axis=1, keepdims=True)


def _binomial(n: int, p: float) -> FloatArray:
    """Probabilities of 0 … n successes."""
    row = np.ones(1)
    for _ in range(n):
        row = np.convolve(row, [1.0 - p, p])
    return row


def propensities(k: int, click_prop: float, mixed: bool) -> FloatArray:
    """Probability that each position is looked at: click_prop**j for j = 0 … k - 1, ``(k,)``.

    ``mixed``: the mean of that and its mirror image, for users who start at either end.
    """
    falling = click_prop ** np.arange(k)
    return ((falling + falling[::-1]) / 2 if mixed else falling).astype(np.float32)


def relevance(
    scores: FloatArray, offset: float, slope: float, threshold: float | None
) -> FloatArray:
    """1 / (1 + exp(-slope · (score - offset))), or whether the score exceeds a threshold."""
    if threshold is not None:
        return (scores > threshold).astype(np.float32)
    x = np.clip(np.float32(-slope) * (scores - np.float32(offset)), -80.0, 80.0)
    return np.float32(1.0) / (np.float32(1.0) + np.exp(x))


def most_alike(main_topics: IntArray, n_topics: int) -> IntArray:
    """Largest number of a slate's items that share their main topic, shape ``(R,)``."""
    n = len(main_topics)
    cells = main_topics + (np.arange(n) * n_topics)[:, None]
    counts = np.bincount(cells.ravel(), minlength=n * n_topics).reshape(n, n_topics)
    return counts.max(axis=1)


def recent_counts(
    topics: IntArray, steps: IntArray, now: IntArray, window: int, n_topics: int
) -> IntArray:
    """Clicks per main topic that are remembered and at most ``window`` steps old, ``(R, T)``.

    Args:
        topics: Main topics of the last clicks, in any order, shape ``(R, M)``.
        steps: When each of them was, shape ``(R, M)``.
        now: The coming step, shape ``(R,)``.
        window: Steps that a click counts.
        n_topics: Number of topics.
    """
    n = len(topics)
    cells = topics + (np.arange(n) * n_topics)[:, None]
    fresh = steps >= (now - window)[:, None]
    return np.bincount(cells[fresh], minlength=n * n_topics).reshape(n, n_topics)


def next_boredom(
    bored: BoolArray, timeout: IntArray, counts: IntArray, threshold: int, window: int
) -> tuple[BoolArray, IntArray]:
    """Boredom after a step: it times out, and too many recent clicks start it again.

    Args:
        bored: Topics the user is bored of, shape ``(R, T)``.
        timeout: Steps that boredom still lasts, ``window`` where there is none, ``(R, T)``.
        counts: Recent clicks per topic, shape ``(R, T)``.
        threshold: Clicks from which a topic bores.
        window: Steps that boredom lasts.
    """
    timeout = timeout - bored
    still = bored & (timeout != 0)
    return still | (counts >= threshold), np.where(still, timeout, window)


def influenced(
    interests: FloatArray, clicked: FloatArray, n_clicks: IntArray, omega: float, by_topic: bool
) -> FloatArray:
    """Interests after clicks: omega · interests + (1 - omega) · what was clicked, of length 1.

    Args:
        interests: Shape ``(R, T)``.
        clicked: Sum of the vectors of the items clicked, shape ``(R, T)``.
        n_clicks: Shape ``(R,)``; who clicked nothing keeps their interests as they are.
        omega: What remains of the old interests.
        by_topic: The mean vector of the items clicked is added. Without it the original's slip:
            the mean over items *and topics*, one number, is added to every topic, so that any
            click moves interest towards all topics alike.
    """
    mean = clicked / np.maximum(n_clicks, 1)[:, None]
    if not by_topic:
        mean = np.broadcast_to(mean.mean(axis=1, keepdims=True), mean.shape)
    moved = np.float32(omega) * interests + np.float32(1.0 - omega) * mean
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    keep = (n_clicks == 0)[:, None] | (length == 0)
    return np.where(keep, interests, moved / np.where(length == 0, 1.0, length)).astype(np.float32)
