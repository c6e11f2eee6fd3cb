"""The engine: many users at once, each visit one slate, all state in flat float32 arrays."""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from ..rerankers.state import SlateFeedback
from . import dynamics, randomness
from .world import World

_SENSITIVITIES = ("satiation", "fatigue", "drift", "leaving", "returning")


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What one visit of each user brought. Rows of users who are gone hold zeros and False.

    Attributes:
        feedback: What a platform could log.
        engagement: Sum of satisfaction over the clicks, shape ``(U,)``.
        expected_engagement: Its expectation given the slate and the state, shape ``(U,)``.
        active: Users who were there to see a slate, shape ``(U,)``.
        left: Users who left for good after this visit (termination), shape ``(U,)``.
        ended: Users whose next visit falls beyond the horizon (truncation), shape ``(U,)``.
        day: Day of this visit, from 0, shape ``(U,)``.
        next_day: Day of the next visit, had the user not left, shape ``(U,)``.
        leaving_probability: With which ``left`` was drawn, shape ``(U,)``; 0 where nobody leaves.
        return_hazard: Daily probability of coming back, with which the day of the next visit was
            drawn, shape ``(U,)``; 1 where everybody comes back the next day.
    """

    feedback: SlateFeedback
    engagement: FloatArray
    expected_engagement: FloatArray
    active: BoolArray
    left: BoolArray
    ended: BoolArray
    day: FloatArray
    next_day: FloatArray
    leaving_probability: FloatArray
    return_hazard: FloatArray


@dataclass(frozen=True, slots=True)
class _Reaction:
    """A slate's click probabilities and mean satisfactions, and what they were made from."""

    cells: IntArray
    items: IntArray
    topics: FloatArray
    click: FloatArray
    satisfaction: FloatArray


class UserPopulation:
    """Simulated users, stepped together.

    All luck is a function of (seed, user, episode, visit, item), so it is the same in any batch and
    under any policy. A user may stand in several rows: of ``R`` rows, the r-th lives through the
    user's episodes r, r + R, r + 2R and so on; or they are twins, who have the same luck.

    Args:
        world: The truth.
        seed: Root of the choice and visit streams.
        rows: Rows of the world, repeats allowed, shape ``(U,)``; all once by default.
        twins: Rows of one user have the same luck, so that policies can be compared on it.

    Attributes:
        day: Day of the coming visit, shape ``(U,)``.
        days_away: Days between the last visit and the coming one, shape ``(U,)``; 0 at first.
        alive: Users that still come, shape ``(U,)``.
        mood: Running satisfaction, shape ``(U,)``.
        load: Recent clicks per topic, shape ``(U, T)``.
        drift: Interest relative to the start, shape ``(U, T)``.
        fatigue: Log-odds lost per candidate, before sensitivity, shape ``(U, N)``.
    """

    def __init__(
        self, world: World, seed: int = 0, rows: IntArray | None = None, twins: bool = False
    ) -> None:
        self.world = world if rows is None else world.take(rows)
        n, config = len(self.world), world.config
        self._examination = dynamics.examination(config.slate_size, config.choice.position_bias)
        self._choice_root = randomness.stream_keys(seed, randomness.CHOICES, self.world.users)
        self._visit_root = randomness.stream_keys(seed, randomness.VISITS, self.world.users)
        self._repeat, self._repeats = np.zeros(n, np.int64), 1
        if not twins:
            self._repeat, self._repeats = _repeats(self.world.users)
        s, c = self.world.sensitivities, config
        self._satiation = s.satiation * np.float32(c.satiation.strength)
        self._drift_rate = np.minimum(s.drift * np.float32(c.drift.rate), np.float32(1.0))
        self._leaving = s.leaving * np.float32(c.leaving.sensitivity)
        self._returning = s.returning * np.float32(c.returning.sensitivity)
        self._offset = (np.arange(n) * self.world.n_candidates)[:, None]
        self._items = np.maximum(self.world.pools.items, 0).ravel()
        self._appeal, self._worth = self.world.appeal.ravel(), self.world.worth.ravel()
        self._episode = np.full(n, -1, np.int64)
        self._visit = np.zeros(n, np.int64)
        self.day = np.zeros(n, np.float32)
        self.days_away = np.zeros(n, np.float32)
        self.alive = np.zeros(n, np.bool_)
        self.mood = np.zeros(n, np.float32)
        self.load = np.zeros((n, self.world.n_topics), np.float32)
        self.drift = np.zeros((n, self.world.n_topics), np.float32)
        self.fatigue = np.zeros((n, self.world.n_candidates), np.float32)
        self.reset()

    def __len__(self) -> int:
        return len(self.world)

    def reset(self, rows: IntArray | BoolArray | None = None) -> None:
        """Start the next episode of the given rows (of all by default), with new luck."""
        at = slice(None) if rows is None else rows
        self._episode[at] += 1
        self._visit[at] = 0
        self.day[at] = 0.0
        self.days_away[at] = 0.0
        self.alive[at] = True
        self.mood[at] = self.world.config.satisfaction.reference
        self.load[at] = 0.0
        self.drift[at] = 0.0
        self.fatigue[at] = 0.0

    def step(self, columns: IntArray) -> StepOutcome:
        """Show each user one slate.

        Args:
            columns: Pool columns, distinct within a row, top position first, shape ``(U, k)``.

        Raises:
            InvalidValue: ``columns`` has another shape than ``(U, slate_size)``.
        """
        reaction = self._react(columns)
        visit_keys = self._visit_keys()
        clicks, satisfaction = self._choose(reaction, visit_keys)
        gained = satisfaction.sum(axis=1)
        expected = np.einsum("uk,uk->u", reaction.click, reaction.satisfaction)
        feedback = SlateFeedback(
            columns, clicks, np.where(clicks, satisfaction, np.float32(np.nan)), self.days_away
        )
        active, day = self.alive, self.day
        self._remember(reaction, clicks, satisfaction)
        leaving, hazard = self._mood_effects()
        left, gap = self._leave_or_return(visit_keys[1], leaving, hazard)
        self._pass_time(gap)
        next_day = self.day.copy()  # `reset` writes into `day`
        ended = active & ~left & (next_day >= self.world.config.horizon_days)
        left &= active
        self.alive = active & ~left & ~ended
        return StepOutcome(
            feedback, gained, expected, active, left, ended, day, next_day, leaving, hazard
        )

    def expected_engagement(self, columns: IntArray) -> FloatArray:
        """Expected satisfaction-weighted clicks of a slate now, without showing it, ``(U,)``."""
        reaction = self._react(columns)
        return np.einsum("uk,uk->u", reaction.click, reaction.satisfaction)

    def click_probabilities(self, columns: IntArray) -> FloatArray:
        """Probability of a click at each position of a slate shown now, shape ``(U, k)``."""
        return self._react(columns).click

    def privileged(self) -> FloatArray:
        """Latent state that a critic may see and a policy may not, shape ``(U, L)``, float32."""
        s, horizon = self.world.sensitivities, self.world.config.horizon_days
        scalars = [self.mood, self.day / horizon, self.days_away / horizon, self.fatigue.mean(1)]
        scalars += [np.log(getattr(s, name)) for name in _SENSITIVITIES]
        return np.concatenate([self.load, self.drift, np.stack(scalars, 1)], 1, dtype=np.float32)

    def take(self, rows: IntArray) -> "UserPopulation":
        """A copy of some rows in mid-flight, with the state and the luck they have."""
        copy = object.__new__(UserPopulation)
        copy.__dict__.update(self.__dict__)
        copy.world = self.world.take(rows)
        copy._offset = (np.arange(len(rows)) * self.world.n_candidates)[:, None]
        copy._items = np.maximum(copy.world.pools.items, 0).ravel()
        copy._appeal, copy._worth = copy.world.appeal.ravel(), copy.world.worth.ravel()
        for name in _PER_ROW:
            setattr(copy, name, getattr(self, name)[rows])
        return copy

    def _react(self, columns: IntArray) -> _Reaction:
        """Log-odds at rest, moved by satiation, drift and fatigue, through the choice model."""
        c = self.world.config
        if columns.shape != (len(self), c.slate_size):
            raise InvalidValue(
                f"slates of shape {columns.shape} for {len(self)} users and k={c.slate_size}",
                field="columns",
            )
        cells = columns + self._offset
        items = self._items.take(cells)
        topics = self.world.topics.take(items, axis=0)
        appeal, worth = self._appeal.take(cells), self._worth.take(cells)
        if c.satiation.enabled:
            lost = dynamics.satiation(self.load, self._satiation, c.satiation.threshold)
            lost = dynamics.topic_effect(lost, topics)
            appeal -= lost
            worth -= lost * np.float32(c.satiation.on_satisfaction)
        if c.drift.enabled:
            moved = dynamics.topic_effect(self.drift, topics)
            moved *= np.float32(c.drift.gain)
            appeal += moved
            worth += moved
        if c.fatigue.enabled:
            sensitivity = self.world.sensitivities.fatigue[:, None]
            appeal -= self.fatigue.ravel().take(cells) * sensitivity
        click = dynamics.sigmoid(appeal)
        click *= self._examination
        return _Reaction(cells, items, topics, click, dynamics.sigmoid(worth))

    def _visit_keys(self) -> tuple[randomness.Keys, randomness.Keys]:
        """Keys of this visit: choices, then leaving and returning."""
        episode = self._episode * self._repeats + self._repeat
        counter = (episode << 20) + self._visit
        return (
            randomness.derive(self._choice_root, counter),
            randomness.derive(self._visit_root, counter),
        )

    def _choose(
        self, reaction: _Reaction, visit_keys: tuple[randomness.Keys, randomness.Keys]
    ) -> tuple[BoolArray, FloatArray]:
        """Clicks, and satisfaction with them (0 where not clicked), both ``(U, k)``."""
        keys = randomness.derive(visit_keys[0][:, None], reaction.items)
        clicks = randomness.uniforms(keys) < reaction.click
        clicks &= self.alive[:, None]
        satisfaction = dynamics.noisy_satisfaction(
            reaction.satisfaction,
            randomness.second_uniforms(keys),
            self.world.config.satisfaction.noise,
        )
        satisfaction *= clicks
        return clicks, satisfaction

    def _remember(self, reaction: _Reaction, clicks: BoolArray, satisfaction: FloatArray) -> None:
        """What a visit leaves behind: satiation, fatigue, drift and mood."""
        c = self.world.config
        if c.satiation.enabled:
            self.load += dynamics.consumed_topics(clicks.astype(np.float32), reaction.topics)
        if c.fatigue.enabled:
            add = clicks * np.float32(c.fatigue.per_click) + np.float32(c.fatigue.per_showing)
            fatigue = self.fatigue.ravel()
            fatigue[reaction.cells] = fatigue.take(reaction.cells) + add
        if c.drift.enabled:
            enjoyed = dynamics.consumed_topics(satisfaction, reaction.topics)
            usual = self.world.usual_topics
            self.drift = dynamics.drifted(self.drift, enjoyed, usual, self._drift_rate)
        felt = dynamics.experience(satisfaction, clicks)
        self.mood = self.mood + np.float32(c.satisfaction.memory) * (felt - self.mood)

    def _mood_effects(self) -> tuple[FloatArray, FloatArray]:
        """Probability of leaving now, and of coming back each day, both ``(U,)``."""
        c, reference = self.world.config, self.world.config.satisfaction.reference
        leaving = np.zeros(len(self), np.float32)
        hazard = np.ones(len(self), np.float32)
        if c.leaving.enabled:
            leaving = dynamics.leaving_probability(
                self.mood, c.leaving.base_rate, self._leaving, reference
            )
        if c.returning.enabled:
            hazard = dynamics.return_hazard(
                self.mood, c.returning.mean_days, self._returning, reference
            )
        return leaving, hazard

    def _leave_or_return(
        self, keys: randomness.Keys, leaving: FloatArray, hazard: FloatArray
    ) -> tuple[BoolArray, FloatArray]:
        """Who leaves for good, and in how many days the others come back, both ``(U,)``."""
        left = randomness.uniforms(keys) < leaving
        gap = np.ones(len(self), np.float32)
        if self.world.config.returning.enabled:
            gap = dynamics.days_until_return(hazard, randomness.second_uniforms(keys))
        return left, gap

    def _pass_time(self, gap: FloatArray) -> None:
        """Days pass until the next visit: satiation and fatigue fade."""
        c = self.world.config
        if c.satiation.enabled:
            self.load *= dynamics.decay(gap, c.satiation.half_life)[:, None]
        if c.fatigue.enabled:
            self.fatigue *= dynamics.decay(gap, c.fatigue.half_life)[:, None]
        self.day = self.day + gap
        self.days_away = gap
        self._visit += 1


_PER_ROW = (
    *("_choice_root", "_visit_root", "_repeat", "_satiation", "_drift_rate", "_leaving"),
    *("_returning", "_episode", "_visit", "day", "days_away", "alive", "mood", "load", "drift"),
    "fatigue",
)


def privileged_names(world: World) -> tuple[str, ...]:
    """Names of the columns of ``UserPopulation.privileged``, in order."""
    topics = world.catalogue.topic_names
    return (
        *(f"load:{t}" for t in topics),
        *(f"drift:{t}" for t in topics),
        *("mood", "day", "days_away", "mean_fatigue"),
        *(f"log_sensitivity:{name}" for name in _SENSITIVITIES),
    )


def _repeats(users: IntArray) -> tuple[IntArray, int]:
    """Which repetition of its user each row is, from 0, and the largest number of rows per user."""
    order = np.argsort(users, kind="stable")
    ranked = users[order]
    first = np.searchsorted(ranked, ranked, side="left")
    repeat = np.empty(len(users), np.int64)
    repeat[order] = np.arange(len(users)) - first
    return repeat, int(repeat.max(initial=0)) + 1
