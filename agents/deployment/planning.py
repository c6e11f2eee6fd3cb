"""The plan of a canary: how many users it takes to see what must be seen."""

import math

import numpy as np
from scipy.special import ndtri

from ..ope.logged import LoggedSlates
from ..report import ConstraintFigure, EvaluationReport, Interval
from .betting import observations_needed
from .canary import SHARES, CanaryConfig, CanaryLimit, CanaryPlan, CanarySpread, Seen, Size
from .hypotheses import Hypothesis, hypotheses

CAP = 4.0
"""A user's engagement counts up to the mean plus so many standard deviations."""

USUAL_SHARE = 0.1


def plan_canary(spread: CanarySpread, config: CanaryConfig) -> CanaryPlan:
    """How many users a canary needs, and of which share.

    An alarm is raised by the mean of all alarms' capitals, so one of ``m`` must reach
    ``m / false_alarms`` alone. A promotion needs every proof, each with the whole
    ``false_promotions`` (an intersection-union test), and so the power of each must be higher:
    what is missing to 1 is shared among them.
    """
    shares = (config.share,) if config.share is not None else SHARES
    if config.share is None and config.users_per_day is None:
        shares = (USUAL_SHARE,)
    plans = [_plan(spread, config, share) for share in shares]
    in_time = [plan for plan in plans if plan.days is not None and plan.days <= config.max_days]
    return in_time[0] if in_time else min(plans, key=lambda plan: plan.users)


def _plan(spread: CanarySpread, config: CanaryConfig, share: float) -> CanaryPlan:
    cap = spread.engagement + CAP * spread.engagement_sd
    asked = hypotheses(spread, config, share, cap)
    n_alarms = sum(one.kind == "alarm" for one in asked)
    n_proofs = len(asked) - n_alarms

    def users(one: Hypothesis) -> float:
        alarm = one.kind == "alarm"
        evidence = n_alarms / config.false_alarms if alarm else 1.0 / config.false_promotions
        power = config.power if alarm else 1.0 - (1.0 - config.power) / n_proofs
        found = observations_needed(one.effect, one.variance, one.worst, evidence, power)
        return found / one.share

    needed = [(one.question, users(one)) for one in asked]
    sizes = tuple(Size(question=q, users=math.ceil(n)) for q, n in needed if math.isfinite(n))
    total = max(size.users for size in sizes)
    canary_users = math.ceil(share * total)
    return CanaryPlan(
        share=share,
        users=total,
        canary_users=canary_users,
        decisions=canary_users * spread.slates_per_user,
        days=None if config.users_per_day is None else total / config.users_per_day,
        engagement_cap=cap,
        spread=spread,
        config=config,
        sizes=sizes,
    )


def spread_of_report(report: EvaluationReport, slates_per_user: int) -> CanarySpread:
    """How users would differ in a canary, from an evaluation's intervals: an upper bound.

    An interval tells the standard deviation over users of means over ``S`` seeds, whose square is
    at least a ``1 / S`` of that of one life. Likewise the first ``w`` of ``n`` slates vary at most
    ``sqrt(n / w)`` times as much, relative to their mean, as all of them do, whatever their
    correlation, as long as it is not negative. Sizes that rest on it are therefore rather too
    large; sampled clicks, which the evaluation replaces by their expectation, work the other way.
    """
    learned = report.learned
    slates = learned.slates.value
    counted = min(float(slates_per_user), slates)
    lives = math.sqrt(len(report.seeds) * max(slates / slates_per_user, 1.0))

    def sd(of: Interval) -> float:
        width = (of.high - of.low) / (2.0 * float(ndtri((1.0 + report.confidence) / 2.0)))
        return max(width * math.sqrt(report.n_users) * lives, SMALLEST_SD)

    mean = learned.engagement.value
    watched = [c for c in learned.constraints if _is_a_mean_over_slates(c)]
    return CanarySpread(
        slates_per_user=slates_per_user,
        engagement=mean * counted / slates,
        engagement_sd=sd(learned.engagement) * counted / slates,
        limits=tuple(_limit(c, counted / slates_per_user, sd(c.measured)) for c in watched),
        not_watched=tuple(c.name for c in learned.constraints if c not in watched),
        source=f"the evaluation of {report.n_users} users and {len(report.seeds)} seeds",
    )


def with_seen(spread: CanarySpread, seen: Seen | None) -> CanarySpread:
    """The spread with engagement as it was seen in a log, where there is one of such users."""
    if seen is None or seen.slates_per_user != spread.slates_per_user:
        return spread
    update = {
        "engagement": seen.engagement,
        "engagement_sd": max(seen.sd, SMALLEST_SD),
        "source": f"{spread.source}; engagement of {seen.users} users of {seen.source}",
    }
    return spread.model_copy(update=update)


def seen_in(logged: LoggedSlates, slates_per_user: int, source: str) -> Seen | None:
    """What users of a log brought with their first slates; None where that tells no spread.

    Args:
        logged: Slates in the order in which they were shown, as ``from_impressions`` gives them.
        slates_per_user: First slates that count.
        source: Which log.
    """
    order = np.argsort(logged.users, kind="stable")
    users, starts = np.unique(logged.users[order], return_index=True)
    number = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    earned = np.where(number < slates_per_user, logged.slate_rewards[order], 0.0)
    of_user = np.add.reduceat(earned, starts)
    if len(users) < 2 or of_user.mean() <= 0.0 or of_user.std() <= 0.0:
        return None
    return Seen(
        slates_per_user=slates_per_user,
        engagement=float(of_user.mean()),
        sd=float(of_user.std(ddof=1)),
        users=len(users),
        source=source,
    )


SMALLEST_SD = 1e-3
"""Users that do not differ at all would let a single one decide."""


def _limit(figure: ConstraintFigure, filled: float, sd: float) -> CanaryLimit:
    return CanaryLimit(
        name=figure.name,
        direction=figure.bound,
        target=figure.target,
        slack=-figure.violation * filled,
        sd=sd * filled,
    )


def _is_a_mean_over_slates(figure: ConstraintFigure) -> bool:
    """Exposure and diversity are; a gap between groups of users is not."""
    return figure.name.startswith(("exposure:", "ceiling:", "diversity"))
