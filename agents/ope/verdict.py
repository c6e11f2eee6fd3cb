"""An off-policy estimate, or why there is none that can be used."""

from pydantic import BaseModel, ConfigDict

from .config import OPEConfig
from .diagnostics import Diagnostics


class Estimate(BaseModel):
    """What the target policy would have earned per slate, in the states of the log.

    Attributes:
        method: What made it.
        value: The estimate; None where it is 0 / 0.
        low: Lower end of its interval.
        high: Upper end of its interval.
        ess: Effective number of slates.
        n: Slates in the log.
        n_users: Users in the log.
        diagnostics: The weights behind it.
        refused_because: Why it must not be used, each a sentence; empty where it may be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    value: float | None
    low: float | None
    high: float | None
    ess: float
    n: int
    n_users: int
    diagnostics: Diagnostics
    refused_because: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether it must not be used."""
        return bool(self.refused_because)

    def __str__(self) -> str:
        """One line for tables and logs."""
        about = f"{self.method}, {self.n:,} slates of {self.n_users:,} users, ESS {self.ess:,.0f}"
        if self.value is None or self.low is None or self.high is None:
            found = "no estimate"
        else:
            found = f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"
        refused = f"; refused: {' '.join(self.refused_because)}" if self.refused else ""
        return f"{found} ({about}{refused})"


def refusals(found: Diagnostics, config: OPEConfig) -> tuple[str, ...]:
    """Why a log with these weights cannot judge the target policy, each a sentence."""
    against: list[str] = []
    if found.ess < config.min_ess:
        against.append(
            f"The log tells as much as {found.ess:.1f} slates of the target policy would; "
            f"{config.min_ess:g} are needed."
        )
    if found.ess_users < config.min_ess_users:
        against.append(
            f"The weights rest on {found.ess_users:.1f} users in effect; "
            f"{config.min_ess_users:g} are needed."
        )
    if found.ess_rewards < config.min_ess_rewards:
        against.append(
            f"The rewards weighed are those of {found.ess_rewards:.1f} users in effect; "
            f"{config.min_ess_rewards:g} are needed."
        )
    if found.mean_weight_p < config.mean_weight_level:
        below = found.mean_weight < 1.0
        why = (
            "the target shows what the logging policy cannot, or the logged probabilities are wrong"
            if below
            else "the logged probabilities are wrong"
        )
        against.append(
            f"The mean weight is {found.mean_weight:.3f} where 1 is due "
            f"(p = {found.mean_weight_p:.1g}): {why}."
        )
    if found.unsupported is not None and found.unsupported > config.max_unsupported:
        against.append(
            f"{found.unsupported:.1%} of what the target shows can never be shown by the logging "
            f"policy; {config.max_unsupported:.1%} is the limit."
        )
    return tuple(against)
