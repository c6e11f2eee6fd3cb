"""How far an off-policy estimate may be off: by resampling users, or with certainty of level.

- `bootstrap`: users are resampled (Efron & Tibshirani 1993); right for many users and weights that
  are not extreme, which the diagnostics check.
- `high_confidence`: holds for any number of users and any weights.
"""

import math
from statistics import NormalDist
from typing import Literal

import numpy as np

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue
from ...metrics.bootstrap import bootstrap_sums
from ...metrics.lists import sum_by
from .terms import Terms, influence_of, value_of

_MOST_UNDEFINED = 0.01
_LEAST_STRETCH = 0.05  # A skewness that turns the correction around is beyond what it can mend.


def bootstrap(
    terms: Terms,
    users: IntArray,
    n_replicates: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> tuple[float, float] | None:
    """Interval from resampled users; None where resamples are 0 / 0. O(B U M).

    Importance weights are skewed, so the percentiles are corrected for bias and skewness (BCa:
    Efron 1987, "Better Bootstrap Confidence Intervals"), with the acceleration from the users'
    influence on the estimate.

    Args:
        terms: The estimate.
        users: Who saw each slate, shape ``(n,)``.
        n_replicates: Resamples B.
        rng: Source of randomness.
        confidence: Probability that the interval aims at.
    """
    sums = terms.by_user(users)
    replicates = value_of(bootstrap_sums(sums, n_replicates, rng))
    known = replicates[np.isfinite(replicates)]
    if len(known) < (1.0 - _MOST_UNDEFINED) * n_replicates:
        return None
    levels = bca_levels(terms.value(), known, influence_of(sums), confidence)
    low, high = np.quantile(known, levels)
    return float(low), float(high)


def bca_levels(
    value: float, replicates: FloatArray, influence: FloatArray, confidence: float
) -> tuple[float, float]:
    """At which quantiles of the replicates the interval ends, by BCa.

    Args:
        value: The estimate.
        replicates: Shape ``(B,)``.
        influence: Of each user on the estimate, up to a factor, shape ``(U,)``.
        confidence: Probability that the interval aims at.
    """
    normal, n = NormalDist(), len(replicates)
    below = float((replicates < value).mean() + 0.5 * (replicates == value).mean())
    shift = normal.inv_cdf(min(max(below, 1.0 / (n + 1.0)), n / (n + 1.0)))
    spread = float(np.square(influence).sum()) ** 1.5
    skew = float((influence**3).sum()) / (6.0 * spread) if spread > 0.0 else 0.0

    def level(tail: float) -> float:
        z = shift + normal.inv_cdf(tail)
        return normal.cdf(shift + z / max(1.0 - skew * z, _LEAST_STRETCH))

    tail = (1.0 - confidence) / 2.0
    return level(tail), level(1.0 - tail)


def high_confidence(
    weights: FloatArray,
    rewards: FloatArray,
    users: IntArray,
    reward_range: tuple[float, float],
    clip: float,
    confidence: float = 0.95,
    bound: Literal["bernstein", "hoeffding"] = "bernstein",
) -> tuple[float, float]:
    """Bounds on the target's value that hold with the confidence whatever the weights are.

    With rewards in [a, b], E_μ[w (r − a)] is at most the target's value above a, and so is the same
    with weights cut at ``clip``: a lower bound of it is one of the value (Thomas, Theocharous &
    Ghavamzadeh 2015, "High-Confidence Off-Policy Evaluation"). The upper bound is the mirror image,
    b − a lower bound of E_μ[w (b − r)]. Neither needs that the logging policy can show all that the
    target shows. Users are independent, with as many slates as they have; one-sided errors of
    (1 − confidence) / 2 each.

    Args:
        weights: Not negative, shape ``(n,)``, or ``(n, k)`` for methods that weigh positions.
        rewards: Of the same shape; their sums over positions are what is bounded.
        users: Who saw each slate, shape ``(n,)``.
        reward_range: Least and largest reward of one entry.
        clip: Fixed before the data were seen.
        confidence: Of both bounds together.
        bound: ``bernstein`` follows the observed variance (Maurer & Pontil 2009, "Empirical
            Bernstein Bounds and Sample Variance Penalization"), ``hoeffding`` the range alone
            (Hoeffding 1963, "Probability Inequalities for Sums of Bounded Random Variables").

    Raises:
        InvalidValue: A weight is negative, or a reward lies outside its range.
    """
    least, largest = reward_range
    if (rewards < least).any() or (rewards > largest).any() or not least < largest:
        raise InvalidValue(
            f"rewards from {float(rewards.min()):g} to {float(rewards.max()):g} do not lie in "
            f"[{least:g}, {largest:g}]",
            field="reward_range",
            mend="Give the range that rewards can have, not the one they had.",
        )
    if (weights < 0.0).any():
        raise InvalidValue(
            "a weight is negative",
            field="interval",
            mend="Use the bootstrap with the pseudo-inverse estimator.",
        )
    n = len(weights)
    cut = np.minimum(weights, clip).reshape(n, -1)
    earned = rewards.reshape(n, -1)
    k = cut.shape[1]
    risk = (1.0 - confidence) / 2.0
    limit = k * clip * (largest - least)
    below = (cut * (earned - least)).sum(axis=1)
    above = (cut * (largest - earned)).sum(axis=1)
    low = k * least + max(0.0, lower_bound(below, users, limit, risk, bound))
    high = k * largest - max(0.0, lower_bound(above, users, limit, risk, bound))
    return low, high


def lower_bound(
    values: FloatArray,
    users: IntArray,
    limit: float,
    risk: float,
    bound: Literal["bernstein", "hoeffding"],
) -> float:
    """A number that the expected mean of the values lies below with probability ``risk`` at most.

    Args:
        values: In [0, ``limit``], shape ``(n,)``; independent between users, not within.
        users: Shape ``(n,)``.
        limit: Largest value possible.
        risk: Probability of being wrong.
        bound: Which inequality.
    """
    _, codes, slates = np.unique(users, return_inverse=True, return_counts=True)
    n, n_users = len(values), len(slates)
    mean = float(values.mean())
    if bound == "hoeffding":
        spread = limit * math.sqrt(float(np.square(slates / n).sum()))
        return mean - spread * math.sqrt(math.log(1.0 / risk) / 2.0)
    if n_users < 2:
        return -math.inf
    # Each user's sum, scaled so that the plain mean over users is the mean over slates.
    scaled = sum_by(codes, values, n_users) * (n_users / n)
    largest = limit * float(slates.max()) * n_users / n
    log = math.log(2.0 / risk)
    variance = float(scaled.var(ddof=1))
    return (
        mean
        - math.sqrt(2.0 * variance * log / n_users)
        - 7.0 * largest * log / (3.0 * (n_users - 1.0))
    )
