"""User-steps per second on one thread, beside a plain loop over users and beside T-RECS.

    python -m benchmarks.simulator --json [--smoke]

Slates of 10, every dynamic that is on by default. Each rate is the best of several runs in
processor time: wall time for one thread with a core to itself. The runs are spread over rounds, in
each of which everything is timed, peers too, so that a slow minute of a shared machine falls on all
alike. Where only the environment is
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
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.rerankers.constraints import Constraints, ExposureFloor
from fairloop.rerankers.features import REWARD, feature_names
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
TRECS_ALONE = "T-RECS: users alone, with drift"
TRECS_RANKED = f"T-RECS: {WAYS[1]}, without drift"
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


@dataclass(frozen=True, slots=True)
class Timed:
    """``n_users`` move on with each ``step``, of which ``steps`` are timed together."""

    name: str
    step: Step
    n_users: int
    steps: int


def rates(timed: list[Timed], rounds: int, repeats: int) -> dict[str, float]:
    """User-steps per processor second of the quickest of ``rounds`` × ``repeats`` runs, by name."""
    best = dict.fromkeys((what.name for what in timed), 0.0)
    for turn in range(rounds):
        say(f"rates, round {turn + 1} of {rounds}")
        for what in timed:
            what.step(0)
            for _ in range(repeats):
                start = time.process_time()
                for i in range(what.steps):
                    what.step(i)
                seconds = time.process_time() - start
                best[what.name] = max(best[what.name], what.n_users * what.steps / seconds)
    return best


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
    # Rewards need a model of how users answer, which only a trained policy brings.
    names = feature_names(CONSTRAINTS)
    of_features = [0.0 if name in REWARD else 1.0 if name == "base" else -0.5 for name in names]
    weights = np.tile(np.array([*of_features, 0.5], np.float32), (len(logged), 1))

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


@dataclass(frozen=True, slots=True)
class Case:
    """What is timed of the platform, the bar it is held against and the T-RECS rate beside it."""

    timed: Timed
    bar: float | None = None
    trecs: str | None = None


def environments(seed: int, smoke: bool) -> tuple[list[Case], dict[str, Truth]]:
    """The environment alone, in each engine and world; and the worlds by name."""
    many, some, large = (256, 128, 10_000) if smoke else (4096, 1024, 100_000)
    pooled = f"{many} users, pools of {POOL} of {ITEMS} items"
    worlds: dict[str, Truth] = {
        f"{many} users, {ITEMS} items": made_up_factor_world(many, ITEMS, TOPICS, seed=seed),
        pooled: pooled_world(many, seed),
        f"{some} users, {large} items": made_up_factor_world(some, large, TOPICS, seed=seed),
    }

    def case(name: str, world: Truth, bar: float | None, engine: EngineName | None) -> Case:
        step = alone(world, seed, engine)
        return Case(Timed(f"alone: {name}", step, len(world), 5 if smoke else 30), bar, TRECS_ALONE)

    cases = [case(name, world, ALONE_BAR, None) for name, world in worlds.items()]
    cases.append(case(f"{pooled}, plain numpy", worlds[pooled], None, "numpy"))
    return cases, worlds


def platform(world: World, seed: int, smoke: bool) -> list[Case]:
    """With a re-ranker, in the environments of learners, and for one user."""
    steps, n = 3 if smoke else 20, len(world)
    cases: list[Case] = []
    for name, make, bar, peer in (
        ("with a linear re-ranker", reranked, RERANKED_BAR, TRECS_RANKED),
        ("stable-baselines3 environment", learner_env, None, None),
        ("Slate-v0 as gymnasium VectorEnv", slate_vector_env, None, None),
    ):
        full = f"{name}, {n} users, pools of {POOL}"
        cases.append(Case(Timed(full, make(world, seed), n, steps), bar, peer))
    everyone = made_up_factor_world(8, ITEMS, TOPICS, seed=seed)
    slates = random_slates(everyone, 8, seed)[:, 0]
    rerank = RerankEnv(world, CONSTRAINTS, seed)
    zeros = np.zeros((1, *rerank.action_space.shape), np.float32)
    for name, env, actions, bar in (
        (f"Slate-v0, {ITEMS} items", SlateEnv(everyone, seed), slates, ONE_USER_BAR),
        (f"Rerank-v0, pool of {POOL}", rerank, zeros, None),
    ):
        step = one_user(env, actions, seed)
        cases.append(Case(Timed(f"one user: {name}", step, 1, 100 * steps), bar))
    return cases


UNIT = "user-steps/s"


def speeds(seed: int, smoke: bool) -> list[Any]:
    """Rates of the plain loop, of T-RECS and of every case, and the memory of a user."""
    cases, worlds = environments(seed, smoke)
    pooled = next(world for world in worlds.values() if isinstance(world, World))
    cases += platform(pooled, seed, smoke)
    small = pooled_world(64, seed)
    loop = Timed("plain loop", plain(small, seed), len(small), 3 if smoke else 20)
    best = rates([loop, *(case.timed for case in cases)], *((1, 2) if smoke else (4, 4)))
    trecs = trecs_figures(256 if smoke else 4096, rounds=1 if smoke else 2)
    results = [result("plain loop", best["plain loop"], UNIT)]
    results += [result(name, value, UNIT) for name, value in trecs.items()]
    for case in cases:
        name, bar = case.timed.name, case.bar
        value = best[name]
        holds = None if bar is None or smoke else value >= bar
        results.append(result(name, value, UNIT, bar, holds, PLAIN, value / best["plain loop"]))
        if case.trecs is not None:
            ratio = value / trecs[case.trecs]
            results.append(result(name, value, UNIT, peer=case.trecs, ratio=ratio))
    for name, world in worlds.items():
        results.append(result(f"memory: {name}", bytes_per_user(world, seed), "bytes per user"))
    return results


def trecs_figures(n_users: int, rounds: int) -> dict[str, float]:
    """Rates of the installed package by what is included, each the best of several processes."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        say("T-RECS")
        for how, drift in (("without drift", 0.0), ("with drift", 0.05)):
            for way, value in trecs_rates(n_users, ITEMS, 10, 5, drift).items():
                name = f"T-RECS: {way}, {how}"
                best[name] = max(best.get(name, 0.0), value)
    return best


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--worker", action="store_true", help="print one process's rate")
    args = options.parse_args()
    if args.worker:
        print(worker(args.seed, args.smoke))
        return
    results: list[Any] = []
    for engine in ("numpy", "compiled"):
        agreed = agreement(pooled_world(64, args.seed), args.seed, engine)
        name = f"agreement of the {engine} engine with the plain loop"
        results.append(result(name, agreed, "share of visits", 0.99, agreed >= 0.99))
    results += speeds(args.seed, args.smoke)
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
