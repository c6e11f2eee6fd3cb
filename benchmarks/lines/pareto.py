"""One policy for a range of targets against one trained for each target.

    python -m benchmarks.lines.pareto --json [--smoke]

EASE candidates of MovieLens-100K (made-up data with ``--smoke``), a floor on the exposure of the
long tail and one on diversity. A policy is trained at the middle of a range of both targets and
conditioned on the whole range. At five targets spread over the range, none of them a node of its
grid, it is asked for its weights and serves held-out users beside a policy that was trained for
that target alone: with the same learner, the same budget and seed, on the same users and luck.
Ratios have percentile intervals from resampling held-out users, paired; that a limit holds means
that the upper bound of its violation is not above 0.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is loaded

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.config import TrainConfig
from fairloop.agents.constraints.figures import slate_figures
from fairloop.agents.jobs import LearnJob, Serve, TrainedSeed
from fairloop.agents.learner_config import PPOConfig
from fairloop.agents.outcomes import Arena, UserTotals, run
from fairloop.agents.parallel import run_jobs
from fairloop.agents.pareto.condition import ConditionConfig, Conditioned, condition
from fairloop.agents.pareto.dials import DIVERSITY_DIAL, retargeted
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.report import ConstraintFigure
from fairloop.agents.response import ResponseConfig
from fairloop.agents.search import SearchConfig
from fairloop.agents.targets import MORE_DIVERSE, targets_over
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.metrics.bootstrap import bootstrap_sums, interval
from fairloop.rerankers.constraints import Constraints
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world

from benchmarks.lines.movielens import movielens_ease
from benchmarks.report import emit, parser, result, say

Rows = list[dict[str, Any]]
WITHIN = 0.98  # of the engagement of the policy that was trained for the target
SPREAD = ((0.1, 0.1), (0.3, 0.75), (0.55, 0.45), (0.75, 0.3), (0.9, 0.9))
"""Targets of exposure and diversity, as shares of their ranges."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        users: Training, validation and held-out users.
        made_up: Items of a made-up catalogue; None for MovieLens-100K.
        train: Budget of each training, and of calibration everywhere.
        condition: Grid of the conditioned policy, and budget of its corners.
        luck: Simulator seeds of the test.
        targets: How many of `SPREAD`.
    """

    users: tuple[int, int, int]
    made_up: int | None
    train: TrainConfig
    condition: ConditionConfig
    luck: int
    targets: int

    def candidates(self, seed: int) -> CandidateSet:
        """What could be shown."""
        if self.made_up is None:
            return movielens_ease(seed)
        return synthetic_candidates(sum(self.users), self.made_up, 8, seed=seed, top_n=100)


FULL = Size(
    (400, 200, 343),
    None,
    TrainConfig(
        search=SearchConfig(steps=300_000),
        ppo=PPOConfig(total_steps=200_000),
        calibration=CalibrationConfig(choice_seeds=6),
    ),
    ConditionConfig(),
    10,
    len(SPREAD),
)
SMALL = Size(
    (60, 40, 40),
    150,
    TrainConfig(
        response=ResponseConfig(rounds=1, passes=1),
        search=SearchConfig(steps=4_000, users=16, population=6),
        ppo=PPOConfig(
            total_steps=2_048, critic_steps=0, n_envs=32, rollout_steps=32, batch_size=512
        ),
        calibration=CalibrationConfig(rounds=3, seeds=1, choice_seeds=1),
    ),
    ConditionConfig(nodes=2, planes=0, search=SearchConfig(steps=4_000, users=16, population=6)),
    2,
    1,
)


def figures(seed: int = 2020, smoke: bool = False, workers: int = 2) -> Rows:
    """Rows for each target; with ``smoke`` in seconds, and nothing is held against a bar."""
    size = SMALL if smoke else FULL
    setting = _Setting(seed, size)
    constraints = [setting.constraints(shares) for shares in SPREAD[: size.targets]]
    say("  training one policy for the range, and one for each target")
    middle, *separate = setting.trained(
        [setting.constraints((0.5, 0.5)), *constraints], 1 if smoke else workers
    )
    say("  conditioning")
    begin = time.process_time()
    conditioned = setting.conditioned(middle.policy)
    rows = _spent(conditioned, middle, separate, time.process_time() - begin)
    for limits, alone in zip(constraints, separate, strict=True):
        rows += setting.compared(limits, conditioned, alone.policy, judged=not smoke)
    return rows


def _spent(
    conditioned: Conditioned, middle: TrainedSeed, separate: list[TrainedSeed], seconds: float
) -> Rows:
    """What it cost, and what conditioning says of itself."""
    report = conditioned.report
    own, others = middle.steps + report.steps, sum(trained.steps for trained in separate)
    rows = [
        result("pareto: conditioning alone", seconds, "s (processor)"),
        result("pareto: simulator steps, training and conditioning", own, "user-steps"),
        result(f"pareto: simulator steps, {len(separate)} trainings", others, "user-steps"),
        result("pareto: nodes of the grid", len(report.nodes), "nodes"),
        result("pareto: nodes at which a limit could not be held", len(report.missed), "nodes"),
        result("pareto: largest shortfall of an aim between nodes", report.shortfall, "level"),
    ]
    if report.gain is not None:
        gain = "pareto: engagement at the corners, all weights moved over knobs alone"
        rows.append(result(gain, report.gain, "ratio (validation users)"))
    return rows


class _Setting:
    """The world and its users."""

    def __init__(self, seed: int, size: Size) -> None:
        self._size = size
        streams = np.random.SeedSequence(seed).generate_state(8)
        made, world_seed, *rest, splitting = map(int, streams)
        self._learning, self._calibrating, self._units, self._conditioning, self._luck = rest
        candidates = size.candidates(made)
        world = fit_world(candidates, WorldConfig(), world_seed)
        users = np.random.default_rng(splitting).permutation(len(world))
        rows = np.split(users, np.cumsum(size.users)[:2])
        self._worlds = [world.take(part) for part in rows]
        k = WorldConfig().slate_size
        self._half_way = targets_over(
            self._worlds[0].pools, world.catalogue, k, "popularity", "long_tail"
        )
        share, diversity = self._half_way.exposure[0].share, self._half_way.min_diversity
        assert diversity is not None  # `targets_over` sets both
        self._exposure_dial = self._half_way.names[0]
        lifted = diversity * (1.0 - 1.0 / MORE_DIVERSE)
        # Around the default targets: from hardly more than the base order gives to well beyond.
        self.ranges = {
            self._exposure_dial: (0.6 * share, 1.3 * share),
            DIVERSITY_DIAL: (diversity - 0.7 * lifted, diversity + 0.4 * lifted),
        }

    def constraints(self, shares: tuple[float, float]) -> Constraints:
        """The limits at a place in the ranges."""
        targets = {
            name: low + share * (high - low)
            for (name, (low, high)), share in zip(self.ranges.items(), shares, strict=True)
        }
        return retargeted(self._half_way, targets)

    def arenas(self, constraints: Constraints) -> list[Arena]:
        """Training, validation and held-out users under these limits."""
        return [Arena.of(world, constraints) for world in self._worlds]

    def trained(self, limits: list[Constraints], workers: int) -> list[TrainedSeed]:
        """A policy for each; what they learn with differs in nothing but the targets."""
        jobs: list[LearnJob] = []
        for constraints in limits:
            training, validation, test = self.arenas(constraints)
            seeds = (self._learning, self._calibrating, self._units)
            jobs.append(LearnJob(training, validation, len(test), *seeds, self._size.train))
        return run_jobs(jobs, workers, lambda done, total: None)

    def conditioned(self, policy: WeightPolicy) -> Conditioned:
        """The policy for the whole range."""
        training, validation, test = self.arenas(policy.constraints)
        return condition(
            policy,
            validation,
            self.ranges,
            len(test),
            self._conditioning,
            self._size.train.calibration,
            config=self._size.condition,
            training=training,
        )

    def compared(
        self, limits: Constraints, conditioned: Conditioned, alone: WeightPolicy, *, judged: bool
    ) -> Rows:
        """The conditioned policy at a target, beside the one that was trained for it."""
        arena = self.arenas(limits)[2]
        share, diversity = limits.exposure[0].share, limits.min_diversity
        assert diversity is not None  # as in the ranges
        asked = {self._exposure_dial: share, DIVERSITY_DIAL: diversity}
        at = f"pareto at share {share:.3f} and diversity {diversity:.3f}"
        if not conditioned.policy.holds_around(conditioned.policy.targets(asked)):
            return [result(f"{at}: refused", 1.0, "times", 0.0, False if judged else None)]
        luck = [int(s) for s in np.random.SeedSequence(self._luck).generate_state(self._size.luck)]
        own, other = (
            run(arena, Serve(policy), luck) for policy in (conditioned.policy.at(asked), alone)
        )
        ratio, low, high, held = _bootstrapped(arena, own, other, self._luck)
        name = f"{at}: engagement relative to the policy trained for it"
        bar = WITHIN if judged else None
        rows = [
            result(name, ratio, "ratio", bar, ratio >= WITHIN if judged else None),
            result(f"{name}: low end", low, "ratio"),
            result(f"{name}: high end", high, "ratio"),
        ]
        for limit in held:
            name = f"{at}: upper bound of the violation, {limit.name}"
            zero, met = (0.0, limit.met) if judged else (None, None)
            rows.append(result(name, limit.violation_ucb, "level", zero, met))
        missed = sum(other.levels() < arena.targets)
        rows.append(result(f"{at}: limits that the other breaks", missed, "limits"))
        return rows


def _bootstrapped(
    arena: Arena, own: UserTotals, other: UserTotals, seed: int
) -> tuple[float, float, float, tuple[ConstraintFigure, ...]]:
    """Ratio of engagement with its interval, and the limits of the first; users are resampled."""
    ours, theirs = own.expected_engagement, other.expected_engagement
    table = np.column_stack([ours, theirs, own.slates, own.measured])
    sums = bootstrap_sums(table, 2000, np.random.default_rng(seed))
    low, high = interval(sums[:, 0] / sums[:, 1], CONFIDENCE)
    held = slate_figures(
        arena.constraints, own.levels(), sums[:, 3:] / sums[:, 2, None], CONFIDENCE
    )
    return float(ours.mean() / theirs.mean()), float(low), float(high), held


def main() -> None:
    arguments = parser(str(__doc__)).parse_args()
    rows = figures(arguments.seed, arguments.smoke)
    emit(rows, arguments.seed, arguments.json)


if __name__ == "__main__":
    main()
