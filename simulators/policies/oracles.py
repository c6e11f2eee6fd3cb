"""Oracles: policies that see what no platform can. They measure headroom and serve nobody.

Both see, of each user and at each visit, the log-odds of a click and of satisfaction of every
candidate as they are *now*: taste, hidden taste, satiation, fatigue, drift and sensitivities. They
know the choice model. Neither sees the luck that is still to come.

The planning oracle also sees what each candidate would bring to this user when fully rested. An
item that was shown or clicked, or whose topics were, recovers with the days; showing it now forgoes
what waiting would regain. So its look is worth

    r_now − price · √(days left / horizon) · r_rested,       r = P(click | look) · E[satisfaction]

and the slate is the one of the largest value under the choice model. The price is per unit of
rested reward, equal for all users and items, and falls to 0 at the horizon, where the two oracles
agree. It is an index rule in the manner of Whittle 1988, "Restless bandits: activity allocation in
a changing world", for arms that recover as in Pike-Burke & Grünewälder 2019, "Recovering bandits",
with one tuned number in the place of an index per state: a lower bound on what planning can win.

Under limits the same value is raised by a price for each (`limit_prices`). What that oracle earns
is the ceiling to hold a policy against that keeps the same limits.
"""

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...errors import InvalidValue
from ..dynamics import sigmoid
from ..gaps import Controller
from ..logged import LoggedPopulation
from .base import Decision, PolicyLuck
from .limit_prices import NO_PRICES, LimitPrices

PRICE = 0.5
"""Of a rested item, found by ``python -m benchmarks.headroom --tune``."""


class MyopicOracle:
    """The slate with the largest expected engagement at this visit; it plans nothing."""

    name = "myopic oracle"

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The best slate of the choice model, exactly."""
        odds = odds_now(logged)
        return Decision.certain(NO_PRICES.slates(logged, odds[0], reward(odds)))


class PlanningOracle:
    """Shows what has recovered, and lets rest what has not; see the module.

    Args:
        price: Of a rested item's reward, in [0, 1); 0 plans nothing. Or one for each user that a
            simulation starts with, shape ``(U,)``.
        name: Name for tables.
        limits: Prices of the limits on slates; none by default.

    Raises:
        InvalidValue: A price lies outside [0, 1).
    """

    def __init__(
        self,
        price: FloatArray | float = PRICE,
        name: str = "planning oracle",
        limits: LimitPrices = NO_PRICES,
    ) -> None:
        self._limits = limits
        self._price = np.asarray(price, np.float32)
        if not ((self._price >= 0.0) & (self._price < 1.0)).all():
            raise InvalidValue(f"the price is {price}", field="price", mend="Use [0, 1).")
        self.name = name

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The slate of the largest value after what waiting would regain."""
        price = self._price if self._price.ndim == 0 else self._price[logged.row]
        price = price * days_to_come(logged)
        odds, world = odds_now(logged), logged.world
        rested = sigmoid(world.appeal) * sigmoid(world.worth)
        value = reward(odds) - price[:, None] * rested
        return Decision.certain(self._limits.slates(logged, odds[0], value))


def days_to_come(logged: LoggedPopulation) -> FloatArray:
    """Factor on the price of not resting: √(days left / horizon) of each user, shape ``(U,)``."""
    left = 1.0 - logged.population.day / logged.world.config.horizon_days
    return np.sqrt(np.maximum(left, 0.0))


def odds_now(logged: LoggedPopulation) -> FloatArray:
    """Log-odds of every candidate now, of a click once looked at and of satisfaction, (2, U, N)."""
    columns = np.broadcast_to(np.arange(logged.world.n_candidates), logged.context.items.shape)
    return logged.population.log_odds(columns)


def reward(odds: FloatArray) -> FloatArray:
    """Expected satisfaction that one look brings, ``(2, U, N)`` to ``(U, N)``."""
    likely = sigmoid(odds)
    return likely[0] * likely[1]
