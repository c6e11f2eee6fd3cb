"""The re-rankers again, one user at a time in plain numpy: what they are timed against.

Written as one would write them first, without waste: distances of a pool are one matrix product,
and each step is vectorised over the candidates of the user.
"""

import numpy as np


def jaccard(topics: np.ndarray) -> np.ndarray:
    """Distances within one pool, (N, T) to (N, N)."""
    common = topics @ topics.T
    size = topics.sum(axis=1)
    union = size[:, None] + size[None, :] - common
    return np.where(union > 0, 1.0 - common / np.where(union > 0, union, 1.0), 0.0)


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    return np.array([np.argsort(-row, kind="stable")[:k] for row in scores])


def mmr(scores: np.ndarray, topics: np.ndarray, trade_off: float, k: int) -> np.ndarray:
    """Scores (U, N) and topics (U, N, T) to columns (U, k)."""
    slates = []
    for row, row_topics in zip(scores, topics, strict=True):
        similarity = 1.0 - jaccard(row_topics)
        relevance = (row - row.min()) / (row.max() - row.min())
        chosen = [int(np.argmax(relevance))]
        nearest = similarity[chosen[0]].copy()
        while len(chosen) < k:
            marginal = trade_off * relevance - (1 - trade_off) * nearest
            marginal[chosen] = -np.inf
            best = int(np.argmax(marginal))
            chosen.append(best)
            nearest = np.maximum(nearest, similarity[best])
        slates.append(chosen)
    return np.array(slates)


def greedy(row: np.ndarray, distance: np.ndarray, diversity: float, k: int) -> list[int]:
    """One user's score plus mean distance to the chosen."""
    chosen: list[int] = []
    summed = np.zeros(len(row))
    for j in range(k):
        gain = row + diversity * summed / max(j, 1)
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        summed += distance[best]
    return chosen


def linear(
    features: np.ndarray, weights: np.ndarray, topics: np.ndarray, diversity: float, k: int
) -> np.ndarray:
    """Features (U, N, F), weights (F,) and topics (U, N, T) to columns (U, k)."""
    return np.array(
        [
            greedy(f @ weights, jaccard(t), diversity, k)
            for f, t in zip(features, topics, strict=True)
        ]
    )


def exposure_controller(
    scores: np.ndarray,
    member: np.ndarray,
    topics: np.ndarray,
    target: float,
    min_diversity: float,
    k: int,
) -> np.ndarray:
    """An integral controller on one group's bonus and one on the distance term."""
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    discount /= discount.sum()
    bonus, strength = 0.0, 0.0
    slates = []
    for row, mine, row_topics in zip(scores, member, topics, strict=True):
        distance = jaccard(row_topics)
        base = (row - row.mean()) / row.std()
        chosen = greedy(base + bonus * mine, distance, strength, k)
        slates.append(chosen)
        pairs = distance[np.ix_(chosen, chosen)].sum() / (k * (k - 1))
        bonus = max(0.0, bonus + 0.05 * (target - discount @ mine[chosen]))
        strength = max(0.0, strength + 1.0 * (min_diversity - pairs))
    return np.array(slates)


def plackett_luce(
    scores: np.ndarray, temperature: float, k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Sequential draws with the probability of what was drawn."""
    slates, propensities = [], []
    for row in scores:
        weights = np.exp((row - row.max()) / row.std() / temperature)
        chosen, propensity = [], 1.0
        for _ in range(k):
            p = weights / weights.sum()
            item = int(rng.choice(len(row), p=p))
            propensity *= p[item]
            chosen.append(item)
            weights[item] = 0.0
        slates.append(chosen)
        propensities.append(propensity)
    return np.array(slates), np.array(propensities)
