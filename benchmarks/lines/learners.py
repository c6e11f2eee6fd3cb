"""Every learner from the same tuned weights, on an equal budget of simulator steps.

A made-up world, 100 candidates per user. The start are static weights over all features, tuned with
a part of the budget; then each learner has the same number of user-steps. What it learned is
calibrated on validation users until the floors hold with a margin, and served with a controller,
and so is the start itself. Held-out users are served with the same luck by all: figures are ratios
to the calibrated start, with an interval over held-out users and a range over training seeds.
Speeds are user-steps per second of processor time, learning included. Nothing here is held against
a bar: it says how the formulations compare, and one of them may well lose to its own start.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from fairloop.agents.baselines import tune, weight_units
from fairloop.agents.calibration import CalibrationConfig, calibrate, margins
from fairloop.agents.families import StaticLinear
from fairloop.agents.learners.base import Learner, learner_names, make_learner
from fairloop.agents.outcomes import Arena, MakePolicy, UserTotals, run
from fairloop.agents.policy import size_of
from fairloop.agents.response import ResponseConfig, learn_response
from fairloop.agents.search import SearchConfig
from fairloop.agents.targets import default_constraints
from fairloop.agents.train import Learned
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.metrics.bootstrap import bootstrap_sums, interval
from fairloop.rerankers.features import FEATURES
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world

from benchmarks.report import result, say

Rows = list[dict[str, Any]]

SMOKE = {
    "ppo": {"n_envs": 64, "rollout_steps": 16, "batch_size": 512, "critic_steps": 1_024},
    "evolution": {"users": 4, "pairs": 4},
    "td3": {"n_envs": 64, "batch_size": 64, "critic_steps": 512, "gradient_steps": 1},
    "plackett-luce": {"n_envs": 32, "rollout_steps": 16, "critic_steps": 512},
}


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        users: Training, validation and held-out users.
        search_steps: Of the start.
        steps: Of each learner.
        seeds: Training seeds.
        luck: Simulator seeds of the test.
        rounds: Of calibration.
    """

    users: tuple[int, int, int]
    search_steps: int
    steps: int
    seeds: int
    luck: int
    rounds: int


FULL = Size((400, 200, 400), 300_000, 100_000, 2, 6, 8)
SMALL = Size((60, 40, 40), 6_000, 3_072, 1, 1, 2)


def figures(seed: int = 2020, smoke: bool = False, names: Sequence[str] = learner_names()) -> Rows:
    """A row per figure of each learner; under three minutes, with ``smoke`` in seconds."""
    size = SMALL if smoke else FULL
    setting = _Setting(seed, size)
    rows = [
        result("learners: simulator steps of each", size.steps, "user-steps"),
        *setting.levels_of("tuned start", setting.start_totals),
    ]
    for name in names:
        say(f"  {name}")
        changes = SMOKE[name] if smoke else {}
        rows += setting.rows_of(make_learner(name, total_steps=size.steps, **changes))
    return rows


class _Setting:
    """The world, the users and the start that all learners share."""

    def __init__(self, seed: int, size: Size) -> None:
        self._size = size
        streams = np.random.SeedSequence(seed).generate_state(6)
        made, world_seed, units_seed, self._tuning, self._learning, luck = map(int, streams)
        candidates = synthetic_candidates(sum(size.users), 400, 8, seed=made, top_n=100)
        world = fit_world(candidates, WorldConfig(), world_seed)
        first, second, third = np.split(np.arange(len(world)), np.cumsum(size.users)[:2])
        constraints = default_constraints(candidates, first)
        arenas = [Arena.of(world.take(rows), constraints) for rows in (first, second, third)]
        response, _ = learn_response(arenas[0], units_seed, ResponseConfig())
        self.training, self._validation, self.test = (a.answered_by(response) for a in arenas)
        self._luck = [int(s) for s in np.random.SeedSequence(luck).generate_state(size.luck)]
        self._calibration = CalibrationConfig(rounds=size.rounds)
        self._units = weight_units(self.training, units_seed)
        family = StaticLinear("tuned start", FEATURES, self._units, constraints)
        search = SearchConfig(steps=size.search_steps)
        tuned = tune(
            family,
            self.training,
            self._validation,
            len(self.test),
            self._tuning,
            search,
            self._calibration,
        )
        # Learning starts at what the search found, calibrated: nothing is left to win by that.
        self._start = family.weights(tuned.member.point, tuned.member.knobs).astype(np.float64)
        self._margins = margins(
            run(self.training, tuned.member, [self._tuning]), len(self.test), self._calibration
        )
        resting = make_learner("evolution", total_steps=0)
        nothing = resting.learn(self.training, self._start, self._units, self._margins, 0)
        self.start_totals = run(self.test, self._calibrated(resting, nothing), self._luck)

    def rows_of(self, learner: Learner) -> Rows:
        """Speed, engagement and levels of a learner over its training seeds."""
        runs: list[UserTotals] = []
        rates: list[float] = []
        for i in range(self._size.seeds):
            begin = time.process_time()
            learned = learner.learn(
                self.training, self._start, self._units, self._margins, self._learning + i
            )
            rates.append(learned.steps / (time.process_time() - begin))
            served = self._calibrated(learner, learned)
            runs.append(run(self.test, served, self._luck))
        ratios = [self._ratio(totals) for totals in runs]
        best = f"{learner.name}: engagement relative to the tuned start"
        rows = [result(f"{best}, mean over seeds", np.mean(ratios), "ratio")]
        rows += [result(f"{best}, worst seed", min(ratios), "ratio")]
        rows += [result(f"{best}, best seed", max(ratios), "ratio")]
        low, high = self._interval(runs)
        rows += [
            result(f"{best}, mean: low end", low, "ratio"),
            result(f"{best}, mean: high end", high, "ratio"),
        ]
        levels = np.mean([totals.levels() for totals in runs], axis=0)
        rows += self._level_rows(learner.name, levels)
        rows.append(result(f"{learner.name}: learning", max(rates), "user-steps/s (processor)"))
        return rows

    def levels_of(self, name: str, totals: UserTotals) -> Rows:
        """Engagement per user and levels of one policy."""
        engagement = float(totals.expected_engagement.mean())
        return [
            result(f"{name}: engagement", engagement, "satisfaction per user"),
            *self._level_rows(name, totals.levels()),
        ]

    def _level_rows(self, name: str, levels: np.ndarray) -> Rows:
        kinds = [f"exposure of {f.attribute}={f.group}" for f in self.test.constraints.exposure]
        return [
            result(f"{name}: {kind} over its floor", level - target, "difference")
            for kind, level, target in zip(
                [*kinds, "diversity"], levels, self.test.targets, strict=True
            )
        ]

    def _calibrated(self, learner: Learner, learned: Learned) -> MakePolicy:
        """Knobs on the floors' weights and on diversity, as of every other policy."""
        policy, n = learned.policy, len(self.training.targets)
        units = self._units * size_of(self._start, self._units)

        def turn(knobs: np.ndarray) -> MakePolicy:
            offsets = np.zeros(len(units))
            offsets[-n:] = knobs * units[-n:]
            return learner.serve(replace(learned, policy=policy.with_offsets(offsets)))

        n_test = len(self.test)
        end = calibrate(turn, self._validation, n_test, self._tuning, self._calibration)
        return turn(end.knobs)

    def _ratio(self, totals: UserTotals) -> float:
        own, start = totals.expected_engagement, self.start_totals.expected_engagement
        return float(own.mean() / start.mean())

    def _interval(self, runs: list[UserTotals]) -> tuple[float, float]:
        """Of the mean over training seeds, from resampling the held-out users."""
        mean = np.mean([totals.expected_engagement for totals in runs], axis=0)
        table = np.stack([mean, self.start_totals.expected_engagement], axis=1)
        sums = bootstrap_sums(table, 1000, np.random.default_rng(self._learning))
        low, high = interval(sums[:, 0] / sums[:, 1], 0.95)
        return float(low), float(high)
