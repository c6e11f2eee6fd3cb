"""What all replicas share: episodes, luck, and the turn from a slate to a `StepOutcome`.

A replica states its original's equations in a few small methods; everything else (luck by counter,
episodes, rows that come or stay away, copies of rows) is here, and is what `UserPopulation` does.
"""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from .. import randomness
from ..outcome import StepOutcome
from .response import Response, VisitKeys


class ReplicaConfig(BaseModel):
    """Base of the configurations: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReplicaWorld(Protocol):
    """What a population needs to know of a replica's world."""

    @property
    def users(self) -> IntArray:
        """User index of each row, shape ``(U,)``."""
        ...

    @property
    def n_candidates(self) -> int:
        """Columns that a slate is chosen from, ``N``."""
        ...

    @property
    def slate_size(self) -> int:
        """Items shown at a time, ``k``."""
        ...

    def take(self, rows: IntArray) -> Self:
        """The world of some rows alone, repeats allowed."""
        ...


W = TypeVar("W", bound=ReplicaWorld)


class ReplicaPopulation(ABC, Generic[W]):
    """Simulated users of a replica, stepped together, as ``UserPopulation`` is.

    All luck is a function of (seed, user, episode, visit, item): the same in any batch and under
    any policy. Of ``R`` rows of one user the r-th lives through the episodes r, r + R, r + 2R and
    so on, unless they are twins, who have the same luck.

    ``StepOutcome.engagement`` is the original's reward: clicks (SARDINE), minutes watched (RecSim),
    the true score of what was chosen (T-RECS). None of the three knows satisfaction; that reward
    stands in its place, in its own unit.

    Args:
        world: The users and the items.
        seed: Root of the choice and visit streams.
        rows: Rows of the world, repeats allowed, shape ``(U,)``; all once by default.
        twins: Rows of one user have the same luck.

    Attributes:
        world: The world, one row per user of this population.
        day: Day of the coming visit, shape ``(U,)``.
        days_away: Days between the last visit and the coming one, shape ``(U,)``; 0 at first.
        alive: Users that still come, shape ``(U,)``.
    """

    per_row: tuple[str, ...] = (
        *("_choice_root", "_visit_root", "_repeat", "_episode", "_visit"),
        *("day", "days_away", "alive"),
    )
    """Attributes with one entry per row; a replica adds its own state."""

    rewards_minutes: bool = False
    """Whether the reward of a click is the minutes spent on the item."""

    def __init__(
        self, world: W, seed: int = 0, rows: IntArray | None = None, twins: bool = False
    ) -> None:
        self.world = world if rows is None else world.take(rows)
        users = self.world.users
        n = len(users)
        self._choice_root = randomness.stream_keys(seed, randomness.CHOICES, users)
        self._visit_root = randomness.stream_keys(seed, randomness.VISITS, users)
        self._repeat, self._repeats = np.zeros(n, np.int64), 1
        if not twins:
            self._repeat, self._repeats = _repeats(users)
        self._episode = np.full(n, -1, np.int64)
        self._visit = np.zeros(n, np.int64)
        self.day = np.zeros(n, np.float32)
        self.days_away = np.zeros(n, np.float32)
        self.alive = np.zeros(n, np.bool_)
        self._allocate(n)
        self.reset()

    def __len__(self) -> int:
        return len(self.day)

    @property
    def episode(self) -> IntArray:
        """Which of its user's episodes each row is in, shape ``(U,)``; twins share them."""
        return self._episode * self._repeats + self._repeat

    @property
    def n_items(self) -> int:
        """Items that ``items`` tells apart."""
        return self.world.n_candidates

    def items(self, columns: IntArray) -> IntArray:
        """Item indices of columns, ``(U, n)`` to ``(U, n)``: the columns themselves."""
        return columns

    def reset(self, rows: IntArray | BoolArray | None = None) -> None:
        """Start the next episode of the given rows (of all by default), with new luck."""
        if rows is None:
            self._begin()
            return
        at: IntArray = np.arange(len(self))[rows]
        if len(at):
            part = self.take(at)
            part._begin()
            self._put(at, part)

    def step(self, columns: IntArray, present: BoolArray | None = None) -> StepOutcome:
        """Show each user one slate.

        Args:
            columns: Columns of the candidates, distinct within a row, top position first, shape
                ``(U, k)``.
            present: Rows that come now, shape ``(U,)``; the others stay exactly as they are. All
                by default.

        Raises:
            InvalidValue: ``columns`` has another shape than ``(U, slate_size)``, or names a column
                that is not there.
        """
        self._check(columns)
        if present is None or bool(present.all()):
            return self._step(columns)
        rows = np.flatnonzero(present)
        part = self.take(rows)
        outcome = part._step(columns[rows])
        self._put(rows, part)
        return outcome.spread(rows, len(self))

    def click_probabilities(self, columns: IntArray) -> FloatArray:
        """Probability of a click at each position of a slate shown now, shape ``(U, k)``."""
        self._check(columns)
        return self._respond(columns).click

    def expected_engagement(self, columns: IntArray) -> FloatArray:
        """Expected reward of a slate now, without showing it, shape ``(U,)``."""
        self._check(columns)
        response = self._respond(columns)
        return np.einsum("uk,uk->u", response.click, response.reward)

    def take(self, rows: IntArray) -> Self:
        """A copy of some rows in mid-flight, with the state and the luck they have."""
        copy = object.__new__(type(self))
        for name, value in vars(self).items():
            setattr(copy, name, value)
        copy.world = self.world.take(rows)
        for name in self.per_row:
            setattr(copy, name, getattr(self, name)[rows])
        return copy

    @abstractmethod
    def scores(self) -> FloatArray:
        """The truth that a greedy policy sorts the candidates by, shape ``(U, N)``."""

    @abstractmethod
    def privileged(self) -> FloatArray:
        """Latent state that a critic may see and a policy may not, shape ``(U, L)``, float32."""

    @abstractmethod
    def _allocate(self, n: int) -> None:
        """Make the arrays of the state."""

    @abstractmethod
    def _draw_users(self) -> None:
        """The state at the start of an episode, for all rows."""

    @abstractmethod
    def _respond(self, columns: IntArray) -> Response:
        """How users would react to these slates now."""

    @abstractmethod
    def _remember(
        self, columns: IntArray, clicks: BoolArray, response: Response, keys: VisitKeys
    ) -> None:
        """What a visit leaves behind."""

    @abstractmethod
    def _over(self) -> tuple[BoolArray, BoolArray]:
        """Who leaves for good after this visit, and who has reached the horizon."""

    def _begin(self) -> None:
        self._episode += 1
        self._visit[:] = 0
        self.day[:] = 0.0
        self.days_away[:] = 0.0
        self.alive[:] = True
        self._draw_users()

    def _step(self, columns: IntArray) -> StepOutcome:
        response, keys, active, day = (
            self._respond(columns),
            self._visit_keys(),
            self.alive,
            self.day,
        )
        clicks = response.draw(columns, keys) & active[:, None]
        away = self.days_away
        self._remember(columns, clicks, response, keys)
        self._pass_time()
        left, ended = self._over()
        left &= active
        ended &= active & ~left
        self.alive = active & ~left & ~ended
        reward = np.where(clicks, response.reward, np.float32(0.0))
        zeros = np.zeros(len(self), np.float32)
        return StepOutcome(
            columns=columns,
            clicks=clicks,
            click_probability=response.click,
            looks=response.looks,
            mean_satisfaction=response.reward,
            satisfaction=reward,
            engagement=reward.sum(axis=1),
            active=active,
            left=left,
            ended=ended,
            session_over=self._session_over(left) & active,
            day=day,
            next_day=self.day.copy(),  # `reset` writes into `day`
            days_away=away,
            leaving_probability=zeros,
            return_hazard=zeros + np.float32(1.0),
            minutes=reward if self.rewards_minutes else None,
        )

    def _session_over(self, left: BoolArray) -> BoolArray:
        """Who asks for no other slate on this day: everybody, where a step is a day."""
        return np.ones_like(left)

    def _pass_time(self) -> None:
        """A step of the original stands for a day."""
        self._visit += 1
        self.day = self.day + np.float32(1.0)
        self.days_away = np.ones(len(self), np.float32)

    def _visit_keys(self) -> VisitKeys:
        counter = (self.episode << 20) + self._visit
        return VisitKeys(
            randomness.derive(self._choice_root, counter),
            randomness.derive(self._visit_root, counter),
        )

    def _check(self, columns: IntArray) -> None:
        if columns.shape != (len(self), self.world.slate_size):
            raise InvalidValue(
                f"slates of shape {columns.shape} for {len(self)} users and "
                f"k={self.world.slate_size}",
                field="columns",
            )
        if columns.size and not 0 <= columns.min() <= columns.max() < self.world.n_candidates:
            raise InvalidValue(
                f"a column outside of 0 … {self.world.n_candidates - 1}", field="columns"
            )

    def _put(self, rows: IntArray, part: Self) -> None:
        for name in self.per_row:
            values = getattr(self, name).copy()  # outcomes handed out may share the old array
            values[rows] = getattr(part, name)
            setattr(self, name, values)


def _repeats(users: IntArray) -> tuple[IntArray, int]:
    """Which repetition of its user each row is, from 0, and the largest number of rows per user."""
    order = np.argsort(users, kind="stable")
    ranked = users[order]
    repeat = np.empty(len(users), np.int64)
    repeat[order] = np.arange(len(users)) - np.searchsorted(ranked, ranked, side="left")
    return repeat, int(repeat.max(initial=0)) + 1
