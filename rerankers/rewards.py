"""What one look at each candidate is expected to bring, now and at rest, by a response model."""

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidValue
from .context import PoolContext
from .features import FEATURES, LOGGED, REWARD, TIRED
from .state import Memory, ObservedState
from .weigh import weigh


def expected_rewards(
    context: PoolContext, state: ObservedState, memory: Memory
) -> tuple[FloatArray, FloatArray]:
    """The features in ``REWARD``, for all candidates of ``U`` users.

    Args:
        context: The pools, with a response model.
        state: The users' state.
        memory: Decay constants.

    Returns:
        Reward now and at rest, each ``(U, N)``, float32, in [0, 1].

    Raises:
        InvalidValue: The context has no response model.
    """
    response = context.response
    if response is None:
        raise InvalidValue(
            f"weights on {' or '.join(REWARD)}, but no response model that would give them",
            field="response",
            mend="Give the model that the weights were tuned with, or leave these weights at 0.",
        )
    now, rested = np.float32(1.0), np.float32(1.0)
    for weights, at_zero in (
        (response.click, response.click_at_zero),
        (response.worth, response.worth_at_zero),
    ):
        of_all = _for_everybody(context, weights)
        of_tired = np.zeros_like(of_all)
        of_tired[:, _TIRED] = of_all[:, _TIRED]
        log_odds = weigh(context, state, of_all, memory)
        log_odds += np.float32(at_zero)
        at_rest = log_odds - weigh(context, state, of_tired, memory)
        now, rested = now * sigmoid(log_odds), rested * sigmoid(at_rest)
    return now, rested


_TIRED = list(map(FEATURES.index, TIRED))


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """Probabilities of log-odds, in place; those beyond any float32 are 0 or 1."""
    np.clip(log_odds, -_LARGEST, _LARGEST, out=log_odds)
    np.negative(log_odds, out=log_odds)
    np.exp(log_odds, out=log_odds)
    log_odds += np.float32(1.0)
    return np.reciprocal(log_odds, out=log_odds)


_LARGEST = 80.0
"""Log-odds whose exponential is still a float32."""


def _for_everybody(context: PoolContext, weights: FloatArray) -> FloatArray:
    everybody = np.zeros((len(context), len(FEATURES) + len(context.floors)), np.float32)
    everybody[:, : len(LOGGED)] = weights
    return everybody
