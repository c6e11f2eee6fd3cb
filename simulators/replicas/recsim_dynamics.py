"""The equations of RecSim's interest evolution: pure functions over arrays.

Ie, Hsu, Mladenov, Jain, Narvekar, Wang, Wu & Boutilier 2019, "RecSim: a configurable simulation
platform for recommender systems", and its authors' code (google-research/recsim,
``environments/interest_evolution.py`` and ``choice_model.py``), which decides where the two differ.
``U`` users, ``T`` topics.
"""

import numpy as np

from ...arrays import BoolArray, FloatArray


def topic_quality(n_topics: int, lowest: float, highest: float, trashy: float) -> FloatArray:
    """Mean quality of each topic's documents, shape ``(T,)``.

    The first ⌊trashy · T⌋ topics rise evenly from ``lowest`` to 0, the others from 0 to
    ``highest``.
    """
    n = int(n_topics * trashy)
    return np.concatenate([np.linspace(lowest, 0, n), np.linspace(0, highest, n_topics - n)])


def interest_step(interest: FloatArray, x_intercept: float, y_intercept: float) -> FloatArray:
    """How far one click can move the interest in its topic, of the shape of ``interest``.

    (y − y/x · |I|) · (1 − I): documents have 1 in their topic and 0 in the others, so interest
    moves along the way to 1, the less the stronger it is in either direction.
    """
    room = np.float32(y_intercept) - np.float32(y_intercept / x_intercept) * np.abs(interest)
    return room * (np.float32(1.0) - interest)


def chance_of_rising(interest: FloatArray) -> FloatArray:
    """Probability that the step is towards the document, (1 + I) / 2; else it is away from it."""
    return (interest + np.float32(1.0)) * np.float32(0.5)


def moved_interest(interest: FloatArray, step: FloatArray, rises: BoolArray) -> FloatArray:
    """Interest after a click, within [−1, 1]."""
    return np.clip(np.where(rises, interest + step, interest - step), -1.0, 1.0).astype(np.float32)


def budget_after_click(
    budget: FloatArray, watched: FloatArray, utility: FloatArray, given_back: float
) -> FloatArray:
    """Time left after watching: minutes watched are spent, and good ones partly given back.

    budget − watched + given_back · watched · utility, of the shape of ``budget``.
    """
    return budget - watched + np.float32(given_back) * watched * utility
