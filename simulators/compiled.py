"""One visit of many users in one pass, compiled: the same equations and luck as the numpy path.

Written for one user at a time, as in the papers, and compiled by numba where it is installed. The
numpy path in ``population`` needs nothing else and is what this one is tested against: the same
luck and the same float32 equations, so that all draws agree but those that fall within rounding
of their probability.
"""

from typing import NamedTuple

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from ..arrays import BoolArray, FloatArray, IntArray
from .randomness import Keys
from .world import NEVER

# Numba reads the functions below as they stand: scalars, loops and no objects.

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SCALE = np.float32(2.0**-24)
_BELL = np.float32((4 * (65536.0**2 - 1) / 12) ** -0.5)
_ONE, _ZERO, _HALF = np.float32(1.0), np.float32(0.0), np.float32(0.5)
_LARGEST, _LEAST = np.float32(80.0), np.float32(1e-6)
_SURE, _SELDOM = np.float32(1.0 - 1e-6), np.float32(1e-7)
_SMALLEST = np.float32(2.0**-25)
_SPREAD = np.uint32(2654435769)
_EMPTY = np.int32(-1)
POSITION, CASCADE, LOGIT = 0, 1, 2


class Items(NamedTuple):
    """What is looked up: ``factors`` tells how columns name items (see ``world.AtRest``)."""

    factors: bool
    columns: int
    item_of: IntArray
    pairs: FloatArray
    hidden: FloatArray
    hidden_luck: Keys
    topic_start: IntArray
    topic_of: IntArray
    topic_share: FloatArray
    usual: FloatArray
    salts: Keys
    visit_salts: Keys


class Memory(NamedTuple):
    """The cells of an ``ItemMemory``: ``slots`` of a table per user, or 0 for a cell per column.

    ``amounts`` and ``days`` are two views of the same cells, at 2c and at 2c + 1.
    """

    per_user: int
    slots: int
    keys: IntArray
    used: IntArray
    amounts: FloatArray
    days: IntArray
    fading: FloatArray


class State(NamedTuple):
    """``users.UserState`` and ``users.Traits``; all but the traits is written."""

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


class Strengths(NamedTuple):
    """The numbers of a ``WorldConfig``; a mood effect that is off has row -1."""

    choice: int
    looks: FloatArray
    after_click: np.float32
    after_skip: np.float32
    no_click: np.float32
    satiates: bool
    tires: bool
    drifts: bool
    threshold: np.float32
    on_satisfaction: np.float32
    gain: np.float32
    per_showing: np.float32
    per_click: np.float32
    load_fading: FloatArray
    noise: np.float32
    memory: np.float32
    reference: np.float32
    mood_base: FloatArray
    leaving: int
    returning: int
    staying: int


class Out(NamedTuple):
    """Arrays to fill, one row per user in ``rows``; see ``outcome.StepOutcome``."""

    keys: Keys
    clicks: BoolArray
    click: FloatArray
    looks: FloatArray
    worth: FloatArray
    satisfaction: FloatArray
    engagement: FloatArray
    leaving: FloatArray
    returning: FloatArray
    left: BoolArray
    over: BoolArray


@njit(cache=True, inline="always")
def _mix(z):
    z ^= z >> np.uint64(30)
    z *= _FIRST
    z ^= z >> np.uint64(27)
    z *= _SECOND
    return z ^ (z >> np.uint64(31))


@njit(cache=True, inline="always")
def _first(key):
    return np.float32(key >> np.uint64(40)) * _SCALE


@njit(cache=True, inline="always")
def _second(key):
    return np.float32((key >> np.uint64(8)) & np.uint64(0xFFFFFF)) * _SCALE


@njit(cache=True, inline="always")
def _derived(key, counter):
    return _mix((np.uint64(counter) + np.uint64(1)) * _GAMMA + key)


@njit(cache=True, inline="always")
def _sigmoid(x):
    return _ONE / (_ONE + np.exp(min(-x, _LARGEST)))


@njit(cache=True, inline="always")
def _bell(key):
    mask = np.uint64(0xFFFF)
    total = np.int64(key & mask) + np.int64((key >> np.uint64(16)) & mask)
    total += np.int64((key >> np.uint64(32)) & mask) + np.int64(key >> np.uint64(48))
    return np.float32(total - 2 * 65535) * _BELL


@njit(cache=True, inline="always")
def _gumbel(u):
    return -np.log(-np.log(min(max(u, _SMALLEST), _ONE - _SMALLEST * np.float32(2.0))))


@njit(cache=True)
def _slot(keys, used, slots, row, column):
    """Where a user's amount of a column is in their table; the slot is taken if it was free."""
    shift, size = np.uint32(32), slots
    while size > 1:
        shift -= np.uint32(1)
        size >>= 1
    slot = np.int64(np.uint32(np.uint32(column) * _SPREAD) >> shift)
    base = row * slots
    while keys[base + slot] != column:
        if keys[base + slot] == _EMPTY:
            keys[base + slot] = column
            used[row] += 1
            break
        slot = (slot + 1) & (slots - 1)
    return base + slot


@njit(cache=True, inline="always")
def _choose(c, i, k, odds, attraction, keys, end, out):
    """Exact probabilities of looking and clicking, and clicks drawn from them; see ``choice``."""
    if c.choice == POSITION:
        for j in range(k):
            out.looks[i, j] = c.looks[j]
            out.click[i, j] = attraction[j] * c.looks[j]
            out.clicks[i, j] = _first(keys[j]) < out.click[i, j]
    elif c.choice == CASCADE:
        reach, reads = _ONE, True
        for j in range(k):
            out.looks[i, j] = reach
            out.click[i, j] = attraction[j] * reach
            would = _first(keys[j]) < attraction[j]
            out.clicks[i, j] = would and reads
            patience = _first(_derived(keys[j], 0))
            reads = reads and patience < (c.after_click if would else c.after_skip)
            reach *= c.after_skip + (c.after_click - c.after_skip) * attraction[j]
    else:
        largest, best, at = c.no_click, np.float32(-np.inf), 0
        for j in range(k):
            utility = odds[j] + np.log(c.looks[j])
            out.click[i, j] = utility
            largest = max(largest, utility)
            noisy = utility + _gumbel(_first(keys[j]))
            if noisy > best:
                best, at = noisy, j
        total = np.exp(c.no_click - largest)
        for j in range(k):
            out.looks[i, j], out.clicks[i, j] = _ONE, False
            out.click[i, j] = np.exp(out.click[i, j] - largest)
            total += out.click[i, j]
        for j in range(k):
            out.click[i, j] /= total
        out.clicks[i, at] = best > c.no_click + _gumbel(_first(_derived(end, 1)))


@njit(cache=True, error_model="numpy")
def visit(rows, columns, blank, items, memory, s, c, out):
    """Show each of ``rows`` (R,) its row of ``columns`` (R, k), move ``s`` on, and fill ``out``.

    ``blank`` (R, k) are positions that show nothing; of shape (0, 0) where there are none.
    """
    k, n_topics = columns.shape[1], len(items.usual)
    appeal, attraction = np.empty(k, np.float32), np.empty(k, np.float32)
    worth = np.empty(k, np.float32)
    cells, tired = np.empty(k, np.int64), np.zeros(k, np.float32)
    shown = np.empty(k, np.int64)
    shift = np.empty((2, n_topics), np.float32)
    enjoyed = np.empty(n_topics, np.float32)
    keys = np.empty(k, np.uint64)
    gone, n_rows = len(memory.fading) - 1, len(rows)
    for i in range(n_rows):
        r = rows[i]
        # Log-odds by topic that lasting interest, drift and satiation add.
        for t in range(n_topics):
            moved = s.per_topic[r, 1, t] * c.gain
            lost = _ZERO
            if c.satiates:
                lost = max(s.per_topic[r, 0, t] - c.threshold, _ZERO) * s.satiation[r]
            shift[0, t] = moved - lost
            shift[1, t] = moved - lost * c.on_satisfaction
            enjoyed[t] = _ZERO
        if len(s.interest):
            for t in range(n_topics):
                shift[0, t] += s.interest[r, 0, t]
                shift[1, t] += s.interest[r, 1, t]
        # Where things are. Nothing here waits for anything else, so that memory can be read ahead.
        for j in range(k):
            column = np.int64(columns[i, j])
            at = column if items.factors else r * items.columns + column
            shown[j] = column if items.factors else np.int64(items.item_of[at])
            appeal[j], worth[j] = items.pairs[2 * at], items.pairs[2 * at + 1]
            if c.tires:
                if memory.slots == 0:
                    cell = r * memory.per_user + column
                else:
                    cell = _slot(memory.keys, memory.used, memory.slots, r, column)
                past = np.int64(s.clock[r] - memory.days[2 * cell + 1])
                tired[j] = memory.amounts[2 * cell] * memory.fading[min(past, gone)]
                cells[j] = cell
        # Log-odds at rest, moved by topics and fatigue; and the luck of each item.
        for j in range(k):
            item, a, w = shown[j], appeal[j], worth[j]
            if items.factors:
                taste = _bell(_derived(items.hidden_luck[r], item))
                a += items.hidden[0] * taste
                w += items.hidden[1] * taste
            by_topic_a, by_topic_w = _ZERO, _ZERO
            for n in range(items.topic_start[item], items.topic_start[item + 1]):
                t, share = items.topic_of[n], items.topic_share[n]
                by_topic_a += shift[0, t] * share
                by_topic_w += shift[1, t] * share
            a += by_topic_a
            w += by_topic_w
            if c.tires:
                a -= tired[j] * s.fatigue[r, 0]
            appeal[j], attraction[j], worth[j] = a, _sigmoid(a), _sigmoid(w)
            out.worth[i, j] = worth[j]
            if len(blank) and blank[i, j]:
                appeal[j], attraction[j] = NEVER, _ZERO
            keys[j] = _mix(items.salts[item] + s.visit_key[r])
        end = _mix(items.visit_salts[0] + s.visit_key[r])
        _choose(c, i, k, appeal, attraction, keys, end, out)
        # Satisfaction with what was clicked, and what it leaves behind.
        gained, n_clicks, total = _ZERO, _ZERO, _ZERO
        for j in range(k):
            item, mean, drawn = shown[j], worth[j], _ZERO
            if out.clicks[i, j]:
                luck = (_second(keys[j]) * (np.float32(2.0) * c.noise)) - c.noise
                drawn = mean + luck * min(mean, _ONE - mean)
                gained += drawn
                n_clicks += _ONE
                for n in range(items.topic_start[item], items.topic_start[item + 1]):
                    t, share = items.topic_of[n], items.topic_share[n]
                    if c.satiates:
                        s.per_topic[r, 0, t] += share
                    enjoyed[t] += drawn * share
                    total += drawn * share
            out.satisfaction[i, j] = drawn
            if c.tires:
                more = tired[j]
                if not (len(blank) and blank[i, j]):
                    more += c.per_showing
                if out.clicks[i, j]:
                    more += c.per_click
                memory.amounts[2 * cells[j]] = more
                memory.days[2 * cells[j] + 1] = s.clock[r]
            if len(out.keys):
                out.keys[i, j] = keys[j]
        if c.drifts:
            rate = s.drift_rate[r] / max(total, _LEAST)
            for t in range(n_topics):
                drift = s.per_topic[r, 1, t]
                s.per_topic[r, 1, t] += rate * (enjoyed[t] - total * (drift + items.usual[t]))
        s.mood[r] += c.memory * (gained / max(n_clicks, _ONE) - s.mood[r])
        # Another slate, leaving for good, or coming back in some days.
        better = s.mood[r] - c.reference
        leaving, hazard, over, days = _ZERO, _ONE, True, _ONE
        if c.leaving >= 0:
            slope = s.mood_slopes[c.leaving, r]
            leaving = _sigmoid(c.mood_base[c.leaving, 0] + slope * better)
        if c.returning >= 0:
            slope = s.mood_slopes[c.returning, r]
            hazard = _sigmoid(c.mood_base[c.returning, 0] + slope * better)
            survived = np.log(_ONE - _second(end))
            never = np.log1p(-min(hazard, _SURE))
            days = np.floor(survived / min(never, -_SELDOM)) + _ONE
        if c.staying >= 0:
            slope = s.mood_slopes[c.staying, r]
            again = _sigmoid(c.mood_base[c.staying, 0] + slope * better)
            over = _first(_mix(items.visit_salts[1] + s.visit_key[r])) >= again
            if not over:
                days = _ZERO
        if c.satiates:
            faded = c.load_fading[min(np.int64(days), len(c.load_fading) - 1)]
            for t in range(n_topics):
                s.per_topic[r, 0, t] *= faded
        s.clock[r] += np.int32(days)
        s.day[r] += days
        s.days_away[r] = days
        s.visit_key[r] += np.uint64(0xD1342543DE82EF95)
        out.engagement[i] = gained
        out.left[i] = over and _first(end) < leaving
        out.over[i] = over
        out.leaving[i] = leaving
        out.returning[i] = hazard
