"""User-steps per second on one thread, beside a plain loop over users.

    python -m benchmarks.simulator --json [--smoke]

1,700 items in 18 topics, 100 candidates, slates of 10, every dynamic switched on. Each figure is
the best of several runs in processor time: wall time for one thread with a core to itself. The
engine and the plain loop are given the same luck first, and the share of visits on which they
agree is printed: a fast wrong answer is no answer.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators import randomness
from fairloop.simulators.envs.rerank import RerankEnv
from fairloop.simulators.fit import fit_world
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.envs.rerank_sb3 import RerankVecEnv
from fairloop.simulators.world import World

from benchmarks.peers.plain_user import PlainUser
from benchmarks.report import emit, parser, result, say

ENGINE_BAR, LOOP_BAR = 200_000, 30_000
PEER = "plain loop, one user at a time"
CONSTRAINTS = Constraints(
    exposure=(ExposureFloor(attribute="popularity", group="long_tail", share=0.3),),
    min_diversity=0.7,
)


def made_up_world(n_users: int, seed: int) -> World:
    candidates = synthetic_candidates(n_users, 1700, 18, seed=seed, top_n=100)
    return fit_world(candidates, seed=seed)


def random_slates(world: World, n: int, seed: int) -> np.ndarray:
    keys = np.random.default_rng(seed).random((n, len(world), world.n_candidates))
    return np.argsort(keys, axis=2)[:, :, : world.config.slate_size]


def rate(step: Callable[[int], Any], n_users: int, steps: int, repeats: int) -> float:
    """User-steps per processor second of the quickest of several runs of ``steps`` steps."""
    step(0)
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        for i in range(steps):
            step(i)
        times.append(time.process_time() - start)
    return n_users * steps / min(times)


def engine(world: World, seed: int) -> Callable[[int], None]:
    population, slates = UserPopulation(world, seed), random_slates(world, 8, seed)

    def step(i: int) -> None:
        outcome = population.step(slates[i % 8])
        population.reset(outcome.left | outcome.ended)

    return step


def whole_loop(world: World, seed: int) -> Callable[[int], None]:
    """Features, scores, slates, step, observed state, observation, constraints, resets."""
    logged = LoggedPopulation(world, CONSTRAINTS, seed)
    weights = np.tile(np.array([1, *[-0.5] * 9, 0.5], np.float32), (len(logged), 1))
    gaps = np.zeros(2, np.float32)

    def step(i: int) -> None:
        logged.observation(gaps)
        columns = logged.slates(weights)
        logged.measured(columns)
        outcome = logged.step(columns)
        logged.reset(np.flatnonzero(outcome.left | outcome.ended))

    return step


def vector_env(world: World, seed: int) -> Callable[[int], None]:
    venv = RerankVecEnv(world, CONSTRAINTS, seed)
    venv.reset()
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (venv.num_envs, *venv.action_space.shape)).astype(np.float32)
    return lambda i: venv.step(actions)


def single_env(world: World, seed: int) -> Callable[[int], None]:
    env = RerankEnv(world, CONSTRAINTS, seed)
    env.reset(seed=seed)
    action = np.zeros(env.action_space.shape, np.float32)

    def step(i: int) -> None:
        _, _, left, ended, _ = env.step(action)
        if left or ended:
            env.reset()

    return step


def plain(world: World, seed: int) -> Callable[[int], None]:
    users = [PlainUser(world, row) for row in range(len(world))]
    slates, rng = random_slates(world, 8, seed), np.random.default_rng(seed)
    k, horizon = world.config.slate_size, world.config.horizon_days

    def step(i: int) -> None:
        for row, user in enumerate(users):
            luck = rng.random((2, k))
            _, day, left = user.step(slates[i % 8, row], *luck, rng.random(), rng.random())
            if left or day >= horizon:
                user.reset()

    return step


def agreement(world: World, seed: int) -> float:
    """Share of visits in which the engine and the plain loop agree, on the same luck.

    The two round differently, so a click or a gap at the very edge may differ; from there on that
    user's visits count as different.
    """
    population, slates = UserPopulation(world, seed), random_slates(world, 12, seed)
    users = [PlainUser(world, row) for row in range(len(world))]
    same = total = 0
    for visit, columns in enumerate(slates):
        counter = np.full(len(world), visit)
        choice, returns = (
            randomness.derive(randomness.stream_keys(seed, stream, world.users), counter)
            for stream in (randomness.CHOICES, randomness.VISITS)
        )
        items = np.take_along_axis(world.pools.items, columns, axis=1)
        keys = randomness.derive(choice[:, None], items)
        luck = (
            randomness.uniforms(keys),
            randomness.second_uniforms(keys),
            randomness.uniforms(returns),
            randomness.second_uniforms(returns),
        )
        outcome = population.step(columns)
        for row in np.flatnonzero(outcome.active):
            drawn = (part[row] for part in luck)
            engagement, day, left = users[row].step(columns[row], *drawn)
            close = abs(engagement - outcome.engagement[row]) < 1e-3
            same += close and day == population.day[row] and left == outcome.left[row]
            total += 1
    return same / total


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    steps, repeats = (5, 1) if args.smoke else (30, 5)
    sizes = (256,) if args.smoke else (1024, 4096)
    results: list[dict[str, Any]] = []
    say("a plain loop over users")
    small = made_up_world(64, args.seed)
    agreed = agreement(small, args.seed)
    results.append(
        result("agreement of engine and plain loop", agreed, "share", 0.99, agreed >= 0.99)
    )
    slow = rate(plain(small, args.seed), len(small), steps, repeats)
    results.append(result("plain loop", slow, "user-steps/s"))
    for n in sizes:
        say(f"{n} users")
        world = made_up_world(n, args.seed)
        for name, make, bar in (
            ("engine alone", engine, ENGINE_BAR),
            ("with a linear re-ranker", whole_loop, LOOP_BAR),
            ("vector environment", vector_env, LOOP_BAR),
        ):
            value = rate(make(world, args.seed), len(world), steps, repeats)
            results.append(
                result(
                    f"{name}, {len(world)} users",
                    value,
                    "user-steps/s",
                    bar,
                    value >= bar,
                    PEER,
                    value / slow,
                )
            )
    say("one user")
    value = rate(single_env(small, args.seed), 1, 20 * steps, repeats)
    results.append(result("single environment", value, "user-steps/s"))
    emit(results, args.seed, args.json)


if __name__ == "__main__":
    main()
