"""The compiled engine: hands the users' arrays to ``compiled.visit``."""

import numpy as np
import scipy.sparse as sp

from ..arrays import BoolArray, FloatArray, IntArray
from . import compiled, dynamics, randomness
from .choice import discount
from .config import WorldConfig
from .factor_world import Factors
from .item_memory import DenseMemory, ItemMemory, SparseMemory
from .numpy_engine import VISIT_COUNTERS
from .users import LEAVING, RETURNING, STAYING, Lives, Reaction, mood_bases
from .world import Tables, Truth


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
        self._strengths = _strengths(self._config)
        self._n_keys = self._config.slate_size if self._config.dwell.enabled else 0

    def visit(self, rows: IntArray | None, columns: IntArray, blank: BoolArray | None) -> Reaction:
        """See ``Engine``."""
        lives = self._lives
        rows = self._everyone if rows is None else rows
        n, k = columns.shape
        if isinstance(lives.memory, SparseMemory):
            lives.memory.make_room(k)
        click, looks, worth, satisfaction = np.empty((4, n, k), np.float32)
        engagement, leaving, returning = np.empty((3, n), np.float32)
        left, over = np.empty((2, n), np.bool_)
        clicks = np.empty((n, k), np.bool_)
        keys = np.empty((n if self._n_keys else 0, k), np.uint64)
        out = compiled.Out(
            keys,
            clicks,
            click,
            looks,
            worth,
            satisfaction,
            engagement,
            leaving,
            returning,
            left,
            over,
        )
        compiled.visit(
            rows,
            columns,
            blank if blank is not None else _NO_BLANK,
            self._items,
            _memory(lives.memory),
            _state(lives),
            self._strengths,
            out,
        )
        return Reaction(
            clicks,
            click,
            looks,
            worth,
            satisfaction,
            engagement,
            left,
            over,
            leaving,
            returning,
            keys if self._n_keys else None,
        )


_NO_BLANK = np.zeros((0, 0), np.bool_)


def _items(lives: Lives) -> compiled.Items:
    world: Truth = lives.world
    shares = sp.csr_matrix(world.topics)
    at_rest = lives.at_rest
    factors = isinstance(at_rest, Factors)
    if factors:
        item_of, pairs = np.zeros(0, np.int32), at_rest.bias
        hidden, luck = at_rest.hidden.ravel(), at_rest.luck.ravel()
    else:
        assert isinstance(at_rest, Tables)
        item_of, pairs = at_rest.item_of.astype(np.int32), at_rest.pairs
        hidden, luck = np.zeros(2, np.float32), np.zeros(0, np.uint64)
    return compiled.Items(
        factors=factors,
        columns=world.n_candidates,
        item_of=item_of,
        pairs=pairs.view(np.float32),
        hidden=hidden,
        hidden_luck=luck,
        topic_start=shares.indptr.astype(np.int64),
        topic_of=shares.indices.astype(np.int64),
        topic_share=shares.data.astype(np.float32),
        usual=world.usual_topics.astype(np.float32),
        salts=randomness.salts(np.arange(len(world.topics))),
        visit_salts=randomness.salts(VISIT_COUNTERS),
    )


def _memory(memory: ItemMemory) -> compiled.Memory:
    if isinstance(memory, SparseMemory):
        cells, slots, keys, used = memory.values, memory.slots, memory.keys, memory.used
    else:
        assert isinstance(memory, DenseMemory)
        cells, slots, keys, used = memory, 0, _NO_KEYS, _NO_USE
    return compiled.Memory(
        cells.n_columns,
        slots,
        keys,
        used,
        cells.cells.view(np.float32),
        cells.cells.view(np.int32),
        cells.fading,
    )


_NO_KEYS, _NO_USE = np.zeros(0, np.int32), np.zeros(0, np.int64)
_NO_INTEREST = np.zeros((0, 2, 0), np.float32)


def _state(lives: Lives) -> compiled.State:
    s, t = lives.state, lives.traits
    return compiled.State(
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


def _strengths(c: WorldConfig) -> compiled.Strengths:
    models = {"position": compiled.POSITION, "cascade": compiled.CASCADE, "logit": compiled.LOGIT}
    days = np.arange(c.horizon_days + 1, dtype=np.float32)
    half_life: float = c.satiation.half_life
    fading: FloatArray = dynamics.decay(days, half_life)
    return compiled.Strengths(
        choice=models[c.choice.model],
        looks=discount(c.slate_size, c.choice.position_bias),
        after_click=np.float32(c.choice.continue_after_click),
        after_skip=np.float32(c.choice.continue_after_skip),
        no_click=np.float32(c.choice.no_click),
        satiates=c.satiation.enabled,
        tires=c.fatigue.enabled,
        drifts=c.drift.enabled,
        threshold=np.float32(c.satiation.threshold),
        on_satisfaction=np.float32(c.satiation.on_satisfaction),
        gain=np.float32(c.drift.gain),
        per_showing=np.float32(c.fatigue.per_showing),
        per_click=np.float32(c.fatigue.per_click),
        load_fading=fading,
        noise=np.float32(c.satisfaction.noise),
        memory=np.float32(c.satisfaction.memory),
        reference=np.float32(c.satisfaction.reference),
        mood_base=mood_bases(c),
        leaving=LEAVING if c.leaving.enabled else -1,
        returning=RETURNING if c.returning.enabled else -1,
        staying=STAYING if c.session.enabled else -1,
    )
