"""Scores of a linear re-ranker, without the tensor of features in between."""

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidValue
from .context import PoolContext
from .features import FEATURES, REWARD
from .rewards import expected_rewards
from .state import MEMORY, Memory, ObservedState
from .weigh import weigh


def candidate_scores(
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    memory: Memory = MEMORY,
) -> FloatArray:
    """Weighted sum of every candidate's features, without making the features.

    ``linear_scores(scoring_features(context, state), weights)`` up to the rounding of float32, in
    a fraction of the time: topics are weighed per topic set before candidates look them up. The
    score of a candidate depends neither on its column nor on who else is in the batch, to the last
    bit. So equal candidates tie, and a user is given the same slate alone, when served, as among
    thousands, in training.

    Args:
        context: The pools of ``U`` users.
        state: Their state.
        weights: Of each feature as in `feature_names`, shape ``(U, F)`` or ``(F,)``.
        memory: Decay constants.

    Returns:
        Shape ``(U, N)``, float32. O(U · (P · t + N · F)) with t topics per topic set.

    Raises:
        InvalidValue: There are more or fewer weights than features, or rewards are weighed and the
            context has no response model that gives them.
    """
    n_users, n_features = len(context), len(FEATURES) + len(context.floors)
    if np.shape(weights)[-1] != n_features:
        raise InvalidValue(
            f"{np.shape(weights)[-1]} weights for {n_features} features", field="weights"
        )
    by_user = np.asarray(weights, np.float32)
    if by_user.ndim == 1:
        by_user = np.broadcast_to(by_user, (n_users, n_features))
    scores = weigh(context, state, by_user, memory)
    of_rewards = by_user[:, _REWARD]
    if of_rewards.any():
        rewards = expected_rewards(context, state, memory)
        for weight, reward in zip(of_rewards.T, rewards, strict=True):
            scores += weight[:, None] * reward
    return scores


_REWARD = list(map(FEATURES.index, REWARD))
