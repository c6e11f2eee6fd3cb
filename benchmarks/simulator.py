"""User-steps per second on one thread, beside a plain loop over users and beside T-RECS.

    python -m benchmarks.simulator --json [--smoke]

Slates of 10, every dynamic that is on by default. Each figure is the best of several runs in
processor time: wall time for one thread with a core to itself. Where only the environment is
timed, the slates are random and were made beforehand. Both engines are first given the same luck
as the plain loop, and the share of visits on which they agree is printed: a fast wrong answer is
no answer. Rates of T-RECS are of the installed package; each row says what it includes. Bars on
rates are for the full length: a short run shows that they are measured, and holds none.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.simulators import randomness
from fairloop.simulators.engines import EngineName
from fairloop.simulators.envs.rerank import RerankEnv
from fairloop.simulators.envs.rerank_sb3 import RerankVecEnv
from fairloop.simulators.envs.slate import SlateEnv, SlateVectorEnv
from fairloop.simulators.fit import fit_world
from fairloop.simulators.fit_factors import made_up_factor_world
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.numpy_engine import VISIT_COUNTERS
from fairloop.simulators.population import UserPopulation
from fairloop.simulators.world import Truth, World

from benchmarks.lines import market, replicas
from benchmarks.peers.plain_user import PlainUser
from benchmarks.peers.trecs_package import WAYS, trecs_rates
from benchmarks.report import emit, parser, result, say

ITEMS, TOPICS, POOL = 1_000, 18, 100
ALONE_BAR, RERANKED_BAR, ONE_USER_BAR, SCALING_BAR = 1_000_000, 200_000, 20_000, 1.7
PLAIN = "plain loop, one user at a time"
TRECS_ALONE = "T-RECS, its users alone, with drift"
TRECS_RANKED = "T-RECS, ranked by its content filtering"
CONSTRAINTS = Constraints(
    exposure=(ExposureFloor(attribute="popularity", group="long_tail", share=0.3),),
    min_diversity=0.7,
)
Step = Callable[[int], Any]


def pooled_world(n_users: int, seed: int) -> World:
    """Pools of 100 out of 1,000 items, fit to made-up ratings."""
    return fit_world(synthetic_candidates(n_users, ITEMS, TOPICS, seed=seed, top_n=POOL), seed=seed)


def random_slates(world: Truth, n: int, seed: int) -> np.ndarray:
    """``(n, U, k)`` columns, distinct within a slate."""
    rng, k = np.random.default_rng(seed), world.config.slate_size
    slates = rng.integers(world.n_candidates, size=(n, len(world), k))
    while len(again := np.flatnonzero((np.diff(np.sort(slates), axis=2) == 0).any(axis=2).ravel())):
        slates.reshape(-1, k)[again] = rng.integers(world.n_candidates, size=(len(again), k))
    return slates


def rate(step: Step, n_users: int, steps: int, repeats: int) -> float:
    """User-steps per processor second of the quickest of several runs of ``steps`` steps."""
    step(0)
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        for i in range(steps):
            step(i)
        times.append(time.process_time() - start)
    return n_users * steps / min(times)


def alone(world: Truth, seed: int, engine: EngineName | None = None) -> Step:
    """Users react, remember, leave and return; who is gone starts anew."""
    population = UserPopulation(world, seed, engine=engine)
    slates = random_slates(world, 8, seed)

    def step(i: int) -> None:
        outcome = population.step(slates[i % 8])
        population.reset(outcome.left | outcome.ended)

    return step


def reranked(world: World, seed: int) -> Step:
    """Features, scores, slates, step and observed state."""
    logged = LoggedPopulation(world, CONSTRAINTS, seed)
    weights = np.tile(np.array([1, *[-0.5] * 9, 0.5], np.float32), (len(logged), 1))

    def step(i: int) -> None:
        outcome = logged.step(logged.slates(weights))
        logged.reset(np.flatnonzero(outcome.left | outcome.ended))

    return step


def learner_env(world: World, seed: int) -> Step:
    """All that a learner waits for: also observations, constraints and their books."""
    env = RerankVecEnv(world, CONSTRAINTS, seed)
    env.reset()
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (env.num_envs, *env.action_space.shape)).astype(np.float32)
    return lambda i: env.step(actions)


def slate_vector_env(world: Truth, seed: int) -> Step:
    env = SlateVectorEnv(world, seed)
    env.reset()
    slates = random_slates(world, 8, seed)
    return lambda i: env.step(slates[i % 8])


def one_user(env: SlateEnv | RerankEnv, actions: np.ndarray, seed: int) -> Step:
    env.reset(seed=seed)

    def step(i: int) -> None:
        _, _, left, ended, _ = env.step(actions[i % len(actions)])
        if left or ended:
            env.reset()

    return step


def plain(world: World, seed: int) -> Step:
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


def agreement(world: World, seed: int, engine: EngineName) -> float:
    """Share of visits in which an engine and the plain loop agree, on the same luck.

    The two round differently, so a click or a gap at the very edge may differ; from there on that
    user's visits count as different.
    """
    population, slates = UserPopulation(world, seed, engine=engine), random_slates(world, 12, seed)
    users = [PlainUser(world, row) for row in range(len(world))]
    roots = randomness.stream_keys(seed, randomness.CHOICES, world.users)
    first_episode, k = np.zeros(len(world), np.int64), world.config.slate_size
    same = total = 0
    for visit, columns in enumerate(slates):
        items = np.take_along_axis(world.pools.items, columns, axis=1)
        ends = np.tile(VISIT_COUNTERS, (len(world), 1))
        salts = randomness.salts(np.concatenate([items, ends], axis=1))
        keys = randomness.visit_key(roots, first_episode, visit)[:, None] + salts
        luck = randomness.hashed(keys)[1]
        outcome = population.step(columns)
        for row in np.flatnonzero(outcome.active):
            drawn = luck[row, :k, 0], luck[row, :k, 1], luck[row, k, 0], luck[row, k, 1]
            engagement, day, left = users[row].step(columns[row], *drawn)
            close = abs(engagement - outcome.engagement[row]) < 1e-3
            same += close and day == population.day[row] and left == outcome.left[row]
            total += 1
    return same / total


def bytes_per_user(world: Truth, seed: int) -> float:
    """Memory of a population beyond its world, as the allocator counts it."""
    UserPopulation(world.take(np.arange(2)), seed)  # what is loaded once does not count
    tracemalloc.start()
    population = UserPopulation(world, seed)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / len(population)


def scaling(seed: int, smoke: bool) -> float:
    """Rate of two processes at once over that of one."""
    command = [sys.executable, "-m", "benchmarks.simulator", "--worker", "--seed", str(seed)]
    command += ["--smoke"] if smoke else []

    def together(n: int) -> float:
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(n)]
        return sum(float(process.communicate()[0]) for process in running)

    return together(2) / together(1)


def worker(seed: int, smoke: bool) -> float:
    """User-steps per wall second of one process: waiting for the other one's memory counts."""
    world = made_up_factor_world(256 if smoke else 4096, ITEMS, TOPICS, seed=seed)
    step, seconds = alone(world, seed), 2.0 if smoke else 8.0
    step(0)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        step(steps)
        steps += 1
    return len(world) * steps / (time.perf_counter() - start)


def environment(seed: int, smoke: bool, slow: float, peers: dict[str, float]) -> list[Any]:
    """The environment alone, in each engine and world."""
    steps, repeats = (5, 2) if smoke else (30, 9)
    many, some, large = (256, 128, 10_000) if smoke else (4096, 1024, 100_000)
    cases: list[tuple[str, Truth, EngineName | None]] = [
        (
            f"{many} users, {ITEMS} items",
            made_up_factor_world(many, ITEMS, TOPICS, seed=seed),
            None,
        ),
        (f"{many} users, pools of {POOL} of {ITEMS} items", pooled_world(many, seed), None),
        (
            f"{some} users, {large} items",
            made_up_factor_world(some, large, TOPICS, seed=seed),
            None,
        ),
    ]
    cases.append((f"{cases[1][0]}, plain numpy", cases[1][1], "numpy"))
    results: list[Any] = []
    for name, world, engine in cases:
        say(f"environment alone: {name}")
        value = rate(alone(world, seed, engine), len(world), steps, repeats)
        bar = ALONE_BAR if engine is None else None
        holds = None if bar is None or smoke else value >= bar
        results.append(
            result(f"alone: {name}", value, UNIT, bar, holds, PLAIN, value / slow),
        )
        results.append(
            result(f"alone: {name}", value, UNIT, peer=TRECS_ALONE, ratio=value / peers["alone"]),
        )
        if engine is None:
            held = bytes_per_user(world, seed)
            results.append(result(f"memory: {name}", held, "bytes per user"))
    return results


UNIT = "user-steps/s"


def platform(seed: int, smoke: bool, slow: float, peers: dict[str, float]) -> list[Any]:
    """With a re-ranker, in the environments of learners, and for one user."""
    steps, repeats, n = (3, 2, 256) if smoke else (20, 9, 4096)
    world = pooled_world(n, seed)
    results: list[Any] = []
    for name, make, bar in (
        ("with a linear re-ranker", reranked, RERANKED_BAR),
        ("stable-baselines3 environment", learner_env, None),
        ("Slate-v0 as gymnasium VectorEnv", slate_vector_env, None),
    ):
        say(name)
        value = rate(make(world, seed), len(world), steps, repeats)
        holds = None if bar is None or smoke else value >= bar
        full = f"{name}, {n} users, pools of {POOL}"
        results.append(result(full, value, UNIT, bar, holds, PLAIN, value / slow))
        if bar is not None:
            ratio = value / peers["ranked"]
            results.append(result(full, value, UNIT, peer=TRECS_RANKED, ratio=ratio))
    say("one user")
    everyone = made_up_factor_world(8, ITEMS, TOPICS, seed=seed)
    slates = random_slates(everyone, 8, seed)[:, 0]
    rerank = RerankEnv(world, CONSTRAINTS, seed)
    zeros = np.zeros((1, *rerank.action_space.shape), np.float32)
    for name, env, actions, bar in (
        (f"Slate-v0, {ITEMS} items", SlateEnv(everyone, seed), slates, ONE_USER_BAR),
        (f"Rerank-v0, pool of {POOL}", rerank, zeros, None),
    ):
        value = rate(one_user(env, actions, seed), 1, 100 * steps, repeats)
        holds = None if bar is None or smoke else value >= bar
        results.append(result(f"one user: {name}", value, UNIT, bar, holds, PLAIN, value / slow))
    return results


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--worker", action="store_true", help="print one process's rate")
    args = options.parse_args()
    if args.worker:
        print(worker(args.seed, args.smoke))
        return
    say("a plain loop over users")
    small = pooled_world(64, args.seed)
    results: list[Any] = []
    for engine in ("numpy", "compiled"):
        agreed = agreement(small, args.seed, engine)
        name = f"agreement of the {engine} engine with the plain loop"
        results.append(result(name, agreed, "share of visits", 0.99, agreed >= 0.99))
    slow = rate(plain(small, args.seed), len(small), 3 if args.smoke else 20, 2)
    results.append(result("plain loop", slow, UNIT))
    say("T-RECS")
    n, steps = (256, 3) if args.smoke else (4096, 5)
    drifting, still = (trecs_rates(n, ITEMS, 10, steps, drift) for drift in (0.05, 0.0))
    for way in (*WAYS, "users alone"):
        for drift, rates in (("without drift", still), ("with drift", drifting)):
            results.append(result(f"T-RECS: {way}, {drift}", rates[way], UNIT))
    peers = {"alone": drifting["users alone"], "ranked": still[WAYS[1]]}
    results += environment(args.seed, args.smoke, slow, peers)
    results += platform(args.seed, args.smoke, slow, peers)
    say("two processes")
    scale = scaling(args.seed, args.smoke)
    bar = None if args.smoke else SCALING_BAR  # a few seconds of a busy machine prove nothing
    holds = None if bar is None else scale >= bar
    results.append(result("two processes over one", scale, "ratio", bar, holds))
    results += market.figures(args.seed, args.smoke)
    results += replicas.figures(args.seed, args.smoke)
    emit(results, args.seed, args.json)


if __name__ == "__main__":
    main()
