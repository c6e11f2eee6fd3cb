"""Providers: what they receive, how they bear it, and what they do when it is too little.

Equations, each day, per provider (sources in ``config``):

    memory    m ← m + (1 − 2^(−1 / half_life)) · (received − m), starting at the need
    shortfall s = max(0, 1 − m / need)
    leaving   with probability rate · s^steepness
    clock     c ← c + 1 − slowdown · s; an item is released once its provider's clock reaches the
              day for which it was planned
"""

import numpy as np

from ...arrays import BoolArray, FloatArray
from .. import randomness
from ..config import WorldConfig
from .config import DepartureConfig, MarketConfig, ProductionConfig, ProviderConfig


def shortfall(memory: FloatArray, need: FloatArray) -> FloatArray:
    """Which share of its need a provider lacks, in [0, 1], shape ``(P,)``."""
    return np.clip(1.0 - memory / need, 0.0, 1.0)


def departure_probability(lacking: FloatArray, config: DepartureConfig) -> FloatArray:
    """Probability of leaving after a day with this shortfall, shape ``(P,)``."""
    if not config.enabled:
        return np.zeros_like(lacking)
    return np.where(lacking > 0, config.rate * lacking**config.steepness, 0.0)


def pace(lacking: FloatArray, config: ProductionConfig) -> FloatArray:
    """Days by which a provider's clock advances in one day, in [0, 1], shape ``(P,)``."""
    slowdown = config.slowdown if config.enabled else 0.0
    return 1.0 - slowdown * lacking


def equal_split(
    n_providers: int,
    n_users: int,
    examination: FloatArray,
    users: WorldConfig,
    market: MarketConfig,
) -> float:
    """Receipts per day of each provider, if those of a starting day were split evenly.

    Nominal: the users of day 0 come once in ``returning.mean_days``, positions are examined as in
    the position model, and clicks and satisfaction are at their means before any dynamics.

    Args:
        n_providers: Providers ``P``.
        n_users: Users ``U``, those to come included.
        examination: Probability that each position is looked at, shape ``(k,)``.
        users: Of the users.
        market: What counts as received, and who is there on day 0.
    """
    visits = market.arrivals.users_at_start * n_users
    if users.returning.enabled:
        visits /= users.returning.mean_days
    if users.session.enabled:
        visits *= users.session.mean_slates
    amount = visits * float(examination.sum())
    if market.providers.receives != "exposure":
        amount *= users.choice.base_attraction
    if market.providers.receives == "engagement":
        amount *= users.tastes.unrated_satisfaction
    return amount / n_providers


class Providers:
    """The state of ``P`` providers.

    Args:
        need: Receipts that each needs per day at the median, shape ``(P,)``, > 0.
        config: What they do about a shortfall.
        seed: Root of their luck.

    Attributes:
        need: As given, times the differences between providers.
        memory: Running mean of the receipts per day, shape ``(P,)``.
        clock: Days of undisturbed production, shape ``(P,)``.
        entered: Whether any item was on offer yet, shape ``(P,)``; nobody is in want before.
        viable: Whether the provider is still there, shape ``(P,)``; before entering, too.
    """

    def __init__(self, need: FloatArray, config: ProviderConfig, seed: int = 0) -> None:
        self._config = config
        self._keep = 0.5 ** (1.0 / config.half_life)
        root = randomness.stream_keys(seed, randomness.PROVIDERS, np.arange(len(need)))
        spread = randomness.normals(randomness.derive(root, np.zeros(1, np.int64)))
        self.need = need * np.exp(config.need_spread * spread.astype(np.float64))
        self._root = randomness.derive(root, np.ones(1, np.int64))
        self.reset(0)

    def __len__(self) -> int:
        return len(self.need)

    def reset(self, episode: int) -> None:
        """Everybody is back, content and with all items to come, and has new luck."""
        n = len(self)
        self._keys = randomness.derive(self._root, np.full(n, episode))
        self.memory = self.need.copy()
        self.clock = np.zeros(n)
        self.entered = np.zeros(n, np.bool_)
        self.viable = np.ones(n, np.bool_)

    @property
    def shortfall(self) -> FloatArray:
        """Share of its need that each lacks, shape ``(P,)``; 0 before entering."""
        return np.where(self.entered, shortfall(self.memory, self.need), 0.0)

    def welfare(self) -> float:
        """Mean of log2(1 + received / need) over all providers, 0 for those who left.

        1 where everybody receives exactly the need; more counts ever less (Zhan et al. 2021).
        """
        utility = np.log2(1.0 + self.memory / self.need)
        return float(np.where(self.viable, utility, 0.0).mean())

    def pass_day(self, day: int, received: FloatArray) -> BoolArray:
        """Take in a day's receipts ``(P,)``; who left at its end, shape ``(P,)``."""
        here = self.entered & self.viable
        self.memory = np.where(here, received + self._keep * (self.memory - received), self.memory)
        lacking = self.shortfall
        luck = randomness.uniforms(randomness.derive(self._keys, np.full(len(self), day)))
        left = here & (luck < departure_probability(lacking, self._config.departure))
        self.clock = self.clock + pace(lacking, self._config.production)
        self.viable = self.viable & ~left
        return left
