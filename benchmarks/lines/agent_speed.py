"""How fast the re-ranker learns and serves, in processor time on one thread.

The best of several runs: wall time for one thread with a core to itself. The peers are
stable-baselines3 with one environment per user, and its ``predict`` with a plain greedy loop, one
request at a time; the latter is spared the features, and the share of slates that agree is printed:
a fast wrong answer is no answer.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from fairloop.agents.baselines import weight_units
from fairloop.agents.config import TrainConfig
from fairloop.agents.families import StaticLinear
from fairloop.agents.outcomes import Arena
from fairloop.agents.policy import WeightPolicy
from fairloop.agents.response import learn_response
from fairloop.agents.serving import PolicyReranker
from fairloop.agents.train import learn
from fairloop.rerankers.context import PoolContext
from fairloop.rerankers.features import FEATURES, observation, scoring_features
from fairloop.simulators.actions import ActionMap
from fairloop.simulators.logged import LoggedPopulation
from fairloop.simulators.world import World

from benchmarks.peers.plain_policy import PlainPolicy, learn_one_env_per_user
from benchmarks.report import result

Rows = list[dict[str, Any]]
LEARNING_BAR = 20_000  # user-steps per second, everything included
SERVING_BAR = 50.0  # milliseconds for all requests
SAME = 0.999  # share of slates; float32 and float64 may part on near-equal scores
REQUESTS, VISITS = 1000, 5
PEER_USERS = 16


def learning_speed(arena: Arena, config: TrainConfig, rollouts: int, repeats: int) -> Rows:
    """The default learner on a shorter budget: simulation, critic, multipliers, gradient steps.

    In the first rollout the critic learns alone, which is cheaper; its share of the budget is about
    what it is by default, or above in a short run.
    """
    ppo, seed = TrainConfig().ppo, config.seed
    per_rollout = ppo.n_envs * ppo.rollout_steps
    arena = arena.answered_by(learn_response(arena, seed, config.response)[0])
    units = weight_units(arena, seed)
    nothing = np.zeros(len(arena.targets))
    family = StaticLinear("base order", FEATURES, units, arena.constraints)
    start = family.weights(family.start, nothing)

    def ours(rollouts: int) -> int:
        budget = {"total_steps": rollouts * per_rollout, "critic_steps": per_rollout}
        short = ppo.model_copy(update=budget)
        return learn(arena, start, units, nothing, seed, short, config.lagrange).steps

    def plain(rollouts: int) -> int:
        around = ActionMap(start, (ppo.reach * units).astype(np.float32), arena.context.response)
        return learn_one_env_per_user(
            arena.world, arena.constraints, around, ppo, PEER_USERS, rollouts, seed
        )

    fast = user_steps_per_second(ours, rollouts, repeats)
    slow = user_steps_per_second(plain, 1, 1)
    return [
        result(
            "user-steps per second end to end with learning",
            fast,
            "user-steps/s (processor)",
            LEARNING_BAR,
            fast >= LEARNING_BAR,
            "stable-baselines3's PPO, one environment per user",
            fast / slow,
        )
    ]


def serving_speed(world: World, policy: WeightPolicy, seed: int, repeats: int) -> Rows:
    """Requests of users with a few visits behind them, from pools to slates."""
    rows = np.arange(REQUESTS) % len(world)
    gathered = PoolContext.of(world.pools, world.catalogue, policy.constraints)
    gathered = gathered.answered_by(policy.response)
    logged = LoggedPopulation(world, policy.constraints, seed, rows, gathered)
    pools, k = world.pools.take(rows), world.config.slate_size
    reranker = PolicyReranker(policy, world.catalogue, lambda _: logged.observed)
    for _ in range(VISITS):
        logged.step(reranker.rerank(pools, k, np.random.default_rng(seed)).columns)
    rng = np.random.default_rng(seed)
    context, state = logged.context, logged.observed
    seen = observation(context, state, reranker.gaps)
    features = scoring_features(context, state).astype(float)
    topics = world.catalogue.topics[pools.items].astype(float)
    peer = PlainPolicy(policy)

    def ours() -> np.ndarray:
        return reranker.rerank(pools, k, rng).columns

    def plain() -> np.ndarray:
        return peer.slates(seen, features, topics, k)

    fast, slow = milliseconds(ours, repeats), milliseconds(plain, 1)
    agreed = float((ours() == plain()).all(axis=1).mean())
    name = f"the served policy's inference for {REQUESTS:,} requests"
    return [
        result(
            f"{name}, {world.n_candidates} candidates to {k}",
            fast,
            "ms (processor)",
            SERVING_BAR,
            fast <= SERVING_BAR,
            "stable-baselines3's predict and a plain greedy loop, one request at a time",
            slow / fast,
        ),
        result("slates equal to the plain loop's", agreed, "share", SAME, agreed >= SAME),
    ]


def user_steps_per_second(work: Callable[[int], int], rollouts: int, repeats: int) -> float:
    """Best of several runs of ``work``, which takes a number of rollouts and returns user-steps."""
    work(1)  # torch imports parts of itself on first use
    rates: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        steps = work(rollouts)
        rates.append(steps / (time.process_time() - start))
    return max(rates)


def milliseconds(job: Callable[[], Any], repeats: int) -> float:
    """Processor time of the quickest run."""
    job()
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return 1000.0 * min(times)
