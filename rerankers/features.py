"""What a linear re-ranker weighs of each candidate, and what a policy sees of each user."""

import numpy as np

from ..arrays import FloatArray
from .constraints import Constraints
from .context import MEMORYLESS, SUMMARY, PoolContext
from .state import MEMORY, NEUTRAL, Memory, ObservedState

STATE_AWARE = (
    "satiation",
    "satiation_squared",
    "topic_taste",
    "fatigue",
    "clicked",
    "base_when_dissatisfied",
)
"""Features that follow from what the user has done.

- ``satiation``: clicks per slate lately on the candidate's topics, averaged over them.
- ``satiation_squared``: its square; weariness grows faster than linearly.
- ``topic_taste``: satisfaction above neutral on the candidate's topics, in [-1, 1], shrunk
  towards 0 where little was rated.
- ``fatigue``: share of the recent slates in which the candidate was shown.
- ``clicked``: share of the recent slates in which it was clicked.
- ``base_when_dissatisfied``: base score times how far satisfaction stands below 1: when a user
  is unhappy, safe choices may matter more, or less.
"""

FEATURES = MEMORYLESS + STATE_AWARE
"""Names of the feature columns that every set of constraints has."""

TASTE_PRIOR = 1.0
"""Rated clicks at which a topic's satisfaction is believed by half."""


def feature_names(constraints: Constraints) -> tuple[str, ...]:
    """Names of all ``F`` feature columns: `FEATURES`, then one for each exposure floor."""
    return FEATURES + tuple(f"floor:{f.attribute}={f.group}" for f in constraints.exposure)


def scoring_features(
    context: PoolContext, state: ObservedState, memory: Memory = MEMORY
) -> FloatArray:
    """The features of every candidate, given what each user has done.

    Returns:
        Shape ``(U, N, F)``, float32, columns as in `feature_names`. It is a transposed view of a
        contiguous ``(U, F, N)`` array, the order in which it is written and summed fastest.
    """
    n_users, n_columns = context.items.shape
    m = len(MEMORYLESS)
    out = np.empty((n_users, len(FEATURES) + len(context.floors), n_columns), np.float32)
    out[:, :m] = context.memoryless
    satiation = out[:, m]
    lately = state.topic_clicks * np.float32(1.0 - memory.topic_clicks)
    satiation[:] = _over_topics(context, lately)
    np.multiply(satiation, satiation, out=out[:, m + 1])
    out[:, m + 2] = _over_topics(context, _taste(state))
    per_slate = np.float32(1.0 - memory.items)
    np.multiply(state.item_shown, per_slate, out=out[:, m + 3])
    np.multiply(state.item_clicked, per_slate, out=out[:, m + 4])
    np.multiply(context.memoryless[:, 0], (1.0 - state.satisfaction)[:, None], out=out[:, m + 5])
    for i, floor in enumerate(context.floors):
        out[:, m + 6 + i] = floor
    return out.transpose(0, 2, 1)


def linear_scores(features: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted sum of the features, ``(U, N, F)`` and ``(U, F)`` or ``(F,)`` to ``(U, N)``."""
    w = np.broadcast_to(weights, (len(features), features.shape[2])).astype(np.float32, copy=False)
    return np.matmul(w[:, None, :], features.transpose(0, 2, 1))[:, 0]


def observation(
    context: PoolContext,
    state: ObservedState,
    constraint_gaps: FloatArray,
    memory: Memory = MEMORY,
) -> FloatArray:
    """What a policy sees of each user before it chooses, all of it observable when serving.

    Args:
        context: The pools.
        state: The users' state.
        constraint_gaps: Measured minus target, each floor in order and then diversity (0 where
            no floor on diversity is set), shape ``(C,)`` or ``(U, C)``.
        memory: Decay constants.

    Returns:
        Shape ``(U, O)``, float32, columns as in `observation_names`.
    """
    n_users = len(state)
    n_valid = np.maximum(context.valid.sum(axis=1), 1)
    scalars = np.stack(
        [
            state.satisfaction,
            state.click_rate,
            np.log1p(state.n_slates),
            np.log1p(state.days_away),
            state.item_shown.sum(axis=1) * (1.0 - memory.items) / n_valid,
        ],
        axis=1,
    )
    gaps = np.broadcast_to(constraint_gaps, (n_users, len(context.floors) + 1))
    lately = state.topic_clicks * (1.0 - memory.topic_clicks)
    parts = [lately, _taste(state), scalars, context.summary, gaps]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def observation_names(topic_names: tuple[str, ...], constraints: Constraints) -> tuple[str, ...]:
    """Names of the columns of `observation`, in order."""
    floors = [f"{f.attribute}={f.group}" for f in constraints.exposure]
    return (
        *(f"clicks_lately:{t}" for t in topic_names),
        *(f"taste:{t}" for t in topic_names),
        *("satisfaction", "click_rate", "log_slates", "log_days_away", "mean_fatigue"),
        *SUMMARY,
        *(f"pool_topic:{t}" for t in topic_names),
        *(f"pool_share:{f}" for f in floors),
        *(f"gap:{f}" for f in floors),
        "gap:diversity",
    )


def _taste(state: ObservedState) -> FloatArray:
    """Satisfaction above neutral by topic, in [-1, 1], shrunk where little was rated, (U, T)."""
    belief = state.topic_seen / (state.topic_seen + TASTE_PRIOR)
    return belief * (state.topic_satisfaction - NEUTRAL) / NEUTRAL


def _over_topics(context: PoolContext, per_topic: FloatArray) -> FloatArray:
    """Mean of a user's values over each candidate's topics, ``(U, T)`` to ``(U, N)``."""
    by_pattern = per_topic.astype(np.float32, copy=False) @ context.pattern_mean.T
    offset = np.arange(len(per_topic))[:, None] * by_pattern.shape[1]
    return by_pattern.ravel().take(context.patterns + offset)
