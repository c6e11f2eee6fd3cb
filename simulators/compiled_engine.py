"""The compiled engine: lays the users' arrays out and hands them to ``compiled.visit``."""

from typing import Any, NamedTuple

import numpy as np
from numpy import empty
from numpy.typing import NDArray

from ..arrays import BoolArray, FloatArray, IntArray
from . import arguments, compiled, dynamics, randomness
from .choice import discount
from .factor_world import Factors
from .item_memory import DenseMemory, ItemMemory, SparseMemory
from .numpy_engine import VISIT_COUNTERS
from .randomness import Keys
from .users import LEAVING, RETURNING, STAYING, Lives, Reaction, mood_bases
from .world import Tables


class Items(NamedTuple):
    """What is looked up, laid out so that an item costs one access to memory, or two.

    Attributes:
        table: Where columns are of pools: appeal, worth and item of each user's columns, four
            numbers each; the item is read from ``table_items``, the same memory as integers.
        table_items: See ``table``.
        traits: ``width`` numbers per item: appeal and worth, then pairs of a topic and its share.
            Topics are read from ``trait_topics``, the same memory as integers.
        trait_topics: See ``traits``.
        hidden: Standard deviations of the hidden taste, shape ``(2,)``.
        hidden_luck: Key of each user's hidden taste.
        usual: Topic shares of the data.
        visit_salts: Of what else draws luck at a visit.
    """

    table: FloatArray
    table_items: IntArray
    traits: FloatArray
    trait_topics: IntArray
    hidden: FloatArray
    hidden_luck: Keys
    usual: FloatArray
    visit_salts: Keys


class Memory(NamedTuple):
    """The cells of an ``ItemMemory``: amount, day, and in tables the column and a gap.

    Attributes:
        used: Slots taken per user, in tables.
        start: Day on which each user's episode began, in tables.
        amounts: The cells as float32.
        integers: The same memory as int32.
        fading: What is left of an amount after each number of days.
    """

    used: IntArray
    start: IntArray
    amounts: FloatArray
    integers: IntArray
    fading: FloatArray


class State(NamedTuple):
    """``users.UserState`` and ``users.Traits``; all but the traits is written."""

    alive: BoolArray
    day: FloatArray
    clock: IntArray
    days_away: FloatArray
    mood: FloatArray
    per_topic: FloatArray
    visit_key: Keys
    satiation: FloatArray
    fatigue: FloatArray
    drift_rate: FloatArray
    mood_slopes: FloatArray
    interest: FloatArray


class Curves(NamedTuple):
    """Arrays of a ``WorldConfig``: position discount, fading of load by days, mood's bases."""

    discount: FloatArray
    load_fading: FloatArray
    mood_base: FloatArray


class CompiledEngine:
    """Moves users on by one visit.

    Args:
        lives: The users, whose state is written.
    """

    name = "compiled"

    def __init__(self, lives: Lives) -> None:
        self._lives = lives
        self._config = lives.world.config
        self._everyone = np.arange(len(lives.world))
        self._items = _items(lives)
        c = self._config
        days = np.arange(c.horizon_days + 1, dtype=np.float32)
        self._curves = Curves(
            discount(c.slate_size, c.choice.position_bias),
            dynamics.decay(days, c.satiation.half_life),
            mood_bases(c),
        )
        self._pairs = _most_topics(lives.world.topics)
        self._width = len(self._items.traits) // max(len(lives.world.topics), 1)
        self._known: tuple[NDArray[Any], ...] | None = None

    def visit(self, rows: IntArray | None, columns: IntArray, blank: BoolArray | None) -> Reaction:
        """See ``Engine``."""
        lives = self._lives
        # One layout and dtype of everything: numba compiles anew, for seconds, for each other one.
        rows = self._everyone if rows is None else rows.astype(np.intp, copy=False)
        columns = np.ascontiguousarray(columns, np.int64)
        blank = _NO_BLANK if blank is None else np.ascontiguousarray(blank)
        n, k = columns.shape
        if self._config.fatigue.enabled and isinstance(lives.memory, SparseMemory):
            lives.memory.make_room(k)
        shape, n_keys = (n, k), n if self._config.dwell.enabled else 0
        reaction = Reaction(
            clicks=empty(shape, _BOOL),
            click_probability=empty(shape, _FLOAT),
            looks=empty(shape, _FLOAT),
            mean_satisfaction=empty(shape, _FLOAT),
            satisfaction=empty(shape, _FLOAT),
            engagement=empty(n, _FLOAT),
            left=empty(n, _BOOL),
            ended=empty(n, _BOOL),
            session_over=empty(n, _BOOL),
            day=empty(n, _FLOAT),
            next_day=empty(n, _FLOAT),
            days_away=empty(n, _FLOAT),
            leaving_probability=empty(n, _FLOAT),
            return_hazard=empty(n, _FLOAT),
            keys=empty((n_keys, k), np.uint64),
        )
        given: tuple[Any, ...] = (rows, columns, blank, *self._arrays(), *reaction, self._numbers)
        if not compiled.visit(*given):
            arguments.require_columns(columns, lives.world.n_candidates)
            arguments.require_distinct(columns)
        return reaction

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        """What a visit reads and writes in place; other arrays once a table of the memory grew.

        Nobody but this engine moves its users on, and it never replaces an array of their state.
        """
        memory = self._lives.memory
        assert isinstance(memory, DenseMemory)
        if self._known is None or memory.cells is not self._cells:
            self._cells = memory.cells
            self._numbers = _numbers(self._lives, self._width, self._pairs)
            state = _state(self._lives)
            self._known = (*self._items, *_memory(memory), *state, *self._curves)
        return self._known


_FLOAT, _BOOL = np.dtype(np.float32), np.dtype(np.bool_)
_NO_BLANK = np.zeros((0, 0), np.bool_)


def _items(lives: Lives) -> Items:
    world, at_rest = lives.world, lives.at_rest
    table = np.zeros((0, 4), np.float32)
    bias, hidden, luck = None, np.zeros(2, np.float32), np.zeros(0, np.uint64)
    if isinstance(at_rest, Factors):
        bias, hidden = at_rest.bias.view(np.float32).reshape(-1, 2), at_rest.hidden.ravel()
        luck = at_rest.luck.ravel()
    else:
        assert isinstance(at_rest, Tables)
        table = np.zeros((len(at_rest.pairs), 4), np.float32)
        table[:, :2] = at_rest.pairs.view(np.float32).reshape(-1, 2)
        table.view(np.int32)[:, 2] = at_rest.item_of
    traits = _item_traits(world.topics, bias)
    return Items(
        table=table.ravel(),
        table_items=table.view(np.int32).ravel(),
        traits=traits.ravel(),
        trait_topics=traits.view(np.int32).ravel(),
        hidden=hidden,
        hidden_luck=luck,
        usual=world.usual_topics.astype(np.float32),
        visit_salts=randomness.salts(VISIT_COUNTERS),
    )


def _item_traits(topics: FloatArray, bias: FloatArray | None) -> FloatArray:
    """Bias, then topics and their shares, then zeros; a whole number of cache lines per item."""
    item, topic = np.nonzero(topics)
    first = np.searchsorted(item, np.arange(len(topics)))
    rank = np.arange(len(item)) - first[item]
    width = -(-(2 + 2 * _most_topics(topics)) // 16) * 16
    traits = np.zeros((len(topics), width), np.float32)
    traits.view(np.int32)[item, 2 + 2 * rank] = topic
    traits[item, 3 + 2 * rank] = topics[item, topic]
    if bias is not None:
        traits[:, :2] = bias
    return traits


def _most_topics(topics: FloatArray) -> int:
    return int(np.count_nonzero(topics, axis=1).max(initial=0))


def _memory(memory: ItemMemory) -> Memory:
    assert isinstance(memory, DenseMemory)
    sparse = isinstance(memory, SparseMemory)
    return Memory(
        memory.used if sparse else _NO_USE,
        memory.start if sparse else _NO_START,
        memory.cells.view(np.float32),
        memory.cells.view(np.int32),
        memory.fading,
    )


_NO_USE, _NO_START = np.zeros(0, np.int64), np.zeros(0, np.int32)
_NO_INTEREST = np.zeros((0, 2, 0), np.float32)


def _state(lives: Lives) -> State:
    s, t = lives.state, lives.traits
    return State(
        s.alive,
        s.day,
        s.clock,
        s.days_away,
        s.mood,
        s.per_topic,
        s.visit_key,
        t.satiation,
        t.fatigue,
        t.drift_rate,
        t.mood_slopes,
        _NO_INTEREST if t.interest is None else t.interest,
    )


def _numbers(lives: Lives, width: int, pairs: int) -> NDArray[np.void]:
    models = {"position": compiled.POSITION, "cascade": compiled.CASCADE, "logit": compiled.LOGIT}
    memory, c = lives.memory, lives.world.config
    assert isinstance(memory, DenseMemory)
    numbers = compiled.Numbers(
        factors=isinstance(lives.at_rest, Factors),
        columns=lives.world.n_candidates,
        width=width,
        pairs=pairs,
        slots=memory.n_columns,
        step=2 * memory.stride,
        choice=models[c.choice.model],
        after_click=c.choice.continue_after_click,
        after_skip=c.choice.continue_after_skip,
        no_click=c.choice.no_click,
        satiates=c.satiation.enabled,
        tires=c.fatigue.enabled,
        drifts=c.drift.enabled,
        threshold=c.satiation.threshold,
        on_satisfaction=c.satiation.on_satisfaction,
        gain=c.drift.gain,
        per_showing=c.fatigue.per_showing,
        per_click=c.fatigue.per_click,
        noise=c.satisfaction.noise,
        memory=c.satisfaction.memory,
        reference=c.satisfaction.reference,
        horizon=c.horizon_days,
        leaving=LEAVING if c.leaving.enabled else -1,
        returning=RETURNING if c.returning.enabled else -1,
        staying=STAYING if c.session.enabled else -1,
    )
    return np.array([numbers], compiled.RECORD)
