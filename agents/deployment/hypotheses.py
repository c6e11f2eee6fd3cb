"""What a canary bets against, and what each user adds to those bets.

User i comes to the new policy (``A = 1``) with probability ``p``, by chance alone. ``Y`` is the
engagement, capped, and ``a`` the mean seen before i. Then, for any ratio ``r``,

    G = (Y - a) (A / p - r (1 - A) / (1 - p)) + a (1 - r)

has the expectation ``E[Y | new] - r E[Y | control]`` given all before, because ``A`` is independent
of the past: the inverse-propensity contrast, with ``a`` as a control variate (Robins, Rotnitzky &
Zhao 1994, "Estimation of regression coefficients when some regressors are not always observed").
Both sides are served at the same time, so a season moves both and is no evidence.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...arrays import BoolArray, FloatArray
from .canary import CanaryConfig, CanaryLimit, CanarySpread

Kind = Literal["alarm", "proof"]
MIXED_UP = 0.2
"""Relative error of the share of users on the new policy that is noticed."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One bet: that the expectation of ``gain`` is at most 0.

    Attributes:
        kind: Alarms are bet against what a good policy fulfils, proofs against what a bad one
            does.
        question: What winning the bet answers, for people.
        effect: Expectation that should be noticed.
        variance: Of the gain.
        worst: What a gain can lie below 0 at most.
        share: Probability that a user adds to it at all.
    """

    kind: Kind
    question: str
    effect: float
    variance: float
    worst: float
    share: float


@dataclass(frozen=True, slots=True)
class Units:
    """Users whose slates have all been seen, in the order in which that was.

    Attributes:
        canary: Who was served by the new policy, shape ``(n,)``.
        engagement: Sum over the slates that count, shape ``(n,)``.
        slates: How many these are, shape ``(n,)``.
        measured: Sum over them of each limit's measure, in the plan's order, shape ``(n, L)``.
    """

    canary: BoolArray
    engagement: FloatArray
    slates: FloatArray
    measured: FloatArray

    def __len__(self) -> int:
        return len(self.canary)


def hypotheses(
    spread: CanarySpread, config: CanaryConfig, share: float, cap: float
) -> tuple[Hypothesis, ...]:
    """All bets of a canary: alarms about engagement, assignment and limits, then the proofs."""
    kept = 1.0 - config.tolerance
    return (
        Hypothesis(
            "alarm",
            "is engagement lower than the control's",
            config.tolerance * spread.engagement,
            _contrast_variance(spread, share, 1.0),
            cap * max(1.0 / share, 1.0 / (1.0 - share)),
            1.0,
        ),
        _mixed_up("more", share, share),
        _mixed_up("fewer", share, 1.0 - share),
        *(_broken(limit, config, share) for limit in spread.limits),
        Hypothesis(
            "proof",
            f"is engagement at least {kept:.0%} of the control's",
            config.tolerance * spread.engagement,
            _contrast_variance(spread, share, kept),
            cap * max(1.0 / share, kept / (1.0 - share)),
            1.0,
        ),
        *(_held(limit, config, share) for limit in spread.limits),
    )


def gains(
    units: Units,
    spread: CanarySpread,
    config: CanaryConfig,
    share: float,
    cap: float,
    before: FloatArray,
) -> FloatArray:
    """What each user adds to each bet, in the order of `hypotheses`, shape ``(n, P)``.

    Args:
        units: The users.
        spread: What is watched.
        config: Tolerances.
        share: Probability of each user to be on the new policy.
        cap: What engagement counts up to.
        before: Mean capped engagement of all users before each of them, shape ``(n,)``.
    """
    new = units.canary.astype(np.float64)
    engagement = np.minimum(units.engagement, cap)

    def contrast(ratio: float) -> FloatArray:
        weight = np.where(units.canary, 1.0 / share, -ratio / (1.0 - share))
        return (engagement - before) * weight + before * (1.0 - ratio)

    surplus = new - share
    within = [_within(units, i, limit, spread) for i, limit in enumerate(spread.limits)]
    tolerated = config.limit_tolerance * units.slates / spread.slates_per_user
    columns = [
        -contrast(1.0),
        surplus,
        -surplus,
        *(-new * inside for inside in within),
        contrast(1.0 - config.tolerance),
        *(new * (inside + tolerated) for inside in within),
    ]
    return np.stack(columns, axis=1)


def _within(units: Units, i: int, limit: CanaryLimit, spread: CanarySpread) -> FloatArray:
    """How far each user's slates lie within a limit, shape ``(n,)``; see `CanaryLimit`."""
    excess = units.measured[:, i] - limit.target * units.slates
    return limit.sign * excess / spread.slates_per_user


def _contrast_variance(spread: CanarySpread, share: float, ratio: float) -> float:
    return spread.engagement_sd**2 * (1.0 / share + ratio**2 / (1.0 - share))


def _mixed_up(how: str, share: float, worst: float) -> Hypothesis:
    """Users who are lost on one side alone make any comparison worthless."""
    question = f"are {how} users than planned on the new policy"
    effect = MIXED_UP * min(share, 1.0 - share)
    return Hypothesis("alarm", question, effect, share * (1.0 - share), worst, 1.0)


def _broken(limit: CanaryLimit, config: CanaryConfig, share: float) -> Hypothesis:
    side = "below its floor" if limit.direction == "floor" else "above its ceiling"
    furthest = 1.0 - limit.target if limit.direction == "floor" else limit.target
    question = f"is {limit.name} {side}"
    return Hypothesis("alarm", question, config.breach, limit.sd**2, _bound(furthest), share)


def _held(limit: CanaryLimit, config: CanaryConfig, share: float) -> Hypothesis:
    furthest = limit.target if limit.direction == "floor" else 1.0 - limit.target
    question = f"is {limit.name} held"
    effect = limit.slack + config.limit_tolerance
    return Hypothesis("proof", question, effect, limit.sd**2, _bound(furthest), share)


def _bound(furthest: float) -> float:
    """A floor of 0 cannot be missed; a bet against that still needs a stake."""
    return max(furthest, 1e-3)
