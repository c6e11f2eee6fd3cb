"""Take the luck of leaving and returning out of the reward, without changing its mean.

When a user leaves, all that would have followed is lost; in this world that chance event is most
of the noise in an advantage, and it says little about the slate. The simulator knows the
probability with which it was drawn, so the part of it that was luck can be given back: a control
variate (Greensmith, Bartlett & Baxter 2004, "Variance Reduction Techniques for Gradient Estimates
in Reinforcement Learning").
"""

import numpy as np

from ..arrays import FloatArray
from ..simulators.population import StepOutcome


def luck_of_return(outcome: StepOutcome, horizon: float) -> FloatArray:
    """Days lost to bad luck at this visit: expected minus actual days left in the horizon.

    With ``R`` days to the horizon, probability ``p`` of leaving and a geometric gap of hazard
    ``h``, the days left at the next visit have mean ``(1 - p) (R - (1 - (1 - h)^R) / h)``. Given
    everything up to the clicks and whether the session goes on, what is returned has mean 0,
    whatever the policy; while it goes on nobody leaves, no day passes, and it is 0.

    Returns:
        Shape ``(U,)``; positive where luck was bad.
    """
    left = np.maximum(horizon - outcome.day, 0.0)
    hazard = np.clip(outcome.return_hazard, 1e-6, 1.0)
    # Whole days pass, so a visit at day R - 1 or earlier is the last that counts.
    rest = np.ceil(left)
    expected = left - (1.0 - (1.0 - hazard) ** rest) / hazard
    expected = np.maximum(expected, 0.0) * (1.0 - outcome.leaving_probability)
    actual = np.where(outcome.left, 0.0, np.maximum(horizon - outcome.next_day, 0.0))
    return np.where(outcome.session_over, expected - actual, 0.0)
