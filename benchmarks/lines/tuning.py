"""Search the numbers of the reference policies that have any; see ``benchmarks.headroom``."""

from collections.abc import Callable

import numpy as np
from fairloop.agents.baselines import weight_units
from fairloop.agents.families import StaticLinear
from fairloop.agents.outcomes import Arena, run_side_by_side
from fairloop.agents.search import SearchConfig, maximise
from fairloop.arrays import FloatArray
from fairloop.candidates.candidate_set import CandidateSet
from fairloop.rerankers.constraints import Constraints
from fairloop.rerankers.features import FEATURES
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.policies.oracles import PlanningOracle
from fairloop.simulators.rollout import simulate
from fairloop.simulators.world import World

from benchmarks.report import say

OTHER = 1_000_000  # added to the seed: none of these worlds is measured
N_WORLDS = 3
USERS = 200
PRICES = np.round(np.arange(0.0, 0.95, 0.1), 2)


def print_tuned(made_up: Callable[[int], CandidateSet], seed: int, smoke: bool) -> None:
    """Search on other worlds, and print what was found."""
    n_worlds, steps = (1, 5_000) if smoke else (N_WORLDS, 800_000)
    seeds = [seed + OTHER + i for i in range(n_worlds)]
    worlds = [fit_world(made_up(s), WorldConfig(), s) for s in seeds]
    say("the planning oracle's price")
    for price, mean in zip(PRICES, oracle_by_price(worlds, seed), strict=True):
        print(f"price {price:.1f}: {mean:.2f}")
    say("the heuristic's weights")
    for name, weight in heuristic_weights(worlds, seed, steps).items():
        print(f'    "{name}": {weight:.3f},')


def oracle_by_price(worlds: list[World], seed: int) -> FloatArray:
    """Mean expected engagement at each price, all prices on the same luck."""
    means: list[FloatArray] = []
    for world in worlds:
        users = np.arange(len(world))
        outcome = simulate(
            world,
            PlanningOracle(np.repeat(PRICES, len(users))),
            seed=seed,
            rows=np.tile(users, len(PRICES)),
            twins=True,
        )
        means.append(outcome.expected_engagement.reshape(len(PRICES), -1).mean(axis=1))
    return np.mean(means, axis=0)


def heuristic_weights(worlds: list[World], seed: int, steps: int) -> dict[str, float]:
    """CMA-ES over the weights, a world and other users and luck in each generation."""
    arenas = [Arena.of(world, Constraints()) for world in worlds]
    units = weight_units(arenas[0], seed)
    family = StaticLinear("heuristic", FEATURES, units, Constraints())
    no_knobs = np.zeros(1)

    def trials(points: FloatArray, generation: int) -> tuple[FloatArray, int]:
        arena = arenas[generation % len(arenas)]
        rng = np.random.default_rng([seed, generation])
        rows = np.sort(rng.choice(len(arena), min(USERS, len(arena)), replace=False))
        weights = np.stack([family.weights(point, no_knobs) for point in points])
        tried = run_side_by_side(arena, weights, seed + generation, rows)
        values = np.array([t.expected_engagement.mean() for t in tried])
        return values, sum(t.n_slates for t in tried)

    config = SearchConfig(steps=steps, users=USERS)
    found = maximise(trials, family.start, config, np.random.default_rng(seed))
    return family.parameters(found.point, no_knobs)
