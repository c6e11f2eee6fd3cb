"""Evidence that may be read at any moment: testing by betting.

A gambler bets against a hypothesis about a mean. Observation i has the bounded value ``g_i``, and
the hypothesis says that its expectation, given all before, is at most 0. From a capital of 1, and
a fixed stake ``s`` with ``s * g_i > -1`` for every possible ``g_i``, the capital is

    K_t(s) = (1 + s g_1) (1 + s g_2) ... (1 + s g_t),

whose expectation never grows under the hypothesis. So, whenever one stops, the chance that it ever
reached ``1 / alpha`` is at most ``alpha`` (Ville 1939, "Étude critique de la notion de collectif").
The same holds of a mean over stakes, which grows about as fast as the best of them, and of a mean
over hypotheses that are all true (Vovk & Wang 2021, "E-values: calibration, combination and
applications"). Neither a distribution nor a sample size is assumed, only bounds and that nobody
looks ahead: Waudby-Smith & Ramdas 2023, "Estimating means of bounded random variables by betting";
Howard, Ramdas, McAuliffe & Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence
sequences".
"""

import math

import numpy as np
from scipy.special import logsumexp

from ...arrays import FloatArray

SPACING = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
"""Stakes, relative to the best one for the effect that was planned for: real effects and spreads
differ from what was planned, and each stake is good within a factor of two."""

BOLDEST = 0.9
"""Share of the capital that one observation may cost at most."""


def stakes(effect: float, variance: float, worst: float) -> FloatArray:
    """Stakes to spread the capital over, shape ``(J,)``.

    The capital's logarithm grows by about ``s effect - s² (variance + effect²) / 2`` an
    observation, which is largest at ``s = effect / (variance + effect²)``.

    Args:
        effect: Mean of the observations that should be noticed, above 0.
        variance: Their variance.
        worst: What an observation can lie below 0 at most, above 0.
    """
    best = effect / (variance + effect**2)
    return np.minimum(SPACING * best, BOLDEST / worst)


def log_capital(gains: FloatArray, stakes: FloatArray, before: FloatArray) -> FloatArray:
    """Logarithm of the capital on each stake after each observation.

    Args:
        gains: Observations in their order, shape ``(n, P)`` for ``P`` hypotheses.
        stakes: Shape ``(P, J)``.
        before: Logarithm of the capital before the first of them, shape ``(P, J)``.

    Returns:
        Shape ``(n, P, J)``. Time and memory are of that size.
    """
    return before + np.cumsum(np.log1p(gains[:, :, None] * stakes), axis=0)


def log_evidence(capital: FloatArray) -> FloatArray:
    """Logarithm of the mean over stakes, ``(..., J)`` to ``(...)``: an e-process each."""
    return logsumexp(capital, axis=-1) - math.log(capital.shape[-1])


def observations_needed(
    effect: float, variance: float, worst: float, evidence: float, power: float
) -> float:
    """Observations within which the evidence comes up with a probability of ``power``.

    On stake ``s`` the capital's logarithm is close to a Brownian motion of drift ``s effect -
    s² (variance + effect²) / 2`` and variance ``s² variance`` an observation. When it first
    reaches a height follows the inverse Gaussian distribution (Schrödinger 1915; Chhikara & Folks
    1989, "The Inverse Gaussian Distribution"). The one stake has to pay for all others, which is
    a little pessimistic.

    Args:
        effect: True mean of the observations.
        variance: Their variance.
        worst: What an observation can lie below 0 at most.
        evidence: What the mean capital has to reach, such as ``1 / alpha``.
        power: Probability aimed at.

    Returns:
        A whole number; infinite where the effect is not above 0.
    """
    if effect <= 0.0:
        return math.inf
    tried = stakes(effect, variance, worst)
    drift = tried * effect - tried**2 * (variance + effect**2) / 2.0
    height = math.log(evidence * len(tried))
    growing = drift > 0.1 * drift.max()  # stakes that hardly grow are never the quickest
    mean = height / drift[growing]
    shape = height**2 / (tried[growing] ** 2 * variance)
    from scipy.stats import invgauss  # half a second to import, which serving need not wait for

    return math.ceil(float(invgauss.ppf(power, mean / shape, scale=shape).min()))
