"""How off-policy estimates are made, and when they are refused."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

IntervalKind = Literal["bootstrap", "bernstein", "hoeffding"]


class OPEConfig(BaseModel):
    """Settings of the estimators, their intervals, and the limits below which nothing is said.

    Attributes:
        confidence: Of two-sided intervals.
        interval: ``bootstrap`` resamples users; ``bernstein`` and ``hoeffding`` hold for any number
            of users and any weights, need ``reward_range``, and are much wider.
        n_bootstrap: Resamples.
        seed: Of the resamples.
        clip: Largest weight of `clipped-ips` and of the high-confidence bounds. Choose it before
            seeing the data: a clip chosen for its result takes their guarantee.
        switch_tau: Largest weight that `switch-dr` trusts.
        shrinkage: λ of `dr-os`.
        reward_range: Least and largest reward that one entry of the log can have.
        min_ess: Least effective number of slates.
        min_ess_users: Least effective number of users.
        min_ess_rewards: Least effective number of users whose weighted rewards make the estimate;
            below some 20 a bootstrap interval holds the truth clearly too seldom.
        mean_weight_level: The mean weight counts as off 1 below this p-value.
        mean_weight_slack: How far off 1 it may be all the same.
        max_unsupported: Largest mean probability, where it is known, that the target may give to
            what the logging policy cannot show.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    interval: IntervalKind = "bootstrap"
    n_bootstrap: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)
    clip: float = Field(default=10.0, ge=1.0)
    switch_tau: float = Field(default=10.0, ge=0.0)
    shrinkage: float = Field(default=100.0, ge=0.0)
    reward_range: tuple[float, float] | None = None
    min_ess: float = Field(default=100.0, ge=0.0)
    min_ess_users: float = Field(default=30.0, ge=0.0)
    min_ess_rewards: float = Field(default=20.0, ge=0.0)
    mean_weight_level: float = Field(default=0.001, gt=0.0, lt=1.0)
    mean_weight_slack: float = Field(default=0.02, ge=0.0)
    max_unsupported: float = Field(default=0.02, ge=0.0, le=1.0)
