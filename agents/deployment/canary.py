"""How a canary is run: its settings, what it watches, and the plan with its sizes."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["floor", "ceiling"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CanaryConfig(_Model):
    """How careful a canary is.

    Attributes:
        share: Probability of each user to be served by the new policy. Where it is not given, the
            smallest of `SHARES` with which the canary ends within ``max_days``, if
            ``users_per_day`` is known; 0.1 if not.
        users_per_day: New users a day that can be assigned to either side.
        max_days: Longest canary, for the choice of a share.
        slates_per_user: A user counts once, with the first so many slates.
        tolerance: Loss of engagement, relative to the control's, that is noticed, and beyond which
            the policy is not promoted.
        breach: Distance beyond a limit that is noticed.
        limit_tolerance: Distance beyond a limit up to which the policy is promoted.
        false_alarms: Probability of rolling back a policy that is as good as the control and
            keeps every limit, however often and long one looks.
        false_promotions: Probability of promoting one that is worse than the tolerance or beyond
            a limit by more than its tolerance.
        power: Probability with which the planned number of users settles the matter.
    """

    share: float | None = Field(default=None, gt=0.0, lt=1.0)
    users_per_day: float | None = Field(default=None, gt=0.0)
    max_days: float = Field(default=28.0, gt=0.0)
    slates_per_user: int = Field(default=10, ge=1)
    tolerance: float = Field(default=0.05, gt=0.0, lt=1.0)
    breach: float = Field(default=0.03, gt=0.0, lt=1.0)
    limit_tolerance: float = Field(default=0.01, ge=0.0, lt=1.0)
    false_alarms: float = Field(default=0.05, gt=0.0, lt=0.5)
    false_promotions: float = Field(default=0.05, gt=0.0, lt=0.5)
    power: float = Field(default=0.8, gt=0.5, lt=1.0)


SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of the users that are tried; with half of them a comparison needs the fewest users."""


class CanaryLimit(_Model):
    """One limit as a canary watches it.

    What counts of a user is ``(measured - target * slates) / slates_per_user``, with the sum of
    what the user's slates had; it is positive on average exactly if the level over all slates lies
    above the target.

    Attributes:
        name: As in the evaluation.
        direction: Whether the target is a floor or a ceiling.
        target: In [0, 1].
        slack: Mean over users of what counts, as expected; positive within the limit.
        sd: Standard deviation over users of what counts.
    """

    name: str
    direction: Direction
    target: float = Field(ge=0.0, le=1.0)
    slack: float
    sd: float = Field(gt=0.0)

    @property
    def sign(self) -> float:
        """1 for a floor, -1 for a ceiling."""
        return 1.0 if self.direction == "floor" else -1.0


class CanarySpread(_Model):
    """How users differ in their first ``slates_per_user`` slates.

    Attributes:
        slates_per_user: Slates that count.
        engagement: Mean over users.
        engagement_sd: Standard deviation over users.
        limits: What is watched beside.
        not_watched: Names of limits that a canary cannot watch slate by slate.
        source: Where the numbers come from.
    """

    slates_per_user: int = Field(ge=1)
    engagement: float = Field(gt=0.0)
    engagement_sd: float = Field(gt=0.0)
    limits: tuple[CanaryLimit, ...]
    not_watched: tuple[str, ...] = ()
    source: str


class Seen(_Model):
    """What users were seen to bring, in a log rather than in a simulation's expectations.

    Attributes:
        slates_per_user: First slates of each user that count.
        engagement: Mean over users of what these earned.
        sd: Standard deviation over users.
        users: How many.
        source: Which log.
    """

    slates_per_user: int = Field(ge=1)
    engagement: float = Field(gt=0.0)
    sd: float = Field(gt=0.0)
    users: int = Field(ge=2)
    source: str


class Size(_Model):
    """Users that a question needs, of both sides together.

    Attributes:
        question: What is asked.
        users: After which it is answered with the planned power.
    """

    question: str
    users: int = Field(ge=1)


class CanaryPlan(_Model):
    """What a canary does, all of it: the monitor needs nothing else.

    Attributes:
        share: Probability of each user to be served by the new policy.
        users: Users of both sides after which the canary ends; who is undecided then is rolled
            back.
        canary_users: Of these, on the new policy, as expected.
        decisions: Slates that the new policy shows until then, as expected at most.
        days: How long that takes; None where the traffic is not known.
        engagement_cap: A user's engagement counts up to this: bets need a bound.
        spread: What the sizes rest on.
        config: How careful it is.
        sizes: Users for each question.
    """

    share: float = Field(gt=0.0, lt=1.0)
    users: int = Field(ge=1)
    canary_users: int = Field(ge=1)
    decisions: int = Field(ge=1)
    days: float | None
    engagement_cap: float = Field(gt=0.0)
    spread: CanarySpread
    config: CanaryConfig
    sizes: tuple[Size, ...]

    @property
    def sentence(self) -> str:
        """The plan in words."""
        config = self.config
        time = "" if self.days is None else f", about {self.days:.0f} days"
        longest = max(self.sizes, key=lambda size: size.users)
        return (
            f"Canary: {self.share:.0%} of the users, until {self.users:,} users of both sides "
            f"({self.canary_users:,} on the policy, {self.decisions:,} slates{time}) have had "
            f"{self.spread.slates_per_user} slates each; longest for: {longest.question}. Rolled "
            f"back at once on evidence of lower engagement or of a broken limit (false alarms at "
            f"most {config.false_alarms:.0%} at any time), promoted once engagement is shown to "
            f"be at least {1.0 - config.tolerance:.0%} of the control's and each limit to be held "
            f"within {config.limit_tolerance:g}."
        )
