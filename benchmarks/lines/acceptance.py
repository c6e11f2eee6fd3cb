"""What the re-ranker has to show on held-out users, one row for each figure that is asked for.

Limits: the long tail's share of exposure half the way from top-k's to the pool's, and an intra-list
distance 1.1 times top-k's (`agents.targets.default_constraints`). Every training seed is shown. A
ratio or a share of the gap is that of the mean over training seeds, with an interval over seeds and
users (`training_seeds`). Training seeds, baselines and references are those of one `train_policy`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.agents.baselines import Entrant
from fairloop.agents.families import STATE_AWARE, TopK
from fairloop.agents.jobs import TrainedSeed
from fairloop.agents.outcomes import Arena
from fairloop.agents.pipeline import TrainedPolicy, seed_name
from fairloop.agents.reevaluation import remade_baselines
from fairloop.agents.references import BAYES, LIMITED, PLANNING, remade_references
from fairloop.agents.report import PolicyFigures
from fairloop.metrics.bootstrap import Estimate
from fairloop.simulators.known_taste import KnownTaste

from benchmarks.lines.training_seeds import Resampled, engagement
from benchmarks.report import result

Rows = list[dict[str, Any]]
MMR = "mmr"
OVER_MMR = 2.0  # engagement relative to tuned MMR with exposure control
OVER_STATIC = 1.05  # the same relative to the tuned static state-aware weights
NO_GAIN = 1.0  # what the low end of that interval must lie above
GAP_CLOSED = 0.6
SEEDS = 10  # of training, all of them shown
RESAMPLES = 4000


@dataclass(frozen=True)
class Trained:
    """A training, and where its policies are judged.

    Attributes:
        policy: With every training seed and the report.
        test: The held-out users.
        known: What is known of tastes, for the reference that must learn them.
        judged: Whether figures are held against their bars.
    """

    policy: TrainedPolicy
    test: Arena
    known: KnownTaste
    judged: bool

    def row(
        self, name: str, value: float, unit: str, bar: float | None = None, holds: bool = True
    ) -> dict[str, Any]:
        """A figure, held against its bar where that is judged at all."""
        if bar is None or not self.judged:
            return result(name, value, unit)
        return result(name, value, unit, bar, holds)

    @property
    def seeds(self) -> list[tuple[PolicyFigures, TrainedSeed]]:
        """Each training seed and its figures on held-out users, in the order of the training."""
        training, report = self.policy.training, self.policy.report
        best = next(i for i, made in enumerate(training) if made.policy is self.policy.policy)
        return [(report.figures(seed_name(i, best)), made) for i, made in enumerate(training)]


def figures(trained: Trained, seed: int) -> Rows:
    """Every figure that a training and its evaluation answer; ``seed`` is of the resampling."""
    resampled = _resampled(trained, seed)
    return [
        *_constraints(trained),
        *_over_mmr(trained, resampled),
        *_over_static(trained, resampled),
        *_gaps(trained, resampled),
        *_seeds(trained, resampled),
        *_table(trained),
    ]


def _resampled(trained: Trained, seed: int) -> Resampled:
    """All that ratios and gaps are made of, on the users and the luck of the report."""
    report, test = trained.policy.report, trained.test
    learned = [Entrant(found.name, "learned", made.make, {}, 0) for found, made in trained.seeds]
    baselines, _ = remade_baselines(report, test, trained.policy.policy.response)
    references = remade_references(report, test, trained.known)
    wanted = {TopK().name, MMR, STATE_AWARE, PLANNING, LIMITED, BAYES}
    others = [e for e in (*baselines, *references) if e.name in wanted]
    found = engagement(test, [*learned, *others], report.seeds)
    names, rng = [e.name for e in others], np.random.default_rng(seed)
    brought = dict(zip(names, found[len(learned) :], strict=True))
    return Resampled.of(np.stack(found[: len(learned)]), brought, RESAMPLES, rng)


def _constraints(trained: Trained) -> Rows:
    """Of the policy that would be published, limit by limit; then of all training seeds."""
    held = sum(found.meets_constraints for found, _ in trained.seeds)
    return [
        *(
            trained.row(
                f"all constraints met on held-out users: upper bound of the violation, {c.name}",
                c.violation_ucb,
                "share" if c.name != "diversity" else "mean distance",
                0.0,
                c.met,
            )
            for c in trained.policy.report.learned.constraints
        ),
        trained.row(
            "training seeds that meet all constraints",
            held,
            "training seeds",
            len(trained.seeds),
            held == len(trained.seeds),
        ),
    ]


def _over_mmr(trained: Trained, resampled: Resampled) -> Rows:
    name, found = "engagement relative to tuned MMR with exposure control", resampled.ratio(MMR)
    return [
        trained.row(name, found.value, "ratio", OVER_MMR, found.value >= OVER_MMR),
        *_ends(name, found, trained),
    ]


def _over_static(trained: Trained, resampled: Resampled) -> Rows:
    n, found = len(trained.seeds), resampled.ratio(STATE_AWARE)
    name = "engagement relative to the tuned static state-aware weights"
    return [
        trained.row("training seeds", n, "training seeds", SEEDS, n >= SEEDS),
        trained.row(
            f"{name}, mean over training seeds",
            found.value,
            "ratio",
            OVER_STATIC,
            found.value >= OVER_STATIC,
        ),
        *_ends(f"{name}, seeds and users drawn anew", found, trained, above=NO_GAIN),
    ]


def _gaps(trained: Trained, resampled: Resampled) -> Rows:
    """From top-k to each reference; the last one is the ceiling of observable state."""
    ends = {
        PLANNING: ("the privileged oracle, which holds no limit", GAP_CLOSED),
        LIMITED: ("the privileged oracle under the limits", GAP_CLOSED),
        BAYES: ("what observable state leaves to be won under the limits", None),
    }
    rows: Rows = []
    for reference, (words, bar) in ends.items():
        found = _gap(resampled, reference)
        if found is not None:
            name = f"share of the gap closed from greedy to {words} ({reference})"
            rows.append(trained.row(name, found.value, "share", bar, found.value >= GAP_CLOSED))
            rows += _ends(name, found, trained, "share")
    for figures in trained.policy.report.policies:
        if figures.name in (LIMITED, BAYES):
            held = figures.breaks_no_constraint
            rows.append(trained.row(f"{figures.name} breaks no constraint", held, "0 or 1"))
    return rows


def _gap(resampled: Resampled, reference: str) -> Estimate | None:
    known = reference in resampled.others
    return resampled.gap_closed(TopK().name, reference) if known else None


def _seeds(trained: Trained, resampled: Resampled) -> Rows:
    """Every training seed, none left out."""
    rows: Rows = []
    for number, (found, made) in enumerate(trained.seeds):
        name, to_static = f"training seed {number + 1}", resampled.ratio(STATE_AWARE, number)
        worst = max((c.violation_ucb for c in found.constraints), default=0.0)
        against = f"{name}: engagement relative to the tuned static state-aware weights"
        rows += [
            trained.row(against, to_static.value, "ratio"),
            *_ends(against, to_static, trained),
            trained.row(
                f"{name}: engagement relative to tuned MMR with exposure control",
                resampled.ratio(MMR, number).value,
                "ratio",
            ),
            trained.row(f"{name}: largest upper bound of a violation", worst, "level"),
            trained.row(f"{name}: what is kept of the network's step", made.gain, "share"),
        ]
    return rows


def _table(trained: Trained) -> Rows:
    """Every policy of the evaluation, and what the gate makes of it."""
    report, verdict = trained.policy.report, trained.policy.verdict
    able = [p for p in report.policies if p.kind == "baseline" and p.breaks_no_constraint]
    return [
        *(
            trained.row(f"engagement of {p.name}", p.engagement.value, "satisfaction per user")
            for p in report.policies
        ),
        trained.row("baselines that break no constraint", len(able), "policies", 1, bool(able)),
        trained.row("the gate lets it through", verdict.passed, "0 or 1", 1, verdict.passed),
    ]


def _ends(
    name: str, found: Estimate, trained: Trained, unit: str = "ratio", above: float | None = None
) -> Rows:
    """Both ends of an interval; the low one is held against a bar that it must lie above."""
    holds = above is None or found.low > above
    return [
        trained.row(f"{name}: low end", found.low, unit, above, holds),
        trained.row(f"{name}: high end", found.high, unit),
    ]
