"""What a platform can see of its market on a day: the observation of ``fairloop/Provider-v0``."""

import numpy as np

from ...arrays import FloatArray
from .market import Market
from .outcome import MarketOutcome

_TENTHS = np.arange(1, 10) / 10.0
_NEWEST = 0.3  # weight of the newest day in the running averages
_RECENT_DAYS = 7

OBSERVATION_NAMES = (
    "day",
    "users_arrived",
    "users_recent",
    "users_today",
    "items_on_offer",
    "items_unseen",
    "providers_viable",
    "providers_in_want",
    "mean_shortfall",
    "largest_shortfall",
    "engagement_per_visit",
    "clicks_per_visit",
    "left_today",
    *(f"received_by_lowest_{round(100 * tenth)}%" for tenth in _TENTHS),
)
"""Names of the columns, in order.

``day`` is a share of the horizon, ``users_arrived`` of the first day's users, ``users_recent``
(seen in the last week) and ``users_today`` of those arrived, ``items_on_offer`` of the catalogue,
``items_unseen`` (never examined by anyone, as far as expected) of those on offer,
``providers_viable`` of all; shortfalls are those of viable providers, as the platform sees them.
Engagement and clicks per visit are running averages, ``left_today`` is the share of providers that
left at the end of the last day, and the last nine are the Lorenz curve of what viable providers
have received of late.
"""


class Trend:
    """Running averages of engagement and clicks per visit; 0 before the first day."""

    def __init__(self) -> None:
        self.per_visit: FloatArray = np.zeros(2)
        self.left_share = 0.0

    def update(self, outcome: MarketOutcome) -> None:
        """Take in a round of slates; one without visits changes nothing."""
        self.left_share = float(outcome.providers_left.mean())
        visits = int(outcome.present.sum())
        if visits:
            step = outcome.step
            today = np.array([step.engagement.sum(), step.clicks.sum()]) / visits
            self.per_visit = self.per_visit + _NEWEST * (today - self.per_visit)


def observe(market: Market, trend: Trend) -> FloatArray:
    """The columns of ``OBSERVATION_NAMES`` today, before any slate, ``(22,)``, float32."""
    record, providers = market.record, market.providers
    arrived, viable = market.arrived, providers.viable
    n_arrived, n_first = max(int(arrived.sum()), 1), max(int((market.arrival_day == 0).sum()), 1)
    recent = arrived & (market.day - record.last_day <= _RECENT_DAYS)
    on_offer = market.available
    n_on_offer = int(on_offer.sum())
    unseen = int((record.item_examined[on_offer] < 1.0).sum()) / max(n_on_offer, 1)
    lacking = market.observed_shortfall[viable]
    wants = [0.0, 0.0, 0.0]
    if len(lacking):
        wants = [float((lacking > 0).mean()), float(lacking.mean()), float(lacking.max())]
    return np.array(
        [
            market.day / market.horizon,
            n_arrived / n_first,
            int(recent.sum()) / n_arrived,
            int(market.present.sum()) / n_arrived,
            n_on_offer / len(on_offer),
            unseen,
            viable.mean(),
            *wants,
            *trend.per_visit,
            trend.left_share,
            *lorenz(providers.memory[viable]),
        ],
        np.float32,
    )


def lorenz(amounts: FloatArray) -> FloatArray:
    """Share of the total that the lowest 10 %, …, 90 % hold, shape ``(9,)``.

    Linear between providers (Lorenz 1905, "Methods of measuring the concentration of wealth");
    the equal line where nobody has anything.
    """
    total = float(amounts.sum())
    if total <= 0:
        return _TENTHS
    held = np.concatenate([[0.0], np.cumsum(np.sort(amounts))]) / total
    return np.interp(_TENTHS, np.linspace(0.0, 1.0, len(held)), held)
