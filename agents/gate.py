"""The gate before deployment: a rule over the figures of an evaluation, and its reasons.

The rule, in full. A policy passes when all of this holds on held-out users:

1. The evaluation has at least ``min_users`` users and ``min_seeds`` seeds, names every baseline in
   ``required_baselines``, and holds only finite figures.
2. For each constraint the upper confidence bound of the violation is at most 0.
3. Some baseline breaks no constraint, and against the best of those the ratio of engagement is at
   least ``min_ratio`` with a lower confidence bound of at least ``min_ratio_low``.

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
        min_ratio: Least engagement relative to the best baseline, point estimate.
        min_ratio_low: Least lower confidence bound of that ratio.
        required_baselines: Names that the evaluation must hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_users: int = Field(default=100, ge=2)
    min_seeds: int = Field(default=5, ge=1)
    min_ratio: float = Field(default=1.0, gt=0.0)
    min_ratio_low: float = Field(default=0.99, gt=0.0)
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
    if report.best_baseline is None:
        against.append("No baseline holds the constraints, so there is nothing to compare with.")
    else:
        best = report.figures(report.best_baseline)
        figures["ratio"] = learned.engagement_ratio.value
        figures["ratio_low"] = learned.engagement_ratio.low
        sentence, enough = _comparison(learned, best, report.confidence, config)
        (in_favour if enough else against).append(sentence)
    headline = (
        f"{learned.name} may be deployed: it holds the constraints and is not below "
        f"{report.best_baseline}."
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


def _comparison(
    learned: PolicyFigures, best: PolicyFigures, confidence: float, config: GateConfig
) -> tuple[str, bool]:
    """The comparison with the best baseline, as a sentence, and whether it is enough."""
    ratio = learned.engagement_ratio
    enough = ratio.value >= config.min_ratio and ratio.low >= config.min_ratio_low
    sentence = (
        f"Engagement {learned.engagement.value:.3f} against {best.engagement.value:.3f} of "
        f"{best.name}: ratio {ratio.value:.4f}, {confidence:.0%} interval {ratio.low:.4f} to "
        f"{ratio.high:.4f}; at least {config.min_ratio:g} and a lower bound of "
        f"{config.min_ratio_low:g} are needed."
    )
    return sentence, enough
