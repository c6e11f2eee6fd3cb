"""The learned re-ranker: every figure that it has to show, in one command.

    python -m benchmarks.agents --json [--smoke]

EASE candidates of MovieLens-100K and the default training with ten training seeds; with ``--smoke``
made-up data and budgets of seconds, whose policies prove nothing, so that their figures are held
against no bar. What each part measures, and how, stands in its file in ``benchmarks/lines``.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import time
from typing import Any

from fairloop.agents.baselines import Entrant
from fairloop.agents.config import TrainConfig
from fairloop.agents.families import STATE_AWARE
from fairloop.agents.jobs import Serve
from fairloop.agents.pipeline import (
    PUBLISHED,
    Seeds,
    allowed_pools,
    split_arenas,
    train_policy,
)
from fairloop.agents.reevaluation import remade_baselines
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.simulators.fit import fit_known_taste, fit_world

from benchmarks.lines import acceptance, agent_speed, gate, learners, ope, pareto, robustness
from benchmarks.lines.movielens import movielens_ease
from benchmarks.report import emit, parser, result, say

Rows = list[dict[str, Any]]
TRAINING_BAR = 600.0  # seconds from candidates to a judged policy of one training seed
WHOLE_BAR = 2700.0  # seconds for everything here, on 2 cores

LINES = (gate, learners, ope, pareto)
"""What needs nothing of the training; each has ``figures(seed, smoke)``."""


def smoke_config(seed: int) -> TrainConfig:
    """Two training seeds in seconds."""
    config = TrainConfig.smoke(seed)
    search = config.search.model_copy(update={"steps": 4_000})
    ppo = config.ppo.model_copy(update={"total_steps": 4_096})
    return config.model_copy(update={"training_seeds": 2, "search": search, "ppo": ppo})


class Stopwatch:
    """Seconds of wall time that each part took, by name.

    Args:
        first: Name of the part that begins now.
    """

    def __init__(self, first: str) -> None:
        self.seconds: dict[str, float] = {}
        self.part, self._since = first, time.perf_counter()
        say(first)

    def begin(self, part: str) -> None:
        """The part under way has ended, and another one begins."""
        now = time.perf_counter()
        self.seconds[self.part] = self.seconds.get(self.part, 0.0) + now - self._since
        self.part, self._since = part, now
        say(part)

    def stage(self, stage: str, done: int, total: int) -> None:
        """What a training calls as it goes on."""
        if self.part != f"training: {stage}":
            self.begin(f"training: {stage}")


def training_time(stopwatch: Stopwatch, config: TrainConfig, judged: bool) -> Rows:
    """Wall time of a training of one seed: tuning, a mean seed, references and the evaluation.

    Several seeds are trained side by side, so a mean seed takes the stage's time by as many as went
    through each process. One seed alone would have the machine to itself.
    """
    n, stages = config.training_seeds, ("fit the world", "tune baselines", "learn", "evaluate")
    spent = {stage: stopwatch.seconds[f"training: {stage}"] for stage in stages}
    spent["learn"] *= min(config.workers, n) / n
    total, how = sum(spent.values()), f"{config.workers} processes"
    bar = (TRAINING_BAR, total <= TRAINING_BAR) if judged else (None, None)
    return [result(f"training of one seed: tuning, learning, evaluation, {how}", total, "s", *bar)]


def against_other_worlds(trained: acceptance.Trained, seed: int, smoke: bool) -> Rows:
    """The policy that would be published, and the tuned static baseline, in held-out worlds."""
    policy = trained.policy
    found, _ = remade_baselines(policy.report, trained.test, policy.policy.response)
    baseline = next(entrant for entrant in found if entrant.name == STATE_AWARE)
    published = Entrant(PUBLISHED, "learned", Serve(policy.policy), {}, 0)
    return robustness.figures(published, baseline, trained.test, seed, smoke)


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    clock = Stopwatch("candidates")
    if args.smoke:
        candidates = synthetic_candidates(160, 400, 8, seed=args.seed, top_n=100)
        config, rollouts, repeats = smoke_config(args.seed), 2, 1
    else:
        candidates = movielens_ease(args.seed)
        config = TrainConfig(
            seed=args.seed, workers=os.cpu_count() or 1, training_seeds=acceptance.SEEDS
        )
        rollouts, repeats = 12, 3
    seeds, pools = Seeds.of(config.seed), allowed_pools(candidates, config)
    world = fit_world(candidates, config.world, seeds.world, pools)
    arenas = split_arenas(world, candidates, config, seeds.split)
    clock.begin("learning speed")
    rows = agent_speed.learning_speed(arenas.train, config, rollouts, repeats)
    clock.begin("training: fit the world")
    policy = train_policy(candidates, config, clock.stage)
    clock.begin("serving speed")
    rows += training_time(clock, config, judged=not args.smoke)
    rows += agent_speed.serving_speed(world, policy.policy, args.seed, repeats=5)
    clock.begin("acceptance")
    known = fit_known_taste(candidates, config.world, seeds.world, pools)
    trained = acceptance.Trained(policy, arenas.test, known, judged=not args.smoke)
    rows += acceptance.figures(trained, args.seed)
    clock.begin("held-out worlds")
    rows += against_other_worlds(trained, args.seed, args.smoke)
    for line in LINES:
        clock.begin(line.__name__.removeprefix("benchmarks.lines."))
        rows += line.figures(args.seed, args.smoke)
    clock.begin("end")
    whole = sum(clock.seconds.values())
    bar = (None, None) if args.smoke else (WHOLE_BAR, whole <= WHOLE_BAR)
    rows += [result(f"time: {part}", seconds, "s") for part, seconds in clock.seconds.items()]
    rows.append(result(f"time: everything, {os.cpu_count()} cores", whole, "s", *bar))
    emit(rows, args.seed, args.json)


if __name__ == "__main__":
    main()
