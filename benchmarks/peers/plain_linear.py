"""A linear re-ranker straight from its definition: one user, one candidate, one number at a time.

Scores add up in float64. The greedy slate adds up in float32, in the order in which its definition
reads, so that ties can be compared to the last bit.
"""

import numpy as np
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import LOGGED, TIRED
from fairloop.rerankers.response import ResponseModel
from fairloop.rerankers.state import MEMORY, ObservedState


def plain_scores(
    context: PoolContext, state: ObservedState, weights: np.ndarray, user: int
) -> np.ndarray:
    """Scores of one user's candidates (N,) for weights (F,)."""
    scores = []
    satisfaction = float(state.satisfaction[user])
    for column in range(context.n_candidates):
        base, popularity, recency = context.memoryless[user, :, column].tolist()
        topics = np.flatnonzero(context.pattern_topics[context.patterns[user, column]])
        satiation = taste = 0.0
        for topic in topics:
            seen = float(state.topic_seen[user, topic])
            liking = (float(state.topic_satisfaction[user, topic]) - 0.5) / 0.5
            clicks = float(state.topic_clicks[user, topic])
            satiation += (1.0 - MEMORY.topic_clicks) * clicks / len(topics)
            taste += seen / (seen + 1.0) * liking / len(topics)
        shown, clicked = (
            (1.0 - MEMORY.items) * float(counts[user, column])
            for counts in (state.item_shown, state.item_clicked)
        )
        features = [base, popularity, recency, satiation, satiation**2, taste, shown, clicked]
        features += [base * (1.0 - satisfaction)]
        features += [
            float(beliefs[user, column])
            for beliefs in (state.preference, state.enjoyment, state.familiarity)
        ]
        features += [
            sum(float(known[topic]) for topic in topics) / max(len(topics), 1)
            for known in context.history[user]
        ]
        features += plain_rewards(context.response, features)
        features += context.floors[:, user, column].tolist()
        scores.append(sum(w * x for w, x in zip(weights.tolist(), features, strict=True)))
    return np.array(scores)


def plain_rewards(response: ResponseModel | None, features: list[float]) -> list[float]:
    """Reward now and at rest, from the other features; 0 without a model."""
    if response is None:
        return [0.0, 0.0]
    rested = [0.0 if name in TIRED else x for name, x in zip(LOGGED, features, strict=True)]
    rewards = []
    for values in (features, rested):
        reward = 1.0
        for weights, at_zero in (
            (response.click, response.click_at_zero),
            (response.worth, response.worth_at_zero),
        ):
            log_odds = at_zero
            for weight, x in zip(weights.tolist(), values, strict=True):
                log_odds += weight * x
            reward /= 1.0 + np.exp(-log_odds)
        rewards.append(reward)
    return rewards


def plain_slate(
    scores: np.ndarray, strength: float, context: PoolContext, user: int, k: int
) -> list[int]:
    """One user's greedy slate: each position compares all candidates, the first of equals wins."""
    strength, scores = np.float32(strength), scores.astype(np.float32)
    patterns = context.patterns[user]
    left = np.flatnonzero(context.valid[user]).tolist()
    slate: list[int] = []
    for _ in range(k):
        best, best_gain = -1, np.float32(-np.inf)
        for column in left:
            summed = np.float32(0.0)
            for other in slate:
                summed += context.pattern_distance[patterns[other], patterns[column]]
            gain = scores[column]
            if slate:
                gain = summed * (strength / len(slate)) + gain
            if best < 0 or gain > best_gain:
                best, best_gain = column, gain
        slate.append(best)
        left.remove(best)
    return slate
