"""What a linear re-ranker weighs of each candidate, and what a policy sees of each user."""

import numpy as np
from scipy.special import expit

from ..arrays import FloatArray
from .constraints import Constraints
from .context import MEMORYLESS, SUMMARY, PoolContext
from .response import ResponseModel
from .state import EVERYONE, MEMORY, NEUTRAL, Memory, ObservedState

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

BELIEF = ("preference", "enjoyment", "familiarity")
"""What a user's own history with the candidate says of it, however long ago.

- ``preference``: log of its clicks over those expected of as many looks, shrunk towards 0.
- ``enjoyment``: satisfaction above neutral with it, in (-1, 1), shrunk towards 0.
- ``familiarity``: how much stands behind the two, in [0, 1). With a weight below 0 the doubtful is
  tried: optimism in the face of uncertainty (Auer, Cesa-Bianchi & Fischer 2002).
"""

HISTORY = ("history_affinity", "history_taste")
"""What the user's history before the first visit says of the candidate's topics, averaged.

- ``history_affinity``: log of how much more often than usual they were met.
- ``history_taste``: how much higher than others the user rated them.
"""

LOGGED = MEMORYLESS + STATE_AWARE + BELIEF + HISTORY
"""Features that follow from the log alone; those that a `ResponseModel` weighs."""

TIRED = ("satiation", "satiation_squared", "fatigue", "clicked")
"""Features that rest brings back to 0."""

REWARD = ("reward", "rested_reward")
"""What one look at the candidate is expected to bring by a `ResponseModel`, in [0, 1].

0 where no model is at hand.

- ``reward``: now.
- ``rested_reward``: if nothing had been shown or chosen lately. With a weight below 0 what would be
  worth more later is left to rest.
"""

FEATURES = LOGGED + REWARD
"""Names of the feature columns that every set of constraints has."""

TASTE_PRIOR = 1.0
"""Rated clicks at which a topic's satisfaction is believed by half."""


def feature_names(constraints: Constraints) -> tuple[str, ...]:
    """Names of all ``F`` feature columns: `FEATURES`, then one for each limit on exposure."""
    return FEATURES + tuple(f"floor:{label}" for label in constraints.labels)


def scoring_features(
    context: PoolContext,
    state: ObservedState,
    memory: Memory = MEMORY,
) -> FloatArray:
    """The features of every candidate, given what each user has done.

    Args:
        context: The pools of ``U`` users.
        state: Their state.
        memory: Decay constants.

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
    out[:, m + 2] = _over_topics(context, topic_taste(state))
    per_slate = np.float32(1.0 - memory.items)
    np.multiply(state.item_shown, per_slate, out=out[:, m + 3])
    np.multiply(state.item_clicked, per_slate, out=out[:, m + 4])
    np.multiply(context.memoryless[:, 0], (1.0 - state.satisfaction)[:, None], out=out[:, m + 5])
    beliefs = len(MEMORYLESS) + len(STATE_AWARE)
    for i, name in enumerate(BELIEF):
        out[:, beliefs + i] = getattr(state, name)
    for i in range(len(HISTORY)):
        out[:, beliefs + len(BELIEF) + i] = _over_topics(context, context.history[:, i])
    model = context.response
    out[:, len(LOGGED) : len(FEATURES)] = 0.0 if model is None else _rewards(out, model)
    out[:, len(FEATURES) :] = context.floors.transpose(1, 0, 2)
    return out.transpose(0, 2, 1)


def _rewards(features: FloatArray, response: ResponseModel) -> FloatArray:
    """The features in ``REWARD``, from the others ``(U, F, N)``; shape ``(U, 2, N)``."""
    logged = features[:, : len(LOGGED)]
    rested = logged.copy()
    rested[:, [LOGGED.index(name) for name in TIRED]] = 0.0
    likely = [
        expit(np.einsum("f,ufn->un", weights, values) + at_zero)
        for values in (logged, rested)
        for weights, at_zero in (
            (response.click, response.click_at_zero),
            (response.worth, response.worth_at_zero),
        )
    ]
    return np.stack([likely[0] * likely[1], likely[2] * likely[3]], axis=1)


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
    n_topics = context.n_topics
    width = 2 * n_topics + 5 + context.summary.shape[1] + len(context.floors) + 1
    out = np.empty((len(state), width), np.float32)
    np.multiply(state.topic_clicks, 1.0 - memory.topic_clicks, out=out[:, :n_topics])
    out[:, n_topics : 2 * n_topics] = topic_taste(state)
    scalars = out[:, 2 * n_topics :]
    scalars[:, 0] = state.satisfaction
    scalars[:, 1] = state.click_rate
    np.log1p(state.n_slates, out=scalars[:, 2])
    np.log1p(state.days_away, out=scalars[:, 3])
    shown = state.item_shown.sum(axis=1) * np.float32(1.0 - memory.items)
    np.divide(shown, np.maximum(context.n_valid, 1), out=scalars[:, 4], casting="same_kind")
    rest = scalars[:, 5:]
    rest[:, : context.summary.shape[1]] = context.summary
    rest[:, context.summary.shape[1] :] = constraint_gaps
    return out


def observation_names(topic_names: tuple[str, ...], constraints: Constraints) -> tuple[str, ...]:
    """Names of the columns of `observation`, in order."""
    floors = constraints.labels
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


def topic_taste(state: ObservedState, rows: slice = EVERYONE) -> FloatArray:
    """Satisfaction above neutral by topic, in [-1, 1], shrunk where little was rated, (U, T)."""
    seen = state.topic_seen[rows]
    taste = state.topic_satisfaction[rows] - np.float32(NEUTRAL)
    taste *= np.float32(1.0 / NEUTRAL)
    taste *= seen
    taste /= seen + np.float32(TASTE_PRIOR)
    return taste


def _over_topics(context: PoolContext, per_topic: FloatArray) -> FloatArray:
    """Mean of a user's values over each candidate's topics, ``(U, T)`` to ``(U, N)``."""
    n_users = len(per_topic)
    by_pattern = context.sparse_pattern_mean @ per_topic.T
    cells = context.patterns * n_users + np.arange(n_users)[:, None]
    return by_pattern.ravel().take(cells)
