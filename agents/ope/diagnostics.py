"""Whether a log can tell anything of a policy: what its importance weights look like.

All is computed on the weights as they are, before any method clips or shrinks them.
"""

import math

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...arrays import FloatArray, IntArray
from ...metrics.lists import sum_by


class Diagnostics(BaseModel):
    """What the weights look like.

    Attributes:
        ess: Effective number of slates (Kish 1965): that many drawn by the target itself would
            tell as much. Where each position has a weight, a slate's weight is their mean: what it
            has if all its positions earn the same.
        ess_users: The same with each user's weights summed.
        ess_rewards: The same of users' weighted rewards: how many of them the estimate rests on.
            With rare clicks it is what is scarce.
        mean_weight: Should be 1, up to chance; below it where the target shows what the logging
            policy cannot. Of the position where it is farthest from 1 in standard errors.
        mean_weight_p: p-value of ``|mean - 1| <= slack`` with errors clustered by users, corrected
            for the number of positions.
        largest_weight: The largest.
        zero_share: Share of weights that are 0: the target never shows what was logged.
        unsupported: Mean probability that the target gives to what the logging policy cannot show;
            None where the full laws are not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ess: float
    ess_users: float
    ess_rewards: float
    mean_weight: float
    mean_weight_p: float
    largest_weight: float
    zero_share: float
    unsupported: float | None = None


def diagnose(
    weights: FloatArray,
    rewards: FloatArray,
    users: IntArray,
    slack: float = 0.0,
    unsupported: FloatArray | None = None,
) -> Diagnostics:
    """Look at the weights.

    Args:
        weights: One per slate, shape ``(n,)``, or one per position, ``(n, k)``.
        rewards: Of the same shape.
        users: Who saw each slate, shape ``(n,)``.
        slack: How far from 1 the mean weight may lie without being tested for.
        unsupported: The target's probability of what the logging policy cannot show, ``(n,)``.
    """
    table = weights.reshape(len(weights), -1)
    whole = table.mean(axis=1)
    earned = np.abs(table * rewards.reshape(table.shape)).sum(axis=1)
    _, codes = np.unique(users, return_inverse=True)
    n_users = int(codes.max()) + 1
    tests = [mean_weight_test(column, codes, slack) for column in table.T]
    mean, p = min(tests, key=lambda test: (test[1], -abs(test[0] - 1.0)))
    return Diagnostics(
        ess=effective_sample_size(whole),
        ess_users=effective_sample_size(sum_by(codes, whole, n_users)),
        ess_rewards=effective_sample_size(sum_by(codes, earned, n_users)),
        mean_weight=mean,
        mean_weight_p=min(1.0, p * len(tests)),
        largest_weight=float(table.max()),
        zero_share=float((table == 0.0).mean()),
        unsupported=None if unsupported is None else float(unsupported.mean()),
    )


def effective_sample_size(weights: FloatArray) -> float:
    """(Σ w)² / Σ w², between 0 and their number; 0 where all are 0 (Kish 1965, "Survey Sampling").

    Args:
        weights: Shape ``(n,)``.
    """
    top = float(np.abs(weights).max(initial=0.0))
    if top == 0.0:
        return 0.0
    scaled = weights / top  # so that no square overflows
    return float(scaled.sum() ** 2 / np.square(scaled).sum())


def mean_weight_test(
    weights: FloatArray, users: IntArray, slack: float = 0.0
) -> tuple[float, float]:
    """The mean weight, and the p-value of its lying within ``slack`` of 1.

    Args:
        weights: Shape ``(n,)``.
        users: Codes 0 … U − 1 of who saw each slate, shape ``(n,)``; errors are clustered by them.
        slack: Distance from 1 that is no fault.
    """
    n, n_users = len(weights), int(users.max()) + 1
    mean = float(weights.mean())
    beyond = max(abs(mean - 1.0) - slack, 0.0)
    if beyond <= 1e-12:
        return mean, 1.0
    residuals = sum_by(users, weights - mean, n_users)
    if n_users < 2 or not (variance := float(np.square(residuals).sum())):
        return mean, 0.0
    error = math.sqrt(variance * n_users / (n_users - 1.0)) / n
    return mean, math.erfc(beyond / error / math.sqrt(2.0))


def unsupported_mass(logging: FloatArray, target: FloatArray) -> FloatArray:
    """The target's probability of what the logging policy never shows, shape ``(n,)``.

    No estimator that weighs can know what it would earn (Sachdeva, Su & Joachims 2020, "Off-policy
    Bandits with Deficient Support").

    Args:
        logging: Probability of every action, shape ``(n, A)``.
        target: The same of the target.
    """
    return np.where(logging > 0.0, 0.0, target).sum(axis=1)
