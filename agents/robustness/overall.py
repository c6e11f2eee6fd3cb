"""One interval over users and worlds.

Both were drawn: other users would have given another figure, and so would other worlds. The same
users are in every world, so their part of the uncertainty does not shrink with more worlds, and
that of the worlds does not shrink with more users.

Sources:
    Cameron, Gelbach & Miller 2011, "Robust inference with multiway clustering": why both count.
    Zou & Donner 2008, "Construction of confidence limits about effect measures: a general
    approach": how two intervals become that of a sum.
"""

import numpy as np
from scipy.stats import t

from ...arrays import FloatArray
from ...errors import InvalidValue
from ...metrics.bootstrap import interval
from ..report import Interval


def geometric_mean(log_values: FloatArray, resampled: FloatArray, confidence: float) -> Interval:
    """Geometric mean over worlds, with an interval for other users and other worlds.

    On the log scale the interval over worlds is Student's, ``± t s / √W`` with ``W − 1`` degrees of
    freedom, because a bootstrap of few worlds is far too narrow (of three it holds the truth three
    times in four). That over users is the percentile interval of the mean. Each side of the whole
    reaches as far as the root of both reaches squared. What a user is worth *in* one world counts
    in both, so that doubt is rather too large than too small.

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
    error = float(log_values.std(ddof=1)) / np.sqrt(n_worlds)
    of_worlds = float(t.ppf(0.5 + confidence / 2.0, n_worlds - 1)) * error
    low, high = interval(resampled.mean(axis=1), confidence)
    # Resampled means need not lie around the estimate; the interval always holds it.
    below = np.hypot(of_worlds, max(mean - float(low), 0.0))
    above = np.hypot(of_worlds, max(float(high) - mean, 0.0))
    return Interval(
        value=float(np.exp(mean)),
        low=float(np.exp(mean - below)),
        high=float(np.exp(mean + above)),
    )
