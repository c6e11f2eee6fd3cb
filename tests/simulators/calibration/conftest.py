"""Logs of the engine, in worlds whose parameters are known."""

from collections.abc import Callable

import numpy as np
import pytest
from fairloop.simulators import randomness
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.dynamics import log_odds
from fairloop.simulators.factor_world import FactorWorld
from fairloop.simulators.fit import draw_sensitivities
from fairloop.simulators.impressions import ImpressionLog
from fairloop.simulators.population import UserPopulation


def _known_world(config: WorldConfig, n_users: int, n_items: int, seed: int = 0) -> FactorWorld:
    """Users without tastes of their own; items of log-odds N(base, spread²); 4 topics."""
    rng = np.random.default_rng(seed)
    topics = np.eye(4, dtype=np.float32)[np.arange(n_items) % 4]
    base = float(log_odds(config.choice.base_attraction))
    appeal = base + config.choice.attraction_spread * rng.standard_normal(n_items)
    users = np.arange(n_users)
    return FactorWorld(
        config=config,
        users=users,
        topics=topics,
        usual_topics=np.full(4, 0.25, np.float32),
        bias=np.stack([appeal, 0.5 * rng.standard_normal(n_items)]).astype(np.float32),
        interest=np.zeros((n_users, 2, 4), np.float32),
        hidden=np.zeros(2, np.float32),
        luck=randomness.stream_keys(seed, randomness.WORLD, users),
        sensitivities=draw_sensitivities(users, config.heterogeneity, seed),
    )


def _engine_log(
    world: FactorWorld, greed: float = 0.0, seed: int = 0, repeat_from: int | None = None
) -> ImpressionLog:
    """One episode of every user.

    Args:
        world: The truth.
        greed: Slates are sorted by ``greed`` times the items' log-odds plus a Gumbel noise: at 0
            chance alone decides.
        seed: Of luck and policy.
        repeat_from: Show each user only so many items, again and again.
    """
    rng = np.random.default_rng(seed)
    population, k = UserPopulation(world, seed), world.config.slate_size
    n_users, n_items = len(world), world.n_candidates
    allowed = None
    if repeat_from is not None:
        allowed = np.argsort(rng.random((n_users, n_items)), axis=1)[:, :repeat_from]
    parts: dict[str, list[np.ndarray]] = {}
    slate, visit = 0, np.zeros(n_users, np.int32)
    while population.alive.any():
        key = greed * world.bias[0] + rng.gumbel(size=(n_users, n_items))
        if allowed is not None:
            low = np.full_like(key, -np.inf)
            np.put_along_axis(low, allowed, np.take_along_axis(key, allowed, 1), 1)
            key = low
        columns = np.argsort(-key, axis=1)[:, :k]
        outcome = population.step(columns)
        at = np.flatnonzero(outcome.active)
        clicked = outcome.clicks[at]
        columns_of = {
            "item": columns[at].ravel(),
            "position": np.tile(np.arange(1, k + 1), len(at)),
            "clicked": clicked.ravel(),
            "slate": np.repeat(np.arange(slate, slate + len(at)), k),
            "user": np.repeat(at, k),
            "day": np.repeat(outcome.day[at].astype(float), k),
            "visit": np.repeat(visit[at], k),
            "satisfaction": np.where(clicked, outcome.satisfaction[at], np.nan).ravel(),
        }
        for name, values in columns_of.items():
            parts.setdefault(name, []).append(values)
        slate += len(at)
        over = np.ones(n_users, bool) if outcome.session_over is None else outcome.session_over
        visit += over
    columns_all = {name: np.concatenate(values) for name, values in parts.items()}
    ids = np.array([f"item {i}" for i in range(n_items)])
    people = np.array([f"user {u}" for u in range(n_users)])
    return ImpressionLog(item_ids=ids, user_ids=people, **columns_all)


KnownWorld = Callable[..., FactorWorld]
EngineLog = Callable[..., ImpressionLog]


@pytest.fixture(scope="session")
def known_world() -> KnownWorld:
    return _known_world


@pytest.fixture(scope="session")
def engine_log() -> EngineLog:
    return _engine_log


@pytest.fixture(scope="session")
def static_log() -> ImpressionLog:
    """Chance decided what stood where; nobody remembers anything."""
    return _engine_log(_known_world(WorldConfig.static(), 250, 80))
