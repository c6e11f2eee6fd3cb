"""Learning in drawn worlds against learning in the fitted one.

    python -m benchmarks.lines.randomised --json [--smoke]

The same learner, budget and seeds on the training users of MovieLens-100K (made-up data with
``--smoke``): in the fitted world, in 6 drawn ones and in 24. All policies serve the held-out users
in the fitted world and in 16 other drawn worlds, on the same luck; each is compared with the policy
of its own seed that knew the fitted world alone.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is loaded

from typing import Any

import numpy as np
from fairloop.agents.baselines import Entrant
from fairloop.agents.config import TrainConfig
from fairloop.agents.jobs import LearnJob
from fairloop.agents.outcomes import run
from fairloop.agents.parallel import run_jobs
from fairloop.agents.pipeline import Arenas, Seeds, split_arenas
from fairloop.agents.robustness.held_out import HeldOutConfig, evaluate_held_out
from fairloop.agents.robustness.randomise import RandomiseConfig
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.simulators.fit import fit_world

from benchmarks.lines.movielens import movielens_ease
from benchmarks.report import emit, parser, result, say

Rows = list[dict[str, Any]]
FITTED = "the fitted world"
DRAWN = (6, 24)


def figures(seed: int = 2020, smoke: bool = False, workers: int = 2) -> Rows:
    """Rows for each way to learn and each training seed; nothing is held against a bar."""
    config = TrainConfig.smoke(seed) if smoke else TrainConfig(seed=seed)
    candidates = (
        synthetic_candidates(160, 400, 8, seed=seed, top_n=100) if smoke else movielens_ease(seed)
    )
    seeds = Seeds.of(seed)
    world = fit_world(candidates, config.world, seeds.world)
    arenas = split_arenas(world, candidates, config, seeds.split)
    kinds = {FITTED: None} | {
        f"{n} drawn worlds": RandomiseConfig(worlds=n) for n in (DRAWN[:1] if smoke else DRAWN)
    }
    n_seeds = 1 if smoke else 2
    jobs = [
        _job(arenas, seeds, config.model_copy(update={"randomise": asked}), learning)
        for asked in kinds.values()
        for learning in seeds.training(n_seeds)
    ]
    say("  learning")
    made = run_jobs(jobs, 1 if smoke else workers, lambda done, total: None)
    names = [f"{kind}, seed {i + 1}" for kind in kinds for i in range(n_seeds)]
    entrants = [
        Entrant(name, "learned", found.make, {}, found.steps)
        for name, found in zip(names, made, strict=True)
    ]
    rows: Rows = []
    for i in range(n_seeds):
        rows += _compared(entrants[i::n_seeds], arenas, seed, smoke)
    return rows


def _job(arenas: Arenas, seeds: Seeds, config: TrainConfig, learning: int) -> LearnJob:
    n_test = len(arenas.test)
    return LearnJob(
        arenas.train,
        arenas.validation,
        n_test,
        learning,
        seeds.calibration,
        seeds.units,
        config,
    )


def _compared(entrants: list[Entrant], arenas: Arenas, seed: int, smoke: bool) -> Rows:
    """All of one training seed, the first of them the one that knew the fitted world alone."""
    say("  held-out worlds")
    base = entrants[0].name
    effort = HeldOutConfig(worlds=2 if smoke else 16, seeds=1 if smoke else 3)
    report = evaluate_held_out(arenas.test, entrants, base, seed, None, effort)
    luck = [int(s) for s in np.random.SeedSequence(seed).generate_state(effort.seeds)]
    brought = [run(arenas.test, e.make, luck).expected_engagement.mean() for e in entrants]
    rows: Rows = []
    for entrant, engagement in zip(entrants, brought, strict=True):
        overall = report.of(entrant.name)
        name = f"learned in {entrant.name}"
        held = overall.meets_in / len(report.worlds)
        rows += [
            result(f"{name}: engagement in {FITTED} over {base}", engagement / brought[0], "ratio"),
            result(f"{name}: engagement in drawn worlds over {base}", overall.ratio.value, "ratio"),
            result(f"{name}: low end", overall.ratio.low, "ratio"),
            result(f"{name}: high end", overall.ratio.high, "ratio"),
            result(f"{name}: held-out worlds in which all limits hold", held, "share"),
        ]
    return rows


def main() -> None:
    arguments = parser(str(__doc__)).parse_args()
    emit(figures(arguments.seed, arguments.smoke), arguments.seed, arguments.json)


if __name__ == "__main__":
    main()
