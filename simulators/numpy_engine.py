"""One visit of many users in vectorised numpy: the path that needs nothing else."""

from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from . import arguments, dynamics, randomness
from .choice import make_choice
from .users import DRIFT, LOAD, Lives, Reaction, Traits, UserState, mood_bases, pad_topics

VISIT_COUNTERS = np.array([2**40, 2**40 + 1])
"""What else draws luck at a visit, beside items: leaving and returning, then the session's end."""


class NumpyEngine:
    """Moves users on by one visit.

    Args:
        lives: The users, whose state is written.
    """

    name = "numpy"

    def __init__(self, lives: Lives) -> None:
        self._lives = lives
        world = lives.world
        c = world.config
        self._config = c
        self._choice = make_choice(c.choice, c.slate_size)
        self._at_rest = lives.at_rest
        self._topics_matter = c.satiation.enabled or c.drift.enabled or world.interest is not None
        self._topics = pad_topics(world.topics)
        self._usual = pad_topics(world.usual_topics)
        self._salts = randomness.salts(np.arange(len(world.topics)))
        self._mood_bases = mood_bases(c)
        self._visit_salts = randomness.salts(VISIT_COUNTERS)

    def visit(self, rows: IntArray | None, columns: IntArray, blank: BoolArray | None) -> Reaction:
        """See ``Engine``."""
        lives = self._lives
        arguments.require_columns(columns, lives.world.n_candidates)
        arguments.require_distinct(columns)
        if rows is None:
            return self._visit(None, columns, lives.state, lives.traits, blank)
        state = lives.state.take(rows)
        reaction = self._visit(rows, columns, state, lives.traits.take(rows), blank)
        lives.state.put(rows, state)
        return reaction

    def odds(self, columns: IntArray) -> FloatArray:
        """Log-odds now of a click once examined, and of satisfaction, ``(2, U, n)``."""
        return self._look_now(columns).odds

    def probabilities(self, columns: IntArray) -> tuple[FloatArray, FloatArray]:
        """Of clicks, and mean satisfaction, of a slate shown now, both ``(U, k)``."""
        slate = self._look_now(columns)
        return self._choice.clicks(slate.odds[0], slate.attraction), slate.worth

    def _look_now(self, columns: IntArray) -> "_Slate":
        """What all users would be shown, without a trace."""
        lives = self._lives
        arguments.require_columns(columns, lives.world.n_candidates)
        return self._look_at(None, columns, lives.state, lives.traits, keep=False)

    def _visit(
        self,
        rows: IntArray | None,
        columns: IntArray,
        s: UserState,
        traits: Traits,
        blank: BoolArray | None,
    ) -> Reaction:
        """One slate for each of the rows; ``s`` is theirs, and is moved on in place."""
        slate = self._look_at(rows, columns, s, traits, keep=True)
        if blank is not None:
            slate.odds[0][blank], slate.attraction[blank] = -np.inf, 0.0
        click = self._choice.clicks(slate.odds[0], slate.attraction)
        keys, luck = self._luck(slate.items, s)
        k = columns.shape[1]
        clicks = self._choice.draw(
            slate.odds[0], slate.attraction, click, luck[:, :k, 0], keys[:, :k], keys[:, k]
        )
        reaction = np.empty((len(columns), 2, k), np.float32)  # clicks, satisfaction
        reaction[:, 0] = clicks
        noise = self._config.satisfaction.noise
        drawn = dynamics.noisy_satisfaction(slate.worth, luck[:, :k, 1], noise)
        np.multiply(drawn, clicks, out=reaction[:, 1])
        sums = np.add.reduce(reaction, 2)
        self._remember(slate, reaction, sums, s, traits, blank)
        effects = self._mood_effects(s, traits)
        day, away = s.day.copy(), s.days_away.copy()
        over = self._live_on(effects, luck[:, k:], s)
        left = luck[:, k, 0] < effects.leaving
        if over is None:
            over = np.ones(len(columns), np.bool_)
        else:
            left &= over
        ended = (s.day >= self._config.horizon_days) > left  # and not left
        s.alive[:] = ~(left | ended)
        return Reaction(
            clicks,
            click,
            self._choice.examination(slate.attraction),
            slate.worth,
            reaction[:, 1],
            sums[:, 1],
            left,
            ended,
            over,
            day,
            s.day.copy(),
            away,
            effects.leaving,
            effects.returning,
            keys[: len(keys) if self._config.dwell.enabled else 0, :k],
        )

    def _look_at(
        self, rows: IntArray | None, columns: IntArray, s: UserState, traits: Traits, keep: bool
    ) -> "_Slate":
        """Log-odds at rest, moved by satiation, drift and fatigue."""
        at_rest, config = self._at_rest, self._config
        items = at_rest.items(rows, columns)
        odds = at_rest.log_odds(rows, columns, items)
        topics = cells = tired = None
        if self._topics_matter:
            topics = self._topics.take(items, axis=0)
            shift = self._topic_shift(s, traits)
            odds = odds + dynamics.topic_effects(shift, topics).transpose(1, 0, 2)
        if config.fatigue.enabled:
            cells = self._lives.memory.locate(rows, columns, keep)
            tired = self._lives.memory.read(cells, s.clock)
            odds[0] -= tired * traits.fatigue
        likely = dynamics.sigmoid(odds)
        return _Slate(items, topics, cells, tired, odds, likely[0], likely[1])

    def _topic_shift(self, s: UserState, traits: Traits) -> FloatArray:
        """Log-odds by topic that lasting interest, drift and satiation add, ``(R, 2, Tp)``."""
        c = self._config
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
        c = self._config
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
            shown = np.float32(c.fatigue.per_showing)
            amounts += shown if blank is None else shown * ~blank
            self._lives.memory.write(slate.cells, s.clock, amounts)
        felt = dynamics.experience(sums[:, 1], sums[:, 0])
        felt -= s.mood
        felt *= np.float32(c.satisfaction.memory)
        s.mood += felt

    def _mood_effects(self, s: UserState, traits: Traits) -> "_MoodEffects":
        """Probabilities of leaving now, of coming back each day, and of another slate, ``(R,)``."""
        c, n = self._config, len(s.mood)
        reference = c.satisfaction.reference
        odds = dynamics.mood_odds(s.mood, reference, self._mood_bases, traits.mood_slopes)
        leaving, returning, staying = odds
        return _MoodEffects(
            leaving if c.leaving.enabled else np.zeros(n, np.float32),
            returning if c.returning.enabled else np.ones(n, np.float32),
            staying if c.session.enabled else None,
        )

    def _live_on(self, effects: "_MoodEffects", luck: FloatArray, s: UserState) -> BoolArray | None:
        """Time passes until the next slate; whose session is over, ``(R,)``, or None: all are."""
        c, over = self._config, None
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
        s.day += gap
        s.days_away[:] = gap
        randomness.next_visit(s.visit_key)
        return over


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
