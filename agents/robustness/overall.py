"""One interval over users and worlds.

Both were drawn: other users would have given another figure, and so would other worlds. The same
users are in every world, so their part of the uncertainty does not shrink with more worlds, and
that of the worlds does not shrink with more users.

Source: Cameron, Gelbach & Miller 2011, "Robust inference with multiway clustering".
"""

import numpy as np
from scipy.stats import t

from ...arrays import FloatArray
from ...errors import InvalidValue
from ..report import Interval


def geometric_mean(log_values: FloatArray, resampled: FloatArray, confidence: float) -> Interval:
    """Geometric mean over worlds, with an interval for other users and other worlds.

    The variance of the mean of the logs is the sum of its variance over worlds, ``s² / W``, and of
    its variance over resampled users. What both hold, the part of a user *in* a world, is counted
    twice and not taken out again: it is small, and doubt shall not shrink. Quantiles are Student's,
    with Satterthwaite's (1946) degrees of freedom, ``W − 1`` for worlds and many for users: with
    few worlds an interval is wide, as it has to be.

    Args:
        log_values: Estimate in each world, shape ``(W,)``.
        resampled: The same from resampled users, the same ones in every world, shape ``(B, W)``.
        confidence: Probability that the interval aims at.

    Raises:
        InvalidValue: There are fewer than two worlds, from which nothing follows for others.
    """
    n_worlds = len(log_values)
    if n_worlds < 2:
        raise InvalidValue(
            f"{n_worlds} worlds", field="worlds", mend="Use 2 or more; 10 for a narrow interval."
        )
    mean = float(log_values.mean())
    of_worlds = float(log_values.var(ddof=1)) / n_worlds
    variance = of_worlds + float(resampled.mean(axis=1).var(ddof=1))
    reach = 0.0
    if variance > 0.0:
        share = of_worlds / variance
        freedom = (n_worlds - 1) / share**2 if share > 0.0 else np.inf
        reach = float(t.ppf(0.5 + confidence / 2.0, freedom)) * float(np.sqrt(variance))
    low, value, high = np.exp([mean - reach, mean, mean + reach]).tolist()
    return Interval(value=value, low=low, high=high)
