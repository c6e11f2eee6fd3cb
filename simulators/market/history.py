"""Days in a row: a policy in a market, as a table with a row per day."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ...metrics.diversity import gini
from ...metrics.exposure import parity_ratio
from .. import randomness
from .market import Market
from .outcome import MarketOutcome
from .policies import MarketPolicy


def run(
    market: Market,
    policy: MarketPolicy,
    seed: int = 0,
    watch: Callable[[MarketOutcome], None] | None = None,
) -> pd.DataFrame:
    """Let the market run from today until it is over.

    Args:
        market: As it stands; nothing is reset.
        policy: Chooses the slates.
        seed: Root of the policy's own draws.
        watch: Called with every round's outcome, for example to log it.

    Returns:
        A row per day; columns as in ``day_row``.
    """
    rng = np.random.default_rng([seed, randomness.POLICY])
    days: list[dict[str, float]] = []
    rounds: list[MarketOutcome] = []
    while not market.over:
        outcome = market.step(policy.slates(market, rng))
        rounds.append(outcome)
        if watch is not None:
            watch(outcome)
        if outcome.day_over:
            days.append(day_row(market, rounds))
            rounds = []
    return pd.DataFrame(days)


def day_row(market: Market, rounds: Sequence[MarketOutcome]) -> dict[str, float]:
    """A day in numbers, from its rounds, once it is over.

    - ``users_arrived`` in all so far, ``users_active`` of them (not left for good), ``users_left``
      today, ``visits`` today (slates shown);
    - ``engagement``, ``expected_engagement``, ``clicks``: sums over today's visits;
    - ``providers_viable`` after today, ``providers_left`` today, ``mean_shortfall`` over those who
      have ever been on offer, those who left included (with their shortfall on that day);
    - ``items_on_offer``, ``items_released`` today, ``blanks`` left in slates;
    - ``exposure_gini`` and ``exposure_ratio`` (smallest over largest) of today's exposure over
      providers who have ever been on offer, those who left included; NaN without any exposure.
    """
    last, entered = rounds[-1], rounds[-1].entered
    exposure = np.sum([r.exposure for r in rounds], axis=0)[entered]
    arrived = market.arrival_day <= last.day
    return {
        "day": last.day,
        "users_arrived": int(arrived.sum()),
        "users_active": int((arrived & ~market.gone).sum()),
        "users_left": sum(int(r.step.left.sum()) for r in rounds),
        "visits": sum(int(r.present.sum()) for r in rounds),
        "engagement": sum(float(r.step.engagement.sum()) for r in rounds),
        "expected_engagement": sum(float(r.step.expected_engagement.sum()) for r in rounds),
        "clicks": sum(int(r.step.clicks.sum()) for r in rounds),
        "providers_viable": int(market.providers.viable.sum()),
        "providers_left": int(last.providers_left.sum()),
        "mean_shortfall": float(last.shortfall[entered].mean()) if entered.any() else 0.0,
        "items_on_offer": int(last.available.sum()),
        "items_released": sum(int(r.released.sum()) for r in rounds),
        "blanks": sum(int((r.items[r.present] < 0).sum()) for r in rounds),
        "exposure_gini": float(gini(exposure)),
        "exposure_ratio": float(parity_ratio(exposure)) if entered.any() else float("nan"),
    }
