"""The market: one calendar for users who come back, items that appear and providers who bear it.

A day: items that are due appear; the users who are due come and see one slate each (where sessions
are on, those who want more see another one, until nobody does); clicks go on record; providers take
in what they received that day, and some leave, so that their items are gone from the next day.
"""

import numpy as np

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from .. import randomness
from ..choice import discount
from ..outcome import StepOutcome
from ..population import UserPopulation
from ..world import Truth, World
from .arrivals import arrival_days
from .config import MarketConfig
from .inputs import matching_pools, provider_codes
from .offers import Offers
from .outcome import MarketOutcome
from .providers import Providers, equal_split, shortfall
from .record import Record
from .slates import filled_blanks


class Market:
    """Users of a world, and the providers of its items.

    The users' luck is theirs alone, arrivals are drawn up front, and a provider's luck depends on
    the day only: two policies in the same market meet the same luck.

    Args:
        world: The users' truth; its horizon and slate size hold. Items to come are in it from the
            start, and on offer once they are due.
        providers: Name of an item group of the world's catalogue, or the provider of each item,
            shape ``(I,)``; items of ``MISSING`` belong to nobody.
        config: Arrivals, providers, and how the platform scores.
        seed: Root of all luck.
        pools: The users' candidates and base scores, a row per user; the world's own by default. A
            ``FactorWorld`` has none, so that they must be given.
        episodes: ``(r, R)``: this market lives through episodes r, r + R, r + 2R and so on of its
            seed, as where several share them out.

    Attributes:
        day: Today, from 0; the horizon when all is over.
        population: The users; their latent state is not the platform's to see.
        providers: The providers' state.
        offers: The items' state.
        record: What the platform knows.
        examination: Probability, as in the position model, that each position is looked at, (k,).
        common_need: Receipts a day that the median provider needs, shape ``(P,)``, all equal.
        present: Users who want a slate now, shape ``(U,)``.
        arrival_day: Day on which each user comes first, shape ``(U,)``.
        gone: Users who have left for good, shape ``(U,)``.

    Raises:
        InvalidValue: Providers or pools do not match the world.
    """

    def __init__(
        self,
        world: Truth,
        providers: str | IntArray,
        config: MarketConfig | None = None,
        seed: int = 0,
        pools: CandidatePools | None = None,
        episodes: tuple[int, int] = (0, 1),
    ) -> None:
        self.config = config = MarketConfig() if config is None else config
        self.world = world
        owner = provider_codes(world, providers)
        pools = matching_pools(world, pools)
        choice, k, n_users = world.config.choice, world.config.slate_size, len(world)
        self.population = UserPopulation(world, seed, episodes=episodes)
        self.examination = discount(k, choice.position_bias)
        self.offers = Offers(owner, config.arrivals.lifetime_days)
        n_providers = int(owner.max()) + 1
        per_day = equal_split(n_providers, n_users, self.examination, world.config, config)
        self.common_need = np.full(n_providers, config.providers.need * per_day)
        self.providers = Providers(self.common_need, config.providers, seed)
        known = isinstance(world, World)
        popularity = world.catalogue.popularity if known else np.zeros(len(owner))
        rate = choice.base_attraction
        self.record = Record(pools, world.topics, popularity, self.examination, rate, config.record)
        self._named_by_item = not known
        self._seed, self._episodes, self._n_begun = seed, episodes, 0
        self._begin()

    @property
    def horizon(self) -> int:
        """Days in all."""
        return self.world.config.horizon_days

    @property
    def deserted(self) -> bool:
        """Whether every user, or every provider, has left for good."""
        return bool(self.gone.all()) or not self.providers.viable.any()

    @property
    def over(self) -> bool:
        """Whether the horizon is reached, or no user or no provider is left."""
        return self.day >= self.horizon or self.deserted

    @property
    def arrived(self) -> BoolArray:
        """Users who have come at least once, or come today, shape ``(U,)``."""
        return self.arrival_day <= self.day

    @property
    def available(self) -> BoolArray:
        """Items on offer today, shape ``(I,)``."""
        return self.offers.available

    @property
    def observed_shortfall(self) -> FloatArray:
        """Shortfall as the platform sees it, shape ``(P,)``.

        It knows what each provider received and what is needed on average, not who needs more.
        """
        lacking = shortfall(self.providers.memory, self.common_need)
        return np.where(self.providers.entered, lacking, 0.0)

    def reset(self) -> None:
        """Day 0 of the next episode, with new luck."""
        self.population.reset()
        self._n_begun += 1
        self._begin()

    def _begin(self) -> None:
        """Draw who comes and what is due in this episode, and open its first day."""
        first, stride = self._episodes
        self._episode = first + stride * self._n_begun
        self.arrival_day = self._arrivals(0, self.world.users, self.config.arrivals.users_at_start)
        items = np.arange(len(self.offers.provider_of_item))
        self.offers.reset(self._arrivals(1, items, self.config.arrivals.items_at_start))
        self.population.day[:] = self.arrival_day
        self.gone = np.zeros(len(self.world), np.bool_)
        self.providers.reset(self._episode)
        self.record.reset(self.offers.due_day > 0)
        self._received = np.zeros(len(self.providers))
        self.day, self._first_round = 0, True
        self.offers.open(0, self.providers)
        self.present = self._due_today()

    def step(self, columns: IntArray) -> MarketOutcome:
        """Show one slate to each user who is present, and end the day if nobody wants another.

        Args:
            columns: Pool columns of items on offer, distinct within a row, top position first,
                shape ``(U, k)``; ``PAD`` leaves a position blank. Rows of others are ignored.

        Raises:
            InvalidValue: A shape, or an item that is not on offer.
        """
        present, providers = self.present, self.providers
        rows = np.flatnonzero(present)
        items = self._items_of(rows, columns)
        reaction = self._react(rows, columns, items)
        self.record.observe(self.day, rows, columns[rows], reaction.clicks[rows])
        looks = reaction.examination[rows]
        exposure, clicks, engagement = (
            self._by_provider(items, amounts)
            for amounts in (looks, reaction.clicks[rows], reaction.satisfaction[rows])
        )
        counted = {"exposure": exposure, "clicks": clicks, "engagement": engagement}
        self._received += counted[self.config.providers.receives]
        self.gone = self.gone | reaction.left
        self.present = self._due_today()
        day_over = not self.present.any()
        entered = providers.entered.copy()
        left = np.zeros(len(providers), np.bool_)
        if day_over:
            left = providers.pass_day(self.day, self._received)
        shown = np.full(columns.shape, PAD)
        shown[rows] = items
        outcome = MarketOutcome(
            self.day,
            day_over,
            present,
            present & (self.arrival_day == self.day) & self._first_round,
            shown,
            reaction,
            exposure,
            clicks,
            engagement,
            providers.shortfall,
            left,
            entered,
            (self.offers.release_day == self.day) & self._first_round,
            self.offers.available,
        )
        self._first_round = day_over
        if day_over:
            self._open_next_day()
        return outcome

    def _open_next_day(self) -> None:
        self.day += 1
        self._received = np.zeros(len(self.providers))
        self.offers.open(self.day, self.providers)
        self.present = self._due_today()

    def _due_today(self) -> BoolArray:
        return self.population.alive & (self.population.day <= self.day)

    def _arrivals(self, kind: int, names: IntArray, share: float) -> IntArray:
        """Days of this episode on which users (kind 0) come, or items (1) are due, ``(n,)``."""
        root = randomness.stream_keys(self._seed, randomness.ARRIVALS, names)
        keys = randomness.derive(root, np.full(len(names), 2 * self._episode + kind))
        return arrival_days(keys, share, self.horizon, self.config.arrivals.process)

    def _items_of(self, rows: IntArray, columns: IntArray) -> IntArray:
        """The items of the rows' slates, ``PAD`` in blanks, shape ``(R, k)``."""
        if columns.shape != (len(self.world), len(self.examination)):
            raise InvalidValue(
                f"slates of shape {columns.shape} for {len(self.world)} users and "
                f"k={len(self.examination)}",
                field="columns",
            )
        items = self.record.items[rows[:, None], columns[rows]]
        items[columns[rows] == PAD] = PAD
        on_offer = np.append(self.available, [False, True])  # no item to propose; a blank
        if not on_offer[items].all():
            raise InvalidValue(
                f"a slate of day {self.day} holds an item that is not on offer",
                field="columns",
                mend="Choose among market.available, and leave other positions PAD.",
            )
        return items

    def _react(self, rows: IntArray, columns: IntArray, items: IntArray) -> StepOutcome:
        """Let the users who are present see their slates."""
        if self._named_by_item:
            columns = columns.copy()
            columns[rows] = items
        if (items >= 0).all():
            return self.population.step(columns, self.present)
        blank = np.zeros(columns.shape, np.bool_)
        blank[rows] = items == PAD
        filled = filled_blanks(columns, blank, self.world.n_candidates)
        return self.population.step(filled, self.present, blank)

    def _by_provider(self, items: IntArray, amounts: FloatArray | BoolArray) -> FloatArray:
        """Sums over the positions that hold an item with a provider, shape ``(P,)``."""
        owners, n = self.offers.owner[items], len(self.providers)
        sums = np.bincount(owners.ravel(), amounts.ravel(), n + 1)
        return sums.astype(np.float64, copy=False)[:n]
