"""Replicas of published simulators: their figures, and user-steps per second beside plain loops.

SARDINE's published behaviour is checked as means over several worlds, each with its items and its
users' interests drawn anew; the interval is that of 100 episodes of the original.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from fairloop.simulators.replicas.base import ReplicaPopulation
from fairloop.simulators.replicas.play import GreedyColumns, RandomColumns, ReplicaPolicy, play
from fairloop.simulators.replicas.recsim import RecSimConfig
from fairloop.simulators.replicas.sardine import SardineConfig
from fairloop.simulators.replicas.sardine_policy import NeverBoring
from fairloop.simulators.replicas.trecs import TrecsConfig

from benchmarks.lines.setting import PLAIN
from benchmarks.peers.plain_recsim import PlainRecSim
from benchmarks.peers.plain_sardine import PlainSardine
from benchmarks.peers.plain_trecs import PlainTrecs
from benchmarks.report import result, say

ORIGINAL = {"random": (43.9, 1.5), "greedy": (143.2, 8.3)}
"""Clicks per episode of SARDINE's SlateTopK-Bored-v0, mean and half-width: 100 episodes."""

RATIO_BAR = 20.0
"""Times as many user-steps as the plain oracle."""

N_ITEMS, K, N_USERS, PLAIN_USERS = 1000, 10, 4096, 32
SARDINE = SardineConfig(n_items=N_ITEMS, slate_size=K)
RECSIM = RecSimConfig(n_candidates=N_ITEMS, slate_size=K)
TRECS = TrecsConfig(n_items=N_ITEMS, slate_size=K, n_attributes=20, drift=0.05, attention_exp=-0.5)
Step = Callable[[np.ndarray], object]


def figures(seed: int, smoke: bool) -> list[dict[str, Any]]:
    """SARDINE's published figures, then each replica's rate beside its plain oracle."""
    say("SARDINE's published behaviour")
    return [*published(seed, smoke), headroom(seed, smoke), *rates(seed, smoke)]


def published(seed: int, smoke: bool) -> list[dict[str, Any]]:
    """Mean clicks per episode, their 95 % interval over worlds and episodes, and whether inside."""
    worlds, episodes = (2, 200) if smoke else (8, 1000)
    policies: dict[str, ReplicaPolicy] = {"random": RandomColumns(), "greedy": GreedyColumns()}
    rows: list[dict[str, Any]] = []
    for name, policy in policies.items():
        played = [
            play(SardineConfig().make(episodes, seed + world), policy, seed + world).clicks
            for world in range(worlds)
        ]
        means, (center, half) = np.array([clicks.mean() for clicks in played]), ORIGINAL[name]
        clicks = np.concatenate(played)
        error = 1.96 * float(clicks.std(ddof=1)) / len(clicks) ** 0.5
        label = f"SARDINE SlateTopK-Bored, {name}: clicks per episode"
        held = abs(clicks.mean() - center) <= half
        rows.append(
            result(f"{label} (original {center} ± {half})", clicks.mean(), "clicks", None, held)
        )
        rows.append(result(f"{label}, half-width of 95 %", error, "clicks"))
        off = np.abs(means - center).max()
        rows.append(
            result(
                f"{label}, farthest of {worlds} worlds from the original",
                off,
                "clicks",
                half,
                off <= half,
            )
        )
    return rows


def headroom(seed: int, smoke: bool) -> dict[str, Any]:
    """What a policy that never bores earns; greedy is the peer."""
    episodes = 50 if smoke else 500
    played = [
        play(SardineConfig().make(episodes, seed), policy, seed).clicks.mean()
        for policy in (NeverBoring(), GreedyColumns())
    ]
    label = "SARDINE SlateTopK-Bored, never boring: clicks per episode"
    ratio = float(played[0] / played[1])
    return result(label, played[0], "clicks", None, ratio > 1, "greedy on the truth", ratio)


def rates(seed: int, smoke: bool) -> list[dict[str, Any]]:
    """User-steps per second of each replica alone: slates are random and made beforehand."""
    users, steps, repeats = (256, 3, 1) if smoke else (N_USERS, 20, 5)
    rng = np.random.default_rng(seed)
    slates = np.stack([np.argsort(rng.random((users, N_ITEMS)), axis=1)[:, :K] for _ in range(4)])
    rows: list[dict[str, Any]] = []
    makers = {
        "SARDINE, SlateTopK-Bored": (SARDINE.make(users, seed), plain_sardine(seed)),
        "RecSim, interest evolution": (RECSIM.make(users, seed), plain_recsim(seed)),
        "T-RECS, 20 attributes, drift and attention": (TRECS.make(users, seed), plain_trecs(seed)),
    }
    for name, (population, plain) in makers.items():
        say(name)
        slow = rate(plain, slates[:, :PLAIN_USERS], steps, repeats)
        value = rate(ours(population), slates, steps, repeats)
        ratio = value / slow
        label = f"{name}, {users} users, {N_ITEMS} items, slate {K}"
        rows.append(result(label, value, "user-steps/s", None, ratio >= RATIO_BAR, PLAIN, ratio))
    return rows


def rate(step: Step, slates: np.ndarray, steps: int, repeats: int) -> float:
    """User-steps per processor second of the quickest of several runs."""
    step(slates[0])
    times: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        for i in range(steps):
            step(slates[i % len(slates)])
        times.append(time.process_time() - start)
    return slates.shape[1] * steps / min(times)


def ours(population: ReplicaPopulation[Any]) -> Step:
    """A step of all users, and new episodes for who is done."""

    def step(columns: np.ndarray) -> None:
        outcome = population.step(columns)
        population.reset(outcome.left | outcome.ended)

    return step


def plain_sardine(seed: int) -> Step:
    world, rng = SARDINE.make_world(PLAIN_USERS, seed), np.random.default_rng(seed)
    interests = SARDINE.make(PLAIN_USERS, seed).interests
    users = [PlainSardine(SARDINE, world.topics) for _ in range(PLAIN_USERS)]
    for user, interest in zip(users, interests, strict=True):
        user.reset(interest, rng.integers(0, N_ITEMS, K), rng.random(K))

    def step(columns: np.ndarray) -> None:
        for user, slate in zip(users, columns, strict=True):
            user.step(slate, rng.random(K))

    return step


def plain_recsim(seed: int) -> Step:
    """The ten documents of a slate alone are drawn, as ours does; the original draws all."""
    rng, means = np.random.default_rng(seed), RECSIM.topic_quality()
    interests = rng.uniform(-1, 1, (PLAIN_USERS, RECSIM.n_topics))
    users = [PlainRecSim(RECSIM, own) for own in interests]

    def step(columns: np.ndarray) -> None:
        for user in users:
            topics = rng.integers(0, RECSIM.n_topics, K)
            quality = rng.normal(means[topics], RECSIM.quality_spread)
            luck, (idle, flip) = rng.random(K), rng.random(2)
            _, _, over = user.step(topics.tolist(), quality.tolist(), luck, idle, flip)
            if over:
                user.budget = RECSIM.time_budget

    return step


def plain_trecs(seed: int) -> Step:
    world = TRECS.make_world(PLAIN_USERS, seed)
    users = [PlainTrecs(TRECS, profile, world.topics) for profile in world.profiles]

    def step(columns: np.ndarray) -> None:
        for user, slate in zip(users, columns, strict=True):
            user.step(slate)

    return step
