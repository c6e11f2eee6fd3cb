"""What decisions that were logged say about a policy that did not make them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..ope.config import OPEConfig
from ..ope.evaluate import improvement
from ..ope.logged import LoggedSlates
from ..ope.methods import Method
from ..ope.propensities import Propensities
from ..ope.verdict import Estimate
from .canary import Seen
from .findings import Finding
from .planning import seen_in


class LoggedRule(BaseModel):
    """How much the log counts.

    Attributes:
        use: ``required``: without an estimate that is good enough the policy is refused.
            ``advisory``: what is found is told and decides nothing.
        method: The estimator. A learned policy is deterministic, and few logged slates equal its
            own as a whole; weighing positions one by one needs less overlap, and assumes that a
            position's reward depends on its item alone.
        reward: What the slates are held to have earned.
        min_ratio: The lower bound of the policy's reward per slate, relative to what the log
            earned, has to lie above it.
        ope: Intervals and least overlap.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    use: Literal["required", "advisory"] = "advisory"
    method: Method = "snips"
    reward: Literal["click", "engagement"] = "engagement"
    min_ratio: float = Field(default=0.97, gt=0.0)
    ope: OPEConfig = OPEConfig()


class LoggedComparison(BaseModel):
    """A policy's estimated reward per slate beside that of the log.

    Attributes:
        earned: Mean reward per slate of the log.
        difference: The policy's mean reward minus that.
        source: Which log.
        seen: What its users brought with their first slates, for the plan of a canary.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    earned: float
    difference: Estimate
    source: str
    seen: Seen | None = None


def compare_with_log(
    logged: LoggedSlates,
    target: Propensities,
    rule: LoggedRule,
    source: str,
    slates_per_user: int | None = None,
) -> LoggedComparison:
    """Estimate what the policy would have earned more or less on the log.

    Args:
        logged: Slates of another policy, in the order in which they were shown.
        target: The policy's probabilities of them.
        rule: Which estimator.
        source: Name of the log, for people.
        slates_per_user: First slates of a user that count in a canary, if one is to be planned.

    Raises:
        InvalidValue: The arrays do not fit.
        NotIdentified: The method needs probabilities that the log does not hold.
    """
    return LoggedComparison(
        earned=float(logged.slate_rewards.mean()),
        difference=improvement(logged, target, method=rule.method, config=rule.ope),
        source=source,
        seen=None if slates_per_user is None else seen_in(logged, slates_per_user, source),
    )


def log_finding(compared: LoggedComparison | None, rule: LoggedRule) -> Finding | None:
    """What follows from the log; None where there is none and none is required."""
    decides = rule.use == "required"
    if compared is None:
        if not decides:
            return None
        sentence = "No logged decisions were given, and an off-policy estimate is required."
        return Finding(part="logged decisions", holds=None, sentence=sentence)
    found, earned = compared.difference, compared.earned
    low, high = found.low, found.high
    if found.refused or found.value is None or low is None or high is None or earned <= 0.0:
        why = " ".join(found.refused_because) or "The log earned nothing."
        sentence = f"{compared.source} cannot tell what the policy would have earned: {why}"
        return Finding(part="logged decisions", holds=None, decides=decides, sentence=sentence)
    least = (rule.min_ratio - 1.0) * earned
    ratio = 1.0 + found.value / earned
    ends = f"{1.0 + low / earned:.3f} to {1.0 + high / earned:.3f}"
    sentence = (
        f"On {compared.source}, {found.n:,} slates ({found.ess:,.0f} in effect, {found.method}): "
        f"ratio of reward per slate {ratio:.3f}, {rule.ope.confidence:.0%} interval {ends}; a "
        f"lower bound above {rule.min_ratio:g} is {'needed' if decides else 'wanted'}. It speaks "
        "of the states that the log was in, not of those that the policy would lead to."
    )
    return Finding(part="logged decisions", holds=low > least, decides=decides, sentence=sentence)
