"""The gate before deployment: a rule over the figures of an evaluation, and its reasons.

The rule, in full. A policy passes when all of this holds on held-out users:

1. The evaluation has at least ``min_users`` users and ``min_seeds`` seeds, names every baseline in
   ``required_baselines``, and holds only finite figures.
2. For each constraint the upper confidence bound of the violation is at most 0.
3. It beats the best simple re-ranker (``simple_baselines``) that breaks no constraint: its interval
   of engagement lies wholly above the other's.
4. It is not worse than the best baseline of all that breaks no constraint, which may see the same
   state and is where learning starts: the lower confidence bound of the paired ratio of
   engagement is at least ``min_ratio_low``.

A baseline counts as soon as its *point estimates* hold, the policy only when its *bounds* do: doubt
works against the policy.
"""

import math

from pydantic import BaseModel, ConfigDict, Field

from ..errors import GateRefused
from .report import EvaluationReport, PolicyFigures


class GateConfig(BaseModel):
    """Thresholds of the rule.

    Attributes:
        min_users: Fewest held-out users.
        min_seeds: Fewest simulator seeds.
        min_ratio_low: Least lower confidence bound of the engagement relative to the best
            baseline. Set it above 1 to deploy only what beats the best baseline as well.
        simple_baselines: What could serve without learning anything about the user's state.
        required_baselines: Names that the evaluation must hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_users: int = Field(default=100, ge=2)
    min_seeds: int = Field(default=5, ge=1)
    min_ratio_low: float = Field(default=0.97, gt=0.0)
    simple_baselines: tuple[str, ...] = ("top-k", "mmr", "exposure", "static-memoryless")
    required_baselines: tuple[str, ...] = (
        "top-k",
        "mmr",
        "exposure",
        "static-memoryless",
        "static-state-aware",
    )


class Verdict(BaseModel):
    """What the gate decided.

    Attributes:
        passed: Whether the policy may be deployed.
        headline: One sentence.
        reasons: Every finding as a sentence, those that refuse first.
        figures: The numbers that the findings rest on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    headline: str
    reasons: tuple[str, ...]
    figures: dict[str, float]


def judge(report: EvaluationReport, config: GateConfig | None = None) -> Verdict:
    """Apply the rule to the published policy of a report."""
    config = config or GateConfig()
    learned = report.learned
    against: list[str] = [*_evidence_missing(report, config)]
    in_favour: list[str] = []
    figures = {"engagement": learned.engagement.value, "n_users": float(report.n_users)}
    for constraint in learned.constraints:
        figures[f"violation_ucb:{constraint.name}"] = constraint.violation_ucb
        sentence = (
            f"{constraint.name}: measured {constraint.measured.value:.4f} against a floor of "
            f"{constraint.target:.4f}; upper bound of the violation "
            f"{constraint.violation_ucb:+.4f}."
        )
        # `not met` rather than `ucb > 0`: a NaN bound must refuse.
        (in_favour if constraint.met else against).append(sentence)
    for sentence, enough in (_beats_simple(report, config), _not_worse(report, config)):
        (in_favour if enough else against).append(sentence)
    if report.best_baseline is not None:
        figures["ratio"] = learned.engagement_ratio.value
        figures["ratio_low"] = learned.engagement_ratio.low
    headline = (
        f"{learned.name} may be deployed: it holds the constraints, beats the simple re-rankers "
        f"and is not worse than {report.best_baseline}."
        if not against
        else f"{learned.name} is refused: {against[0]}"
    )
    return Verdict(
        passed=not against,
        headline=headline,
        reasons=(*against, *in_favour),
        figures=figures,
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


def _evidence_missing(report: EvaluationReport, config: GateConfig) -> list[str]:
    """Why the report cannot support a decision, if it cannot."""
    found: list[str] = []
    if report.n_users < config.min_users:
        found.append(f"Only {report.n_users} held-out users; {config.min_users} are needed.")
    if len(set(report.seeds)) < config.min_seeds:
        found.append(
            f"Only {len(set(report.seeds))} simulator seeds; {config.min_seeds} are needed."
        )
    names = {p.name for p in report.policies if p.kind == "baseline"}
    missing = [name for name in config.required_baselines if name not in names]
    if missing:
        found.append(f"The evaluation lacks the baselines {', '.join(missing)}.")
    numbers = [
        *(report.learned.engagement.value, report.learned.engagement_ratio.low),
        *(c.violation_ucb for c in report.learned.constraints),
    ]
    if not all(math.isfinite(number) for number in numbers):
        found.append("The evaluation holds figures that are not finite.")
    return found


def _beats_simple(report: EvaluationReport, config: GateConfig) -> tuple[str, bool]:
    """Part 3 of the rule, as a sentence, and whether it holds."""
    able = [
        p for p in report.policies if p.name in config.simple_baselines and p.breaks_no_constraint
    ]
    if not able:
        return "No simple re-ranker holds the constraints, so there is none to beat.", False
    best = max(able, key=lambda p: p.engagement.value)
    learned = report.learned
    sentence = (
        f"Engagement {_span(learned)} against {_span(best)} of {best.name}, the best simple "
        "re-ranker that holds the constraints; the interval must lie above the other's."
    )
    return sentence, learned.engagement.low > best.engagement.high


def _not_worse(report: EvaluationReport, config: GateConfig) -> tuple[str, bool]:
    """Part 4 of the rule, as a sentence, and whether it holds."""
    if report.best_baseline is None:
        return "No baseline holds the constraints, so there is nothing to compare with.", False
    best, ratio = report.figures(report.best_baseline), report.learned.engagement_ratio
    if ratio.low > 1.0:
        found = "better"
    else:
        found = "worse" if ratio.high < 1.0 else "no difference was measured"
    sentence = (
        f"Against {best.name}, the best baseline: ratio {ratio.value:.4f}, "
        f"{report.confidence:.0%} interval {ratio.low:.4f} to {ratio.high:.4f} ({found}); a lower "
        f"bound of {config.min_ratio_low:g} is needed."
    )
    return sentence, ratio.low >= config.min_ratio_low


def _span(policy: PolicyFigures) -> str:
    e = policy.engagement
    return f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]"
