"""A made-up market of any size, in which what providers do matters.

Nothing in it was fit to real people: it is for trying code out, for tests and for benchmarks, and
no figure measured in it says anything of a platform.
"""

from functools import lru_cache

import numpy as np

from ...arrays import FloatArray, IntArray
from ...candidates.catalogue import Catalogue, Groups
from ...candidates.pools import CandidatePools
from .. import randomness
from ..config import (
    DriftConfig,
    FatigueConfig,
    LeavingConfig,
    ReturnConfig,
    SatiationConfig,
    SatisfactionConfig,
    WorldConfig,
)
from ..dynamics import log_odds
from ..fit import draw_sensitivities
from ..world import World
from .config import ArrivalConfig, DepartureConfig, MarketConfig, ProviderConfig

PROVIDER = "provider"
"""Name of the item group that holds the providers."""

FOLLOWING, AT_HOME, STANDING = 2.5, 0.5, 1.2  # click log-odds
WORTH = -0.6  # log-odds of the satisfaction with an item that a user has no liking for


def made_up_world(
    n_users: int = 60,
    n_items: int = 120,
    n_providers: int = 12,
    n_topics: int = 4,
    n_candidates: int | None = None,
    config: WorldConfig | None = None,
    seed: int = 0,
) -> World:
    """Users who follow one provider each, and providers of unequal standing.

    A user likes the provider that they follow, and its topic; beyond that, the items of providers
    of high standing look better, and are no better once clicked. What followers alone bring to a
    provider is less than it needs; the rest of their slates could go to anyone at little cost.
    Ranked by relevance, it goes to those of high standing, the others leave, and so do their
    followers: the situation of Mladenov et al. 2020.

    Args:
        n_users: Users ``U``.
        n_items: Items ``I``, spread evenly over the providers.
        n_providers: Providers ``P``, spread evenly over the topics.
        n_topics: Topics ``T``.
        n_candidates: Pool columns ``N``, drawn uniformly per user; the whole catalogue when None.
        config: Of the users; ``users_of_a_market()`` when None.
        seed: Decides tastes, standings and pools.
    """
    config = users_of_a_market() if config is None else config
    rng = np.random.default_rng([seed, randomness.WORLD])
    provider = np.arange(n_items) % n_providers
    topic = provider % n_topics
    favourite = rng.integers(n_providers, size=n_users)[:, None]
    items = _pools(n_users, n_items, n_candidates, rng)
    liking = FOLLOWING * (provider[items] == favourite)
    liking = liking + AT_HOME * (topic[items] == favourite % n_topics)
    quality = 0.2 * rng.standard_normal(n_items)[items]
    hidden = 0.3 * rng.standard_normal(items.shape)
    standing = _spread_over(n_providers, n_topics)[provider]
    scores = liking + STANDING * standing[items] + quality
    appeal = log_odds(config.choice.base_attraction) + scores + hidden
    worth = WORTH + liking + quality + hidden
    scores = scores + 0.2 * rng.standard_normal(items.shape)
    order = np.argsort(-scores, axis=1, kind="stable")
    items, scores, appeal, worth = (
        np.take_along_axis(table, order, axis=1) for table in (items, scores, appeal, worth)
    )
    users = np.arange(n_users)
    return World(
        config=config,
        pools=CandidatePools(users, items, scores.astype(np.float32)),
        catalogue=_catalogue(topic, n_topics, provider, n_providers, standing),
        topics=np.eye(n_topics, dtype=np.float32)[topic],
        usual_topics=np.full(n_topics, 1.0 / n_topics, np.float32),
        appeal=appeal.astype(np.float32),
        worth=worth.astype(np.float32),
        sensitivities=draw_sensitivities(users, config.heterogeneity, seed),
    )


def users_of_a_market(horizon_days: int = 60) -> WorldConfig:
    """Users who tire of an item, stay while they are content, and leave when they are not."""
    return WorldConfig(
        horizon_days=horizon_days,
        slate_size=5,
        satiation=SatiationConfig(enabled=False),
        drift=DriftConfig(enabled=False),
        satisfaction=SatisfactionConfig(reference=0.5),
        leaving=LeavingConfig(base_rate=0.006, sensitivity=10.0),
    )


def made_up_config() -> MarketConfig:
    """Half of the items and three in four users from the start, the others over the horizon."""
    return MarketConfig(
        providers=ProviderConfig(need=0.6, departure=DepartureConfig(rate=0.15)),
        arrivals=ArrivalConfig(users_at_start=0.75, items_at_start=0.5),
    )


@lru_cache(maxsize=1)
def brisk_market() -> tuple[World, MarketConfig]:
    """The market of ``fairloop/Provider-v0``: 60 users, 120 items, 12 providers, 18 days.

    Everybody comes every day, and what takes weeks elsewhere takes days, so that an episode is
    short and what a ranking does to providers still comes back to the users within it.
    """
    users = users_of_a_market(18).model_copy(
        update={
            "fatigue": FatigueConfig(half_life=4.0),
            "leaving": LeavingConfig(base_rate=0.02, sensitivity=12.0),
            "returning": ReturnConfig(enabled=False),
        }
    )
    providers = ProviderConfig(need=0.7, half_life=1.5, departure=DepartureConfig(rate=0.6))
    config = made_up_config().model_copy(update={"providers": providers})
    return made_up_world(config=users), config


def _spread_over(n_providers: int, n_topics: int) -> FloatArray:
    """Standing of each provider within its topic: from 1 down to −1, shape ``(P,)``."""
    rank = np.arange(n_providers) // n_topics
    most = max(int(rank.max(initial=0)), 1)
    return 1.0 - 2.0 * rank / most


def _pools(
    n_users: int, n_items: int, n_candidates: int | None, rng: np.random.Generator
) -> IntArray:
    """Items of each user's pool, in ascending order, shape ``(U, N)``."""
    if n_candidates is None or n_candidates >= n_items:
        return np.tile(np.arange(n_items), (n_users, 1))
    keys = rng.random((n_users, n_items), dtype=np.float32)
    return np.sort(np.argpartition(keys, n_candidates, axis=1)[:, :n_candidates], axis=1)


def _catalogue(
    topic: IntArray, n_topics: int, provider: IntArray, n_providers: int, standing: FloatArray
) -> Catalogue:
    names = tuple(f"provider {p}" for p in range(n_providers))
    ids = np.array([f"i{i}" for i in range(len(topic))])
    return Catalogue(
        item_ids=ids,
        titles=ids,
        topics=np.eye(n_topics, dtype=np.bool_)[topic],
        topic_names=tuple(f"topic {t}" for t in range(n_topics)),
        year=np.full(len(topic), np.nan),
        popularity=np.round(20.0 * np.exp(standing)),
        groups={PROVIDER: Groups(PROVIDER, names, provider)},
    )
