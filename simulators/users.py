"""The state of simulated users: one array per quantity, one row per user."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Protocol

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from . import dynamics, randomness
from .config import WorldConfig
from .item_memory import ItemMemory, make_memory
from .world import AtRest, Truth

_TOPIC_BLOCK = 8
"""Topics are padded to a multiple of it: products of small matrices are quicker then."""

LOAD, DRIFT = 0, 1
"""Rows of ``UserState.per_topic``."""

LEAVING, RETURNING, STAYING = range(3)
"""What mood decides: rows of ``Traits.mood_slopes``."""


@dataclass(slots=True)
class UserState:
    """What changes as users live on; ``Tp`` is the number of topics, padded with zeros.

    Attributes:
        alive: Users that still come, shape ``(U,)``.
        day: Day of the coming visit, shape ``(U,)``, float32.
        clock: The same, int32, counting on over episodes, shape ``(U,)``; see ``item_memory``.
        days_away: Days between the last visit and the coming one, shape ``(U,)``; 0 at first, and
            within a session.
        mood: Running satisfaction, shape ``(U,)``.
        per_topic: Recent clicks (``LOAD``) and interest relative to the start (``DRIFT``) by topic,
            shape ``(U, 2, Tp)``.
        root: Key of each user's luck, shape ``(U,)``.
        visit_key: Key of the coming visit, shape ``(U,)``.
        episode: Counts from 0, shape ``(U,)``.
    """

    alive: BoolArray
    day: FloatArray
    clock: IntArray
    days_away: FloatArray
    mood: FloatArray
    per_topic: FloatArray
    root: randomness.Keys
    visit_key: randomness.Keys
    episode: IntArray

    @classmethod
    def unborn(cls, root: randomness.Keys, n_topics: int) -> "UserState":
        """Users before their first episode."""
        n = len(root)

        def zeros() -> FloatArray:
            return np.zeros(n, np.float32)

        return cls(
            alive=np.zeros(n, np.bool_),
            day=zeros(),
            clock=np.zeros(n, np.int32),
            days_away=zeros(),
            mood=zeros(),
            per_topic=np.zeros((n, 2, padded_topics(n_topics)), np.float32),
            root=root,
            visit_key=root.copy(),
            episode=np.full(n, -1, np.int64),
        )

    def take(self, rows: IntArray) -> "UserState":
        """A copy of some rows."""
        return UserState(*(getattr(self, f.name)[rows] for f in fields(self)))

    def put(self, rows: IntArray, part: "UserState") -> None:
        """Write rows that were taken back."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(part, f.name)


@dataclass(frozen=True, slots=True)
class Traits:
    """What does not change: how strongly each user reacts, with the world's strengths.

    Attributes:
        satiation: Log-odds per recent click, shape ``(U,)``.
        fatigue: Factor on item fatigue, shape ``(U, 1)``.
        drift_rate: Share of the way, shape ``(U,)``.
        mood_slopes: Of mood on leaving (negative), coming back, asking for another slate, (3, U).
        interest: Lasting interest, padded, shape ``(U, 2, Tp)``, or None.
    """

    satiation: FloatArray
    fatigue: FloatArray
    drift_rate: FloatArray
    mood_slopes: FloatArray
    interest: FloatArray | None

    def take(self, rows: IntArray) -> "Traits":
        """Some rows."""
        return Traits(
            self.satiation[rows],
            self.fatigue[rows],
            self.drift_rate[rows],
            np.ascontiguousarray(self.mood_slopes[:, rows]),
            None if self.interest is None else self.interest[rows],
        )

    @classmethod
    def of(cls, world: Truth) -> "Traits":
        """The world's strengths times each user's factors."""
        c, s = world.config, world.sensitivities
        slopes = [
            -s.leaving * np.float32(c.leaving.sensitivity),
            s.returning * np.float32(c.returning.sensitivity),
            s.returning * np.float32(c.session.sensitivity),
        ]
        rate = c.drift.rate if c.drift.enabled else 0.0
        return cls(
            satiation=s.satiation * np.float32(c.satiation.strength),
            fatigue=s.fatigue[:, None],
            drift_rate=np.minimum(s.drift * np.float32(rate), np.float32(1.0)),
            mood_slopes=np.stack(slopes),
            interest=None if world.interest is None else pad_topics(world.interest),
        )


@dataclass(slots=True)
class Lives:
    """All that an ``Engine`` reads and writes.

    Attributes:
        world: The truth.
        at_rest: Look-ups into it.
        state: What changes.
        traits: What does not.
        memory: Fatigue of items.
    """

    world: Truth
    at_rest: AtRest
    state: UserState
    traits: Traits
    memory: ItemMemory

    @classmethod
    def begin(cls, world: Truth, seed: int) -> "Lives":
        """Users before their first episode."""
        c = world.config
        shown = c.slate_size * c.horizon_days if c.fatigue.enabled else 0
        root = randomness.stream_keys(seed, randomness.CHOICES, world.users)
        return cls(
            world=world,
            at_rest=world.at_rest(),
            state=UserState.unborn(root, world.topics.shape[1]),
            traits=Traits.of(world),
            memory=make_memory(len(world), world.n_candidates, c.fatigue.half_life, shown),
        )

    def take(self, rows: IntArray) -> "Lives":
        """A copy of some rows in mid-flight."""
        world = self.world.take(rows)
        return replace(
            self,
            world=world,
            at_rest=world.at_rest(),
            state=self.state.take(rows),
            traits=self.traits.take(rows),
            memory=self.memory.take(rows),
        )


class Reaction(NamedTuple):
    """What a visit of ``R`` users brought; see ``outcome.StepOutcome`` for the parts.

    ``keys`` (R, k) are the luck of what was shown; (0, k) where no more is to be drawn from it.
    """

    clicks: BoolArray
    click_probability: FloatArray
    looks: FloatArray
    mean_satisfaction: FloatArray
    satisfaction: FloatArray
    engagement: FloatArray
    left: BoolArray
    ended: BoolArray
    session_over: BoolArray
    day: FloatArray
    next_day: FloatArray
    days_away: FloatArray
    leaving_probability: FloatArray
    return_hazard: FloatArray
    keys: randomness.Keys


class Engine(Protocol):
    """Moves ``Lives`` on by a visit. All engines have the same luck and the same equations."""

    @property
    def name(self) -> str:
        """``numpy`` or ``compiled``."""
        ...

    def visit(self, rows: IntArray | None, columns: IntArray, blank: BoolArray | None) -> Reaction:
        """Show the users of ``rows`` (R,), or all, one slate each, and move their state on.

        Args:
            rows: Users who are there; all where None.
            columns: Columns of the world, shape ``(R, k)``.
            blank: Positions that show nothing, shape ``(R, k)``; none where None.

        Raises:
            InvalidValue: A column is none of the world's, or stands twice in a row. Nothing has
                been moved then.
        """
        ...


def mood_bases(config: WorldConfig) -> FloatArray:
    """Log-odds at the reference mood of what mood decides, shape ``(3, 1)``."""
    again = 1.0 - 1.0 / config.session.mean_slates
    rates = [config.leaving.base_rate, 1.0 / config.returning.mean_days, again]
    return dynamics.log_odds(np.array(rates))[:, None]


def padded_topics(n_topics: int) -> int:
    """``T`` rounded up to a multiple of the block."""
    return -(-n_topics // _TOPIC_BLOCK) * _TOPIC_BLOCK


def pad_topics(values: FloatArray) -> FloatArray:
    """Zeros after the last topic; the last axis is topics."""
    wanted = padded_topics(values.shape[-1])
    padded = np.zeros((*values.shape[:-1], wanted), np.float32)
    padded[..., : values.shape[-1]] = values
    return padded
