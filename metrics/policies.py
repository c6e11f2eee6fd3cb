"""What to expect of a stochastic policy: of mixtures exactly, of any metric by sampling."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import InvalidValue
from .lists import sum_by


class Expected(NamedTuple):
    """A sampled expectation.

    Attributes:
        mean: Mean over samples.
        error: Its standard error, of the same shape.
    """

    mean: FloatArray
    error: FloatArray


def mixture_exposure(
    rankings: IntArray, probabilities: FloatArray, n_candidates: int, discount: FloatArray
) -> FloatArray:
    """Expected exposure when one of several rankings is drawn, such as from a decomposition.

    Args:
        rankings: Columns of the pool, best first, -1 where unused, shape ``(U, R, k)``.
        probabilities: Chance of each ranking, shape ``(U, R)``, rows sum to 1.
        n_candidates: Columns of the pool, ``N``.
        discount: Weight of each position, shape ``(k,)``.

    Returns:
        Shape ``(U, N)``.
    """
    n_users, _, k = rankings.shape
    if probabilities.shape != rankings.shape[:2] or discount.shape != (k,):
        raise InvalidValue("rankings, probabilities and discount do not pair up", field="rankings")
    if (probabilities < 0).any() or not np.allclose(probabilities.sum(axis=1), 1.0):
        raise InvalidValue("probabilities must sum to 1 for each user", field="probabilities")
    valid = rankings >= 0
    if rankings.max(initial=-1) >= n_candidates:
        raise InvalidValue(f"a column lies outside 0…{n_candidates - 1}", field="rankings")
    user = np.broadcast_to(np.arange(n_users)[:, None, None], rankings.shape)
    amount = probabilities[:, :, None] * discount
    cell = user[valid] * n_candidates + rankings[valid]
    flat = sum_by(cell, amount[valid], n_users * n_candidates)
    return flat.reshape(n_users, n_candidates)


def expectation(
    metric: Callable[[IntArray], FloatArray],
    draw: Callable[[np.random.Generator], IntArray],
    n_samples: int,
    rng: np.random.Generator,
) -> Expected:
    """Expected value of any metric of lists under a policy, by sampling it.

    Args:
        metric: From lists ``(U, k)`` to values of any shape, such as one per user.
        draw: Lists for all users, from the policy.
        n_samples: Draws, at least 2.
        rng: Source of randomness.

    Returns:
        Mean and standard error over draws, of the metric's shape; NaN where any value is. The
        error is that of sampling the policy, not of having these users: for that, bootstrap the
        mean.
    """
    if n_samples < 2:
        raise InvalidValue(f"n_samples is {n_samples}", field="n_samples", mend="Use at least 2.")
    mean = squares = np.zeros(())
    for n in range(1, n_samples + 1):
        # Welford's update: no cancellation where the spread is small beside the mean.
        value = metric(draw(rng))
        step = value - mean
        mean = mean + step / n
        squares = squares + step * (value - mean)
    return Expected(mean, np.sqrt(squares / (n_samples - 1) / n_samples))
