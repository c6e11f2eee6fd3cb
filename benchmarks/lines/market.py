"""Visits per second of a market, beside users and providers one at a time.

Every line is a whole market day: arrivals, releases, slates, reactions, the platform's record and
the providers. ``engine`` shows slates that were chosen beforehand, so that it times the market
alone; ``scored`` makes them from weighted scores of all candidates.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairloop.simulators import randomness
from fairloop.simulators.config import (
    DriftConfig,
    LeavingConfig,
    SatiationConfig,
    SatisfactionConfig,
    WorldConfig,
)
from fairloop.simulators.market.config import (
    ArrivalConfig,
    DepartureConfig,
    MarketConfig,
    ProviderConfig,
)
from fairloop.simulators.market.made_up import PROVIDER, made_up_world
from fairloop.simulators.market.market import Market
from fairloop.simulators.market.policies import ScorePolicy, ScoreWeights
from fairloop.simulators.world import World

from benchmarks.peers.plain_market import PlainMarket
from benchmarks.report import result, say

N_USERS, N_ITEMS, N_PROVIDERS, N_TOPICS = 10_000, 1_000, 100, 10
CANDIDATES = 100
VISITS_BAR = 200_000
PEER = "plain loop over users and providers"
WEIGHTS = {"relevance": 1.0, "shortfall": 1.0, "newness": 0.2, "item_repeat": -1.5}


def figures(seed: int, smoke: bool) -> list[dict[str, Any]]:
    """Results for ``benchmarks.simulator``."""
    size = (500, 200, 20, 10) if smoke else (N_USERS, N_ITEMS, N_PROVIDERS, N_TOPICS)
    days = 4 if smoke else 12
    users, config = busy_users(60), busy_config()
    say("a market, one user and one provider at a time")
    small = made_up_world(60, 100, 10, 5, config=busy_users(30), seed=seed)
    found = agreement(small, config, seed)
    share = found.same / found.visits
    results = [result("market: agreement with the plain loop", share, "share", 0.99, share >= 0.99)]
    world = made_up_world(*size, n_candidates=CANDIDATES, config=users, seed=seed)
    slow = visits_per_second(lambda: plain_days(world, config, seed, 1), 1)
    results.append(result("market: plain loop", slow, "visits/s"))
    whole = made_up_world(*size, config=users, seed=seed)
    for name, where, run, bar in (
        ("engine, slates given", world, engine_days, VISITS_BAR),
        ("scored, pools of 100", world, scored_days, VISITS_BAR),
        ("scored, whole catalogue", whole, scored_days, None),
    ):
        say(f"market: {name}")
        rate = run(where, config, seed, days)
        held = None if bar is None or smoke else rate >= bar
        what = f"market: {name}, {size[0]} users"
        results.append(result(what, rate, "visits/s", bar, held, PEER, rate / slow))
    return results


def busy_users(days: int) -> WorldConfig:
    """Users as the plain market knows them, of whom few leave."""
    return WorldConfig(
        horizon_days=days,
        slate_size=10,
        satiation=SatiationConfig(enabled=False),
        drift=DriftConfig(enabled=False),
        satisfaction=SatisfactionConfig(reference=0.5),
        leaving=LeavingConfig(base_rate=0.006, sensitivity=10.0),
    )


def busy_config(receives: str = "exposure") -> MarketConfig:
    """Every dynamic of a market switched on."""
    providers = ProviderConfig(
        receives=receives,  # pyright: ignore[reportArgumentType]  pydantic checks it
        need=0.8,
        need_spread=0.2,
        departure=DepartureConfig(rate=0.1, steepness=0.5),
    )
    arrivals = ArrivalConfig(users_at_start=0.8, items_at_start=0.6, lifetime_days=25.0)
    return MarketConfig(providers=providers, arrivals=arrivals)


def visits_per_second(run: Callable[[], int], repeats: int) -> float:
    """Visits per processor second of the quickest run."""
    best = 0.0
    for _ in range(repeats):
        start = time.process_time()
        visits = run()
        best = max(best, visits / (time.process_time() - start))
    return best


def engine_days(world: World, config: MarketConfig, seed: int, days: int) -> float:
    """Visits per second of the market's own work, on slates that random choice made."""
    market, rng = Market(world, PROVIDER, config, seed), np.random.default_rng(seed)
    k, best = world.config.slate_size, 0.0
    for _ in range(days):
        columns = np.full((len(world), k), -1)
        for row in np.flatnonzero(market.present).tolist():
            usable = np.flatnonzero(market.available[world.pools.items[row]])
            columns[row, : len(usable)] = rng.permutation(usable)[:k]
        visits, start = int(market.present.sum()), time.process_time()
        market.step(columns)
        best = max(best, visits / (time.process_time() - start))
    return best


def scored_days(world: World, config: MarketConfig, seed: int, days: int) -> float:
    """Visits per second with slates of weighted scores: the quickest day."""
    market, policy = Market(world, PROVIDER, config, seed), ScorePolicy(ScoreWeights(**WEIGHTS))
    rng, best = np.random.default_rng(seed), 0.0
    for _ in range(days):
        visits, start = int(market.present.sum()), time.process_time()
        market.step(policy.slates(market, rng))
        best = max(best, visits / (time.process_time() - start))
    return best


def plain_days(world: World, config: MarketConfig, seed: int, days: int) -> int:
    """Visits of some days of the plain market, on other luck."""
    rng, k = np.random.default_rng(seed), world.config.slate_size
    plain = PlainMarket(
        Market(world, PROVIDER, config, seed),
        WEIGHTS,
        lambda user, visit, items: (rng.random(k), rng.random(k), rng.random(), rng.random()),
        lambda provider, day: rng.random(),
    )
    return sum(len(plain.step()) for _ in range(days))


@dataclass(frozen=True)
class Agreement:
    """How a market and its plain peer compare.

    Attributes:
        visits: Slates shown by the market.
        same: Those for which the peer showed the same items with the same engagement.
        providers_left: In the market.
        released_later: Items that were released after they were planned to be.
    """

    visits: int
    same: int
    providers_left: int
    released_later: int


def agreement(world: World, config: MarketConfig, seed: int) -> Agreement:
    """Both from the first day to the last, on the same luck and with the same score weights.

    The two round differently, so a click at the very edge may differ; everything after depends on
    it, for everybody, since users share the items' counts.
    """
    market, policy = Market(world, PROVIDER, config, seed), ScorePolicy(ScoreWeights(**WEIGHTS))
    plain = PlainMarket(market, WEIGHTS, user_luck(world, seed), provider_luck(market, seed))
    rng, visits, same = np.random.default_rng(seed), 0, 0
    while not market.over:
        columns = policy.slates(market, rng)
        came, outcome = plain.step(columns), market.step(columns)
        rows = np.flatnonzero(outcome.present).tolist()
        visits += len(rows)
        for row in rows:
            items, engagement = came.get(row, ([], -1.0))
            shown = [item for item in outcome.items[row].tolist() if item >= 0]
            close = abs(engagement - float(outcome.step.engagement[row])) < 1e-3
            same += shown == items and close
        same -= len(came.keys() - set(rows))
    out = market.offers.release_day >= 0
    late = out & (market.offers.release_day > market.offers.due_day)
    left = int((~market.providers.viable).sum())
    return Agreement(visits, same, left, int(late.sum()))


def user_luck(world: World, seed: int) -> Any:
    """The luck that the engine gives its users in their first episode."""
    roots = randomness.stream_keys(seed, randomness.CHOICES, world.users)
    episode, end = np.zeros(len(world), np.int64), 2**40

    def draw(user: int, visit: int, items: list[int]) -> tuple[Any, Any, float, float]:
        key = randomness.visit_key(roots, episode, visit)[user]
        _, luck = randomness.hashed(key + randomness.salts(np.array([*items, end])))
        return luck[:-1, 0], luck[:-1, 1], float(luck[-1, 0]), float(luck[-1, 1])

    return draw


def provider_luck(market: Market, seed: int) -> Callable[[int, int], float]:
    """The luck that providers have in their first episode."""
    roots = randomness.stream_keys(seed, randomness.PROVIDERS, np.arange(len(market.providers)))
    keys = randomness.derive(randomness.derive(roots, np.array([1])), np.array([0]))

    def draw(provider: int, day: int) -> float:
        return float(randomness.uniforms(randomness.derive(keys[provider], np.array([day])))[0])

    return draw
