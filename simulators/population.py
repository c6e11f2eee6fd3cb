"""The engine: many users at once, each visit one slate, all state in flat float32 arrays."""

from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from . import dynamics, randomness
from .choice import make_choice
from .config import WorldConfig
from .item_memory import ItemMemory, make_memory
from .outcome import StepOutcome
from .users import DRIFT, LOAD, Traits, UserState, pad_topics
from .world import NEVER, Truth, World

__all__ = ["StepOutcome", "UserPopulation", "privileged_names"]

_SENSITIVITIES = ("satiation", "fatigue", "drift", "leaving", "returning")
_VISIT_COUNTERS = np.array([2**40, 2**40 + 1])
"""What else draws luck at a visit, beside items: leaving and returning, then the session's end."""
_DWELL = np.full(1, 2)
"""Which further luck of an item that was shown decides its dwell; the choice has 0 and 1."""


class UserPopulation:
    """Simulated users, stepped together.

    All luck is a function of (seed, user, episode, visit, item), so it is the same in any batch and
    under any policy. A user may stand in several rows: of ``R`` rows, the r-th lives through the
    user's episodes r, r + R, r + 2R and so on; or they are twins, who have the same luck.

    Args:
        world: The truth.
        seed: Root of the users' luck.
        rows: Rows of the world, repeats allowed, shape ``(U,)``; all once by default.
        twins: Rows of one user have the same luck, so that policies can be compared on it.
        episodes: ``(r, R)``: all rows live through their users' episodes r, r + R, r + 2R and so
            on, as where several populations share them out.
    """

    def __init__(
        self,
        world: Truth,
        seed: int = 0,
        rows: IntArray | None = None,
        twins: bool = False,
        episodes: tuple[int, int] | None = None,
    ) -> None:
        self.world = world = world if rows is None else world.take(rows)
        config, n = world.config, len(world)
        k, days = config.slate_size, config.horizon_days
        self._choice = make_choice(config.choice, k)
        self._at_rest = world.at_rest()
        self._topics = pad_topics(world.topics)
        c = config
        self._topics_matter = c.satiation.enabled or c.drift.enabled or world.interest is not None
        self._usual = pad_topics(world.usual_topics)
        self._salts = randomness.salts(np.arange(len(world.topics)))
        self._visit_salts = randomness.salts(_VISIT_COUNTERS)
        self._traits = _traits(world)
        self._mood_bases = _mood_bases(world.config)
        self._memory: ItemMemory = make_memory(
            n, world.n_candidates, config.fatigue.half_life, shown=k * days
        )
        root = randomness.stream_keys(seed, randomness.CHOICES, world.users)
        self._state = UserState.unborn(root, world.topics.shape[1])
        self._repeat, self._repeats = np.zeros(n, np.int64), 1
        if not twins:
            self._repeat, self._repeats = _repeats(world.users)
        if episodes is not None:
            self._repeat, self._repeats = np.full(n, episodes[0]), episodes[1]
        self._rows = np.arange(n)
        self.reset()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def alive(self) -> BoolArray:
        """Users that still come, shape ``(U,)``."""
        return self._state.alive

    @property
    def episode(self) -> IntArray:
        """Which of its user's episodes each row is in, shape ``(U,)``; twins share them."""
        return self._state.episode * self._repeats + self._repeat

    @property
    def day(self) -> FloatArray:
        """Day of the coming visit, shape ``(U,)``."""
        return self._state.day

    @property
    def days_away(self) -> FloatArray:
        """Days between the last visit and the coming one, shape ``(U,)``; 0 at first."""
        return self._state.days_away

    @property
    def mood(self) -> FloatArray:
        """Running satisfaction, shape ``(U,)``."""
        return self._state.mood

    @property
    def load(self) -> FloatArray:
        """Recent clicks per topic, shape ``(U, T)``."""
        return self._state.per_topic[:, LOAD, : self.world.topics.shape[1]]

    @property
    def drift(self) -> FloatArray:
        """Interest relative to the start, shape ``(U, T)``."""
        return self._state.per_topic[:, DRIFT, : self.world.topics.shape[1]]

    def fatigue(self, columns: IntArray) -> FloatArray:
        """Log-odds lost by given columns, before sensitivity, shape of ``columns`` ``(U, n)``."""
        cells = self._memory.locate(None, columns, keep=False)
        return self._memory.read(cells, self._state.clock)

    def reset(self, rows: IntArray | BoolArray | None = None) -> None:
        """Start the next episode of the given rows (of all by default), with new luck."""
        at = slice(None)
        if rows is not None:
            at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.intp)
            if len(at) == 0:
                return
        s = self._state
        s.episode[at] += 1
        s.visit_key[at] = randomness.visit_key(s.root[at], self.episode[at])
        s.day[at] = 0.0
        s.days_away[at] = 0.0
        s.alive[at] = True
        s.mood[at] = self.world.config.satisfaction.reference
        s.per_topic[at] = 0.0
        s.clock[at] = self._memory.restart(at, s.clock[at])

    def step(
        self,
        columns: IntArray,
        present: BoolArray | None = None,
        blank: BoolArray | None = None,
    ) -> StepOutcome:
        """Show each user one slate.

        Args:
            columns: Columns of the world, distinct within a row, top position first, ``(U, k)``.
            present: Who is there, shape ``(U,)``; everybody by default. For the others nothing
                happens and no time passes; their columns are not looked at.
            blank: Positions at which nothing is shown, so that nothing is clicked there and nobody
                tires of it, shape ``(U, k)``; none by default. Their columns must be distinct from
                the others of the row all the same.

        Raises:
            InvalidValue: ``columns`` has another shape than ``(U, slate_size)``.
        """
        self._require_slates(columns)
        if present is None:
            return self._visit(None, columns, self._state, self._traits, blank)
        rows = np.flatnonzero(present)
        state = self._state.take(rows)
        blank = None if blank is None else blank[rows]
        outcome = self._visit(rows, columns[rows], state, self._traits.take(rows), blank)
        self._state.put(rows, state)
        return outcome.spread(rows, len(self))

    def expected_engagement(self, columns: IntArray) -> FloatArray:
        """Expected satisfaction-weighted clicks of a slate now, without showing it, ``(U,)``."""
        click, satisfaction = self._probabilities(columns)
        return np.einsum("uk,uk->u", click, satisfaction)

    def click_probabilities(self, columns: IntArray) -> FloatArray:
        """Probability of a click at each position of a slate shown now, shape ``(U, k)``."""
        return self._probabilities(columns)[0]

    def log_odds(self, columns: IntArray) -> FloatArray:
        """Log-odds now of a click once examined, and of satisfaction, ``(2, U, n)``.

        Args:
            columns: Any number of columns of each user, shape ``(U, n)``.
        """
        slate = self._look_at(None, columns, self._state, self._traits, keep=False)
        return slate.odds

    def privileged(self) -> FloatArray:
        """Latent state that a critic may see and a policy may not, shape ``(U, L)``, float32."""
        s, horizon = self.world.sensitivities, self.world.config.horizon_days
        tired = self._memory.total(self._state.clock) / np.float32(self.world.n_candidates)
        scalars = [self.mood, self.day / horizon, self.days_away / horizon, tired]
        scalars += [np.log(getattr(s, name)) for name in _SENSITIVITIES]
        return np.concatenate([self.load, self.drift, np.stack(scalars, 1)], 1, dtype=np.float32)

    def take(self, rows: IntArray) -> "UserPopulation":
        """A copy of some rows in mid-flight, with the state and the luck they have."""
        copy = object.__new__(UserPopulation)
        copy.__dict__.update(self.__dict__)
        copy.world = self.world.take(rows)
        copy._at_rest = copy.world.at_rest()
        copy._traits = self._traits.take(rows)
        copy._memory = self._memory.take(rows)
        copy._state = self._state.take(rows)
        copy._repeat = self._repeat[rows]
        copy._rows = np.arange(len(rows))
        return copy

    @property
    def bytes_per_user(self) -> int:
        """Memory of one user's state, without the world's tables."""
        parts = [getattr(self._state, name) for name in UserState.__slots__]
        return self._memory.bytes_per_user + sum(p.nbytes for p in parts) // max(len(self), 1)

    def _visit(
        self,
        rows: IntArray | None,
        columns: IntArray,
        s: UserState,
        traits: Traits,
        blank: BoolArray | None,
    ) -> StepOutcome:
        """One slate for each of the rows; ``s`` is theirs, and is moved on in place."""
        slate = self._look_at(rows, columns, s, traits, keep=True)
        if blank is not None:
            slate.odds[0][blank], slate.attraction[blank] = NEVER, 0.0
        click = self._choice.clicks(slate.odds[0], slate.attraction)
        keys, luck = self._luck(slate.items, s)
        k = columns.shape[1]
        clicks = self._choice.draw(
            slate.odds[0], slate.attraction, click, luck[:, :k, 0], keys[:, :k], keys[:, k]
        )
        clicks &= s.alive[:, None]
        reaction = np.empty((len(columns), 2, k), np.float32)  # clicks, satisfaction
        reaction[:, 0] = clicks
        noise = self.world.config.satisfaction.noise
        drawn = dynamics.noisy_satisfaction(slate.worth, luck[:, :k, 1], noise)
        np.multiply(drawn, clicks, out=reaction[:, 1])
        sums = np.add.reduce(reaction, 2)
        active, day, days_away = s.alive, s.day, s.days_away
        self._remember(slate, reaction, sums, s, traits, blank)
        effects = self._mood_effects(s, traits)
        over = self._live_on(effects, luck[:, k:], s)
        left = luck[:, k, 0] < effects.leaving
        left &= active
        if over is not None:
            left &= over
        next_day = s.day.copy()  # ``reset`` writes into ``s.day``
        ended = next_day >= self.world.config.horizon_days
        ended &= active > left  # of truth values: active and not left
        s.alive = active > (left | ended)
        return StepOutcome(
            columns,
            clicks,
            click,
            self._choice.examination(slate.attraction),
            slate.worth,
            reaction[:, 1],
            sums[:, 1],
            active,
            left,
            ended,
            over,
            day,
            next_day,
            days_away,
            effects.leaving,
            effects.returning,
            self._dwell(reaction, keys[:, :k]),
        )

    def _look_at(
        self, rows: IntArray | None, columns: IntArray, s: UserState, traits: Traits, keep: bool
    ) -> "_Slate":
        """Log-odds at rest, moved by satiation, drift and fatigue."""
        at_rest, config = self._at_rest, self.world.config
        items = at_rest.items(rows, columns)
        odds = at_rest.log_odds(rows, columns, items)
        topics = cells = tired = None
        if self._topics_matter:
            topics = self._topics.take(items, axis=0)
            shift = self._topic_shift(s, traits)
            odds = odds + dynamics.topic_effects(shift, topics).transpose(1, 0, 2)
        if config.fatigue.enabled:
            cells = self._memory.locate(rows, columns, keep)
            tired = self._memory.read(cells, s.clock)
            odds[0] -= tired * traits.fatigue
        likely = dynamics.sigmoid(odds)
        return _Slate(items, topics, cells, tired, odds, likely[0], likely[1])

    def _topic_shift(self, s: UserState, traits: Traits) -> FloatArray:
        """Log-odds by topic that lasting interest, drift and satiation add, ``(R, 2, Tp)``."""
        c = self.world.config
        drift, shift = s.per_topic[:, DRIFT : DRIFT + 1], np.empty_like(s.per_topic)
        np.multiply(drift, np.float32(c.drift.gain), out=shift)
        if traits.interest is not None:
            shift += traits.interest
        if c.satiation.enabled:
            load = s.per_topic[:, LOAD]
            lost = dynamics.satiation(load, traits.satiation, c.satiation.threshold)
            shift[:, 0] -= lost
            lost *= np.float32(c.satiation.on_satisfaction)
            shift[:, 1] -= lost
        return shift

    def _luck(self, items: IntArray, s: UserState) -> tuple[randomness.Keys, FloatArray]:
        """Keys ``(R, k + 2)`` and uniforms ``(R, k + 2, 2)``: of items, of the visit's end."""
        n, k = items.shape
        keys, visit = np.empty((n, k + 2), np.uint64), s.visit_key[:, None]
        np.add(self._salts.take(items), visit, out=keys[:, :k])
        np.add(self._visit_salts, visit, out=keys[:, k:])
        return randomness.hashed(keys)

    def _remember(
        self,
        slate: "_Slate",
        reaction: FloatArray,
        sums: FloatArray,
        s: UserState,
        traits: Traits,
        blank: BoolArray | None,
    ) -> None:
        """What a visit leaves behind: satiation, drift, fatigue and mood."""
        c = self.world.config
        if slate.topics is not None:
            met = dynamics.consumed_topics(reaction, slate.topics)
            drift = s.per_topic[:, DRIFT]
            met[:, DRIFT] = dynamics.drift_step(drift, met[:, 1], self._usual, traits.drift_rate)
            if not c.satiation.enabled:
                met[:, LOAD] = 0.0
            s.per_topic += met
        if slate.cells is not None and slate.tired is not None:
            amounts = reaction[:, 0] * np.float32(c.fatigue.per_click)
            amounts += slate.tired
            amounts += np.float32(c.fatigue.per_showing)
            self._memory.write(slate.cells, s.clock, amounts)
        felt = dynamics.experience(sums[:, 1], sums[:, 0])
        felt -= s.mood
        felt *= np.float32(c.satisfaction.memory)
        s.mood = s.mood + felt

    def _mood_effects(self, s: UserState, traits: Traits) -> "_MoodEffects":
        """Probabilities of leaving now, of coming back each day, and of another slate, ``(R,)``."""
        c = self.world.config
        n, reference = len(s.mood), c.satisfaction.reference
        drawn = iter(dynamics.mood_odds(s.mood, reference, self._mood_bases, traits.mood_slopes))
        return _MoodEffects(
            next(drawn) if c.leaving.enabled else np.zeros(n, np.float32),
            next(drawn) if c.returning.enabled else np.ones(n, np.float32),
            next(drawn) if c.session.enabled else None,
        )

    def _live_on(self, effects: "_MoodEffects", luck: FloatArray, s: UserState) -> BoolArray | None:
        """Time passes until the next slate; whose session is over, ``(R,)``, or None: all are."""
        c, over = self.world.config, None
        if c.returning.enabled:
            gap = dynamics.days_until_return(effects.returning, luck[:, 0, 1])
        else:
            gap = np.ones(len(s.mood), np.float32)
        if effects.staying is not None:
            over = luck[:, 1, 0] >= effects.staying
            gap *= over
        if c.satiation.enabled:
            s.per_topic[:, LOAD] *= dynamics.decay(gap, c.satiation.half_life)[:, None]
        s.clock += gap.astype(np.int32)
        s.day = s.day + gap
        s.days_away = gap
        randomness.next_visit(s.visit_key)
        return over

    def _dwell(self, reaction: FloatArray, keys: randomness.Keys) -> FloatArray | None:
        """Minutes on what was clicked, ``(R, k)``; None where dwell is not simulated."""
        c = self.world.config.dwell
        if not c.enabled:
            return None
        noise = randomness.normals(randomness.derive(keys, _DWELL))
        minutes = dynamics.dwell_minutes(reaction[:, 1], noise, c.minutes, c.gain, c.spread)
        return np.minimum(minutes, np.float32(c.length)) * reaction[:, 0]

    def _probabilities(self, columns: IntArray) -> tuple[FloatArray, FloatArray]:
        """Of clicks, and mean satisfaction, of a slate shown now, both ``(U, k)``."""
        self._require_slates(columns)
        slate = self._look_at(None, columns, self._state, self._traits, keep=False)
        return self._choice.clicks(slate.odds[0], slate.attraction), slate.worth

    def _require_slates(self, columns: IntArray) -> None:
        k = self.world.config.slate_size
        if columns.shape != (len(self), k):
            raise InvalidValue(
                f"slates of shape {columns.shape} for {len(self)} users and k={k}",
                field="columns",
                mend="Give each user one row of slate_size distinct columns.",
            )


class _Slate(NamedTuple):
    """What is shown, and how it appeals: ``odds`` are log-odds of ``attraction`` and ``worth``."""

    items: IntArray
    topics: FloatArray | None
    cells: IntArray | None
    tired: FloatArray | None
    odds: FloatArray
    attraction: FloatArray
    worth: FloatArray


class _MoodEffects(NamedTuple):
    leaving: FloatArray
    returning: FloatArray
    staying: FloatArray | None


def privileged_names(world: World) -> tuple[str, ...]:
    """Names of the columns of ``UserPopulation.privileged``, in order."""
    topics = world.catalogue.topic_names
    return (
        *(f"load:{t}" for t in topics),
        *(f"drift:{t}" for t in topics),
        *("mood", "day", "days_away", "mean_fatigue"),
        *(f"log_sensitivity:{name}" for name in _SENSITIVITIES),
    )


def _traits(world: Truth) -> Traits:
    """How strongly each user reacts: the world's strengths times the user's factors."""
    c, s = world.config, world.sensitivities
    slopes = [
        -s.leaving * np.float32(c.leaving.sensitivity) if c.leaving.enabled else None,
        s.returning * np.float32(c.returning.sensitivity) if c.returning.enabled else None,
        s.returning * np.float32(c.session.sensitivity) if c.session.enabled else None,
    ]
    own = [slope for slope in slopes if slope is not None]
    return Traits(
        satiation=s.satiation * np.float32(c.satiation.strength),
        fatigue=s.fatigue[:, None],
        drift_rate=np.minimum(s.drift * np.float32(c.drift.rate * c.drift.enabled), np.float32(1)),
        mood_slopes=np.stack(own) if own else np.zeros((0, len(world)), np.float32),
        interest=None if world.interest is None else pad_topics(world.interest),
    )


def _mood_bases(config: WorldConfig) -> FloatArray:
    """Log-odds at the reference mood of what mood decides, shape ``(n, 1)``."""
    rates = [
        config.leaving.base_rate if config.leaving.enabled else None,
        1.0 / config.returning.mean_days if config.returning.enabled else None,
        1.0 - 1.0 / config.session.mean_slates if config.session.enabled else None,
    ]
    return dynamics.log_odds(np.array([rate for rate in rates if rate is not None]))[:, None]


def _repeats(users: IntArray) -> tuple[IntArray, int]:
    """Which repetition of its user each row is, from 0, and the largest number of rows per user."""
    order = np.argsort(users, kind="stable")
    ranked = users[order]
    first = np.searchsorted(ranked, ranked, side="left")
    repeat = np.empty(len(users), np.int64)
    repeat[order] = np.arange(len(users)) - first
    return repeat, int(repeat.max(initial=0)) + 1
