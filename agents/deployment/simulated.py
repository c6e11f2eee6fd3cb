"""What the evaluation on held-out simulated users says for and against a policy."""

import math
from collections.abc import Sequence

from ..report import EvaluationReport, PolicyFigures
from .findings import Finding
from .power import Power


def evidence(
    report: EvaluationReport, min_users: int, min_seeds: int, required: Sequence[str]
) -> list[Finding]:
    """Why the report cannot support a decision, if it cannot."""
    found: list[str] = []
    if report.n_users < min_users:
        found.append(f"Only {report.n_users} held-out users; {min_users} are needed.")
    if len(set(report.seeds)) < min_seeds:
        found.append(f"Only {len(set(report.seeds))} simulator seeds; {min_seeds} are needed.")
    names = {p.name for p in report.policies if p.kind == "baseline"}
    missing = [name for name in required if name not in names]
    if missing:
        found.append(f"The evaluation lacks the baselines {', '.join(missing)}.")
    numbers = [
        *(report.learned.engagement.value, report.learned.engagement_ratio.low),
        *(c.violation_ucb for c in report.learned.constraints),
    ]
    if not all(math.isfinite(number) for number in numbers):
        found.append("The evaluation holds figures that are not finite.")
    return [Finding(part="evidence", holds=False, sentence=sentence) for sentence in found]


def beats_simple(report: EvaluationReport, simple: Sequence[str]) -> Finding:
    """Whether the policy's interval lies above that of the best simple re-ranker."""
    able = [p for p in report.policies if p.name in simple and p.breaks_no_constraint]
    if not able:
        sentence = "No simple re-ranker holds the constraints, so there is none to beat."
        return Finding(part="simple baselines", holds=False, sentence=sentence)
    best = max(able, key=lambda p: p.engagement.value)
    learned = report.learned
    sentence = (
        f"Engagement {_span(learned)} against {_span(best)} of {best.name}, the best simple "
        "re-ranker that holds the constraints; the interval must lie above the other's."
    )
    holds = learned.engagement.low > best.engagement.high
    return Finding(part="simple baselines", holds=holds, sentence=sentence)


def against_best(report: EvaluationReport, needed: float, power: Power | None) -> Finding:
    """Whether the lower bound of the ratio to the best baseline lies above what is needed.

    Where it does not, what the evaluation could have shown at all is said as well.
    """
    if report.best_baseline is None:
        sentence = "No baseline holds the constraints, so there is nothing to compare with."
        return Finding(part="best baseline", holds=False, sentence=sentence)
    best, ratio = report.figures(report.best_baseline), report.learned.engagement_ratio
    if ratio.low > 1.0:
        said = "better"
    else:
        said = "worse" if ratio.high < 1.0 else "no difference was measured"
    holds = ratio.low > needed
    sentence = (
        f"Against {best.name}, the best baseline: ratio {ratio.value:.4f}, "
        f"{report.confidence:.0%} interval {ratio.low:.4f} to {ratio.high:.4f} ({said}); a lower "
        f"bound above {needed:g} is needed."
    )
    if not holds and power is not None:
        sentence += (
            f" With {report.n_users} users a true ratio of {power.worth:g} passes in "
            f"{power.chance:.0%} of cases"
        )
        sentence += f"; evaluate {power.users} users." if power.users > report.n_users else "."
    return Finding(part="best baseline", holds=holds, sentence=sentence)


def _span(policy: PolicyFigures) -> str:
    e = policy.engagement
    return f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]"
