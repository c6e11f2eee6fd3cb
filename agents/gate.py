"""The gate before deployment: a rule over what was measured, its reasons, and what comes next.

The rule, in full. A policy passes when all of this holds on held-out simulated users:

1. The evaluation has at least ``min_users`` users and ``min_seeds`` seeds, names every baseline in
   ``required_baselines``, and holds only finite figures.
2. For each constraint the upper confidence bound of the violation is at most 0 (`limits`).
3. It beats the best simple re-ranker (``simple_baselines``) that breaks no constraint: its interval
   of engagement lies wholly above the other's.
4. It is better than the best baseline of all that breaks no constraint, which may see the same
   state and is where learning starts: the lower confidence bound of the paired ratio of
   engagement lies above ``min_ratio_low``, 1 by default. Below 1 it would be enough not to be
   worse by more than that; then policies that are truly a little worse pass as well.

and, where ``logged.use`` is ``required``, off-policy evaluation on logged decisions finds it good
enough (`deployment.logged`). Each part must hold, each is tested at its own level, and so a policy
that is bad in any way passes no more often than that level allows (an intersection-union test).

A baseline counts as soon as its *point estimates* hold, the policy only when its *bounds* do: doubt
works against the policy. What passes gets a plan for a canary (`deployment.planning`), in which a
monitor (`deployment.monitor`) has the last word.
"""

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from ..errors import GateRefused
from .deployment.canary import CanaryConfig, CanaryPlan
from .deployment.findings import Finding
from .deployment.hashes import sha256_of
from .deployment.limits import Simultaneous, bound, limit_findings
from .deployment.logged import LoggedComparison, LoggedRule, log_finding
from .deployment.planning import plan_canary, spread_of_report, with_seen
from .deployment.power import Power, power_of
from .deployment.simulated import against_best, beats_simple, evidence
from .report import EvaluationReport


class GateConfig(BaseModel):
    """Thresholds of the rule.

    Attributes:
        min_users: Fewest held-out users.
        min_seeds: Fewest simulator seeds.
        min_ratio_low: What the lower confidence bound of the engagement relative to the best
            baseline has to lie above. 1 asks for a better policy; 0.97 for one that is not worse
            by more than 3 %.
        simultaneous: Whether each limit is tested at the whole level, which is enough, or
            all bounds shall hold at once; see `deployment.limits`.
        worth: True ratio to the best baseline that should not be missed.
        power: Probability with which it should not; a refusal says how many users that takes.
        simple_baselines: What could serve without learning anything about the user's state.
        required_baselines: Names that the evaluation must hold.
        logged: How much off-policy evaluation counts.
        canary: How careful the canary is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_users: int = Field(default=100, ge=2)
    min_seeds: int = Field(default=5, ge=1)
    min_ratio_low: float = Field(default=1.0, gt=0.0)
    simultaneous: Simultaneous = "each"
    worth: float = Field(default=1.05, gt=0.0)
    power: float = Field(default=0.8, gt=0.0, lt=1.0)
    simple_baselines: tuple[str, ...] = (
        "random",
        "top-k",
        "mmr",
        "dpp",
        "exposure",
        "static-memoryless",
    )
    required_baselines: tuple[str, ...] = (
        "top-k",
        "mmr",
        "exposure",
        "static-memoryless",
        "static-state-aware",
    )
    logged: LoggedRule = LoggedRule()
    canary: CanaryConfig = CanaryConfig()


class Verdict(BaseModel):
    """What the gate decided.

    Attributes:
        passed: Whether the policy may be deployed.
        headline: One sentence.
        reasons: Every finding as a sentence, those that refuse first.
        figures: The numbers that the findings rest on, as far as they are finite.
        findings: The same findings as data.
        power: What the evaluation could show at all.
        logged: What logged decisions say, where they were asked.
        canary: How to let it serve some users first; None where it is refused.
        inputs: SHA-256 of what was judged, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    headline: str
    reasons: tuple[str, ...]
    figures: dict[str, float]
    findings: tuple[Finding, ...] = ()
    power: Power | None = None
    logged: LoggedComparison | None = None
    canary: CanaryPlan | None = None
    inputs: dict[str, str] = {}


def judge(
    report: EvaluationReport,
    config: GateConfig | None = None,
    logged: LoggedComparison | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Verdict:
    """Apply the rule to the published policy of a report.

    Args:
        report: The evaluation on held-out users.
        config: The rule.
        logged: What logged decisions say, where there are any.
        inputs: Hashes of what else was judged, by name; those of report and configuration are
            added.
    """
    config = config or GateConfig()
    power = power_of(report, config.min_ratio_low, config.worth, config.power)
    said = log_finding(logged, config.logged)
    findings = [
        *evidence(report, config.min_users, config.min_seeds, config.required_baselines),
        *limit_findings(report, config.simultaneous),
        beats_simple(report, config.simple_baselines),
        against_best(report, config.min_ratio_low, power),
        *(() if said is None else (said,)),
    ]
    findings.sort(key=lambda finding: not finding.refuses)
    passed = not findings[0].refuses
    return Verdict(
        passed=passed,
        headline=_headline(report, config, findings),
        reasons=tuple(finding.sentence for finding in findings),
        figures=_figures(report, config, power),
        findings=tuple(findings),
        power=power,
        logged=logged,
        canary=_plan(report, config, logged) if passed else None,
        inputs={"report": sha256_of(report), "rule": sha256_of(config), **(inputs or {})},
    )


def require_passed(verdict: Verdict) -> None:
    """Let a passed verdict through.

    Raises:
        GateRefused: The verdict is a refusal.
    """
    if not verdict.passed:
        raise GateRefused(
            verdict.headline,
            field="policy",
            mend="Train with a larger budget or margin, or keep the policy that is deployed.",
        )


def _plan(
    report: EvaluationReport, config: GateConfig, logged: LoggedComparison | None
) -> CanaryPlan:
    """How to let it serve some users first; a log's users say more than the evaluation's."""
    spread = spread_of_report(report, config.canary.slates_per_user)
    seen = logged.seen if logged is not None and config.logged.reward == "engagement" else None
    return plan_canary(with_seen(spread, seen), config.canary)


def _headline(report: EvaluationReport, config: GateConfig, findings: list[Finding]) -> str:
    name = report.learned.name
    if findings[0].refuses:
        return f"{name} is refused: {findings[0].sentence}"
    better = "better" if config.min_ratio_low >= 1.0 else "not worse"
    return (
        f"{name} may be deployed: it holds the constraints, beats the simple re-rankers "
        f"and is {better} than {report.best_baseline}."
    )


def _figures(report: EvaluationReport, config: GateConfig, power: Power | None) -> dict[str, float]:
    learned = report.learned
    figures = {"engagement": learned.engagement.value, "n_users": float(report.n_users)}
    for limit in learned.constraints:
        upper = bound(limit, report.confidence, len(learned.constraints), config.simultaneous)
        figures[f"violation_ucb:{limit.name}"] = upper
    if report.best_baseline is not None:
        figures["ratio"] = learned.engagement_ratio.value
        figures["ratio_low"] = learned.engagement_ratio.low
    if power is not None:
        figures["power"], figures["users_for_power"] = power.chance, float(power.users)
    return {name: value for name, value in figures.items() if math.isfinite(value)}
