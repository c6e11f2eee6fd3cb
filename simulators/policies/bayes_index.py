"""What observable state leaves to be won: a planner that must learn each user's tastes.

The planning oracle (`oracles`) sees tastes that no log holds, so a part of what it wins is out of
reach for everything that must find out. This reference must find out, too. It knows the simulator:
its equations, its parameters, each user's sensitivities, and so the user's state at every visit,
which follows from what was shown and done; and the tastes as far as ratings tell them. What it does
not know is hidden taste, one number per user and candidate. It keeps the exact posterior of it
(`taste_belief`) and shows the slate of the largest value under the limits, the oracle's value with
expectations in place of the truth:

    E[r_now] − price · √(days left / horizon) · E[r_rested]

Where it stands: it knows more than any platform, which has to estimate the simulator, too. It plans
by an index with one tuned number and on its expectations, and shows nothing only to learn from it;
planning what to learn is a restless bandit of a hundred arms a user, which nobody solves exactly.
So what it earns is no bound. It is an estimate of the ceiling of observable state, and one that is
reached. (Worth added for what a look may teach, a multiple of the posterior standard deviation, was
tried in two worlds and moved engagement by less than its luck.)
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ..choice import discount
from ..gaps import Controller
from ..known_taste import KnownTaste
from ..logged import LoggedPopulation
from .base import Decision, PolicyLuck
from .limit_prices import NO_PRICES, LimitPrices
from .oracles import PRICE, days_to_come, odds_now
from .taste_belief import Seen, TasteBelief


@dataclass(frozen=True)
class _Asked:
    """The latest slate of each user, before anything is known of what came of it.

    Attributes:
        places: Row of the belief of each user, ascending, shape ``(U,)``.
        columns: Shape ``(U, k)``.
        shift: As `taste_belief.Seen` has it, ``(2, U, k)``.
        slates: Slates seen before, shape ``(U,)``.
        clicks: Clicks ever on what was shown, before, shape ``(U, k)``.
        rated: Rated ones among them, shape ``(U, k)``.
        enjoyed: The sum of their satisfaction, shape ``(U, k)``.
    """

    places: IntArray
    columns: IntArray
    shift: FloatArray
    slates: FloatArray
    clicks: FloatArray
    rated: FloatArray
    enjoyed: FloatArray


class BayesIndex:
    """Plans as the planning oracle does, on what can be inferred of hidden tastes; see the module.

    It carries its belief from slate to slate, and begins anew where nobody has seen a slate yet.
    What it learns it reads from the observed state alone.

    Args:
        known: Tastes as far as they are known, of the users of the simulation and maybe others.
        price: Of a rested item's expected reward, in [0, 1).
        limits: Prices of the limits on slates.

    Attributes:
        belief: What it believes of the users it began with; None before its first decision.

    Raises:
        InvalidValue: The price lies outside [0, 1). On its first decision: the choice model is not
            ``position`` (in the others what is clicked depends on the slate, and posteriors are no
            longer a candidate's own), or nothing is known of a user.
    """

    name = "bayes index"

    def __init__(
        self,
        known: KnownTaste,
        price: float = PRICE,
        limits: LimitPrices = NO_PRICES,
    ) -> None:
        if not 0.0 <= price < 1.0:
            raise InvalidValue(f"the price is {price}", field="price", mend="Use [0, 1).")
        self._known, self._limits = known, limits
        self._price = np.float32(price)
        self._rows: IntArray | None = None
        self.belief: TasteBelief | None = None
        self._asked: _Asked | None = None

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """Take in what came of the slates before, then show what is worth most."""
        places, belief = self._places(logged)
        odds, world = odds_now(logged), logged.world
        shift = odds - np.stack([world.appeal, world.worth])
        expected = belief.expect(places, shift)
        value = expected.now - self._price * days_to_come(logged)[:, None] * expected.rested
        columns = self._limits.slates(logged, odds[0], value)
        self._asked = _ask(logged, places, columns, shift)
        return Decision.certain(columns)

    def _places(self, logged: LoggedPopulation) -> tuple[IntArray, TasteBelief]:
        """Each user's row of the belief, which has taken in what is known by now."""
        new = logged.observed.n_slates == 0
        if self._rows is None or self.belief is None or new.all():
            self._rows, self.belief, self._asked = logged.row.copy(), self._prior(logged), None
        places = np.searchsorted(self._rows, logged.row)
        if self._asked is not None:
            _learn(self.belief, self._asked, logged, places)
            self.belief.forget(places[new])
        return places, self.belief

    def _prior(self, logged: LoggedPopulation) -> TasteBelief:
        config, known = logged.world.config, self._known.of(logged.world.users)
        if config.choice.model != "position":
            raise InvalidValue(
                f"posteriors are not those of each candidate in a {config.choice.model}",
                field="choice.model",
                mend="Use the position model.",
            )
        if known.appeal.shape != logged.world.appeal.shape:
            raise InvalidValue(
                f"tastes for {known.appeal.shape[1]} candidates, of {logged.world.n_candidates}",
                field="known",
                mend="Fit it on the candidates and pools that the world was fit on.",
            )
        looks = discount(config.slate_size, config.choice.position_bias)
        return TasteBelief(known, looks, config.satisfaction.noise)


def _ask(
    logged: LoggedPopulation, places: IntArray, columns: IntArray, shift: FloatArray
) -> _Asked:
    """Note what is about to be shown."""
    observed = logged.observed
    users = np.arange(len(columns))[:, None]
    return _Asked(
        places=places,
        columns=columns,
        shift=shift[:, users, columns],
        slates=observed.n_slates.copy(),
        clicks=observed.item_clicks[users, columns],
        rated=observed.item_rated[users, columns],
        enjoyed=observed.item_enjoyed[users, columns],
    )


def _learn(belief: TasteBelief, asked: _Asked, logged: LoggedPopulation, places: IntArray) -> None:
    """Read off the observed state what came of the slates, of users who saw theirs."""
    before, observed = np.searchsorted(asked.places, places), logged.observed
    saw = np.flatnonzero(observed.n_slates == asked.slates[before] + 1.0)
    before, columns, rows = before[saw], asked.columns[before[saw]], saw[:, None]
    clicks = observed.item_clicks[rows, columns] > asked.clicks[before]
    rated = observed.item_rated[rows, columns] > asked.rated[before]
    gained = observed.item_enjoyed[rows, columns] - asked.enjoyed[before]
    satisfaction = np.where(rated, gained, np.float32(np.nan))
    belief.learn(places[saw], Seen(columns, asked.shift[:, before], clicks, satisfaction))
