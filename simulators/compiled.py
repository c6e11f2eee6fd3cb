"""One visit of many users in one pass, compiled: the same equations and luck as ``numpy_engine``.

Written for one user at a time, as in the papers, and compiled by numba where it is installed. The
numpy engine needs nothing else and is what this one is tested against: the same luck and the same
float32 equations, so that all draws agree but those that fall within rounding of their
probability.
"""

from typing import NamedTuple

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from ..arrays import BoolArray, FloatArray, IntArray
from .choice import SMALLEST
from .dynamics import LARGEST, LEAST, SELDOM, SURE
from .item_memory import SPREAD
from .prefetch import prefetch
from .randomness import BELL_SCALE, FIRST_FACTOR, GAMMA, NEXT_VISIT, SCALE, SECOND_FACTOR, Keys

# Numba reads the functions below as they stand: scalars, loops and no objects. It keeps what it
# compiled until this very file changes: touch it after a change to an imported constant.

_ONE, _ZERO, _TWO = np.float32(1.0), np.float32(0.0), np.float32(2.0)
_INFINITE = np.float32(np.inf)
_FAR = np.float32(2.0**28)  # days, beyond any that can be drawn
_AHEAD = 6  # users between asking for memory and using it
POSITION, CASCADE, LOGIT = 0, 1, 2


class Items(NamedTuple):
    """What is looked up, laid out so that an item costs one access to memory, or two.

    Attributes:
        table: Where columns are of pools: appeal, worth and item of each user's columns, four
            numbers each; the item is read from ``table_items``, the same memory as integers.
        table_items: See ``table``.
        traits: ``width`` numbers per item: appeal and worth, then pairs of a topic and its share.
            Topics are read from ``trait_topics``, the same memory as integers; -1 ends them.
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


class Numbers(NamedTuple):
    """The numbers of a ``WorldConfig`` and of the layouts; a mood effect that is off has row -1.

    ``factors``: whether columns are items. ``width``: numbers per item in ``Items.traits``.
    ``step``: numbers per cell in ``Memory.amounts``, 2, or 4 in tables of ``slots`` per user.
    """

    factors: bool
    columns: int
    width: int
    slots: int
    step: int
    choice: int
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
    noise: np.float32
    memory: np.float32
    reference: np.float32
    leaving: int
    returning: int
    staying: int


class Curves(NamedTuple):
    """Arrays of a ``WorldConfig``: position discount, fading of load by days, mood's bases."""

    discount: FloatArray
    load_fading: FloatArray
    mood_base: FloatArray


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
    z *= FIRST_FACTOR
    z ^= z >> np.uint64(27)
    z *= SECOND_FACTOR
    return z ^ (z >> np.uint64(31))


@njit(cache=True, inline="always")
def _first(key):
    return np.float32(key >> np.uint64(40)) * SCALE


@njit(cache=True, inline="always")
def _second(key):
    return np.float32((key >> np.uint64(8)) & np.uint64(0xFFFFFF)) * SCALE


@njit(cache=True, inline="always")
def _derived(key, counter):
    return _mix((np.uint64(counter) + np.uint64(1)) * GAMMA + key)


@njit(cache=True, inline="always")
def _sigmoid(x):
    return _ONE / (_ONE + np.exp(min(-x, LARGEST)))


@njit(cache=True, inline="always")
def _bell(key):
    mask = np.uint64(0xFFFF)
    total = np.int64(key & mask) + np.int64((key >> np.uint64(16)) & mask)
    total += np.int64((key >> np.uint64(32)) & mask) + np.int64(key >> np.uint64(48))
    return np.float32(total - 2 * 65535) * BELL_SCALE


@njit(cache=True, inline="always")
def _gumbel(u):
    return -np.log(-np.log(min(max(u, SMALLEST), _ONE - SMALLEST * _TWO)))


@njit(cache=True, inline="always")
def _home(column, slots):
    """The slot at which a column's search begins, as in ``item_memory``."""
    mixed = np.uint64(np.uint32(np.uint32(column) * SPREAD))
    return np.int64((mixed * np.uint64(slots)) >> np.uint64(32))


@njit(cache=True)
def _slot(amounts, integers, used, start, slots, row, column):
    """Where a user's amount of a column is in their table; the slot is taken if it was free."""
    slot, base = _home(column, slots), row * slots
    while True:
        cell = 4 * (base + slot)
        if integers[cell + 1] < start[row]:
            amounts[cell], integers[cell + 1], integers[cell + 2] = _ZERO, start[row], column
            used[row] += 1
            return cell
        if integers[cell + 2] == column:
            return cell
        slot = (slot + 1) & (slots - 1)


@njit(cache=True)
def _choose(c, i, odds, attraction, keys, end, discount, click, looks, clicks):
    """Exact probabilities of looking and clicking, and clicks drawn from them; see ``choice``."""
    k = len(keys)
    if c.choice == POSITION:
        for j in range(k):
            looks[i, j] = discount[j]
            click[i, j] = attraction[j] * discount[j]
            clicks[i, j] = _first(keys[j]) < click[i, j]
    elif c.choice == CASCADE:
        reach, reads = _ONE, True
        for j in range(k):
            looks[i, j] = reach
            click[i, j] = attraction[j] * reach
            would = _first(keys[j]) < attraction[j]
            clicks[i, j] = would and reads
            patience = _first(_derived(keys[j], 0))
            reads = reads and patience < (c.after_click if would else c.after_skip)
            reach *= c.after_skip + (c.after_click - c.after_skip) * attraction[j]
    else:
        largest, best, at = c.no_click, -_INFINITE, 0
        for j in range(k):
            utility = odds[j] + np.log(discount[j])
            click[i, j] = utility
            largest = max(largest, utility)
            noisy = utility + _gumbel(_first(keys[j]))
            if noisy > best:
                best, at = noisy, j
        total = np.exp(c.no_click - largest)
        for j in range(k):
            looks[i, j], clicks[i, j] = _ONE, False
            click[i, j] = np.exp(click[i, j] - largest)
            total += click[i, j]
        for j in range(k):
            click[i, j] /= total
        clicks[i, at] = best > c.no_click + _gumbel(_first(_derived(end, 1)))


@njit(cache=True)
def are_slates(columns, seen, stamp):
    """Whether every column exists and none stands twice in a row; in time O(columns).

    ``seen`` (N,) has a number per column, below ``stamp``; row i leaves ``stamp`` + i in its own.
    """
    for i in range(columns.shape[0]):
        for j in range(columns.shape[1]):
            column = columns[i, j]
            if column < 0 or column >= len(seen) or seen[column] == stamp + i:
                return False
            seen[column] = stamp + i
    return True


# Arrays come one by one: numba would count references at every access to a tuple's array.
@njit(cache=True, error_model="numpy")
def visit(
    rows, columns, blank,
    table, table_items, traits, trait_topics, hidden, hidden_luck, usual, visit_salts,
    used, start, amounts, integers, fading,
    day, clock, days_away, mood, per_topic, visit_key,
    satiation, fatigue, drift_rate, mood_slopes, interest,
    discount, load_fading, mood_base,
    out_keys, clicks, click, looks, out_worth, satisfaction, engagement,
    out_leaving, out_returning, out_left, out_over,
    c,
):  # fmt: skip
    """Show each of ``rows`` (R,) its row of ``columns`` (R, k), move the state on, fill ``out``.

    ``blank`` (R, k) are positions that show nothing; of shape (0, 0) where there are none. Then
    come ``Items``, ``Memory``, ``State``, ``Curves`` and ``Out``, and ``c``, which are ``Numbers``.
    """
    k, n_topics = columns.shape[1], len(usual)
    appeal, attraction = np.empty(k, np.float32), np.empty(k, np.float32)
    worth = np.empty(k, np.float32)
    cells, tired = np.empty(k, np.int64), np.zeros(k, np.float32)
    shown = np.empty(k, np.int64)
    shift = np.empty((2, n_topics), np.float32)
    enjoyed = np.empty(n_topics, np.float32)
    keys = np.empty(k, np.uint64)
    gone, n_rows, padded = len(fading) - 1, len(rows), per_topic.shape[2]
    for i in range(n_rows):
        r = rows[i]
        if i + _AHEAD < n_rows:
            ahead = rows[i + _AHEAD]
            for j in range(k):
                column = np.int64(columns[i + _AHEAD, j])
                if c.factors:
                    prefetch(traits, column * c.width)
                else:
                    prefetch(table, 4 * (ahead * c.columns + column))
                if c.step == 2:
                    prefetch(amounts, 2 * (ahead * c.columns + column))
                else:
                    prefetch(amounts, 4 * _home(column, c.slots) + 4 * ahead * c.slots)
            prefetch(per_topic, 2 * ahead * padded)
            prefetch(per_topic, (2 * ahead + 1) * padded)
        # Log-odds by topic that lasting interest, drift and satiation add.
        for t in range(n_topics):
            moved = per_topic[r, 1, t] * c.gain
            lost = _ZERO
            if c.satiates:
                lost = max(per_topic[r, 0, t] - c.threshold, _ZERO) * satiation[r]
            shift[0, t] = moved - lost
            shift[1, t] = moved - lost * c.on_satisfaction
            enjoyed[t] = _ZERO
        if len(interest):
            for t in range(n_topics):
                shift[0, t] += interest[r, 0, t]
                shift[1, t] += interest[r, 1, t]
        # Where things are. Nothing here waits for anything else, so that memory can be read ahead.
        for j in range(k):
            column = np.int64(columns[i, j])
            if c.factors:
                shown[j], at = column, column * c.width
                appeal[j], worth[j] = traits[at], traits[at + 1]
            else:
                at = 4 * (r * c.columns + column)
                shown[j] = np.int64(table_items[at + 2])
                appeal[j], worth[j] = table[at], table[at + 1]
            if c.tires:
                if c.step == 2:
                    cell = 2 * (r * c.columns + column)
                else:
                    slots = c.slots
                    cell = _slot(amounts, integers, used, start, slots, r, column)
                past = np.int64(clock[r] - integers[cell + 1])
                tired[j] = amounts[cell] * fading[min(past, gone)]
                cells[j] = cell
        # Log-odds at rest, moved by topics and fatigue; and the luck of each item.
        for j in range(k):
            item, a, w = shown[j], appeal[j], worth[j]
            if c.factors:
                taste = _bell(_derived(hidden_luck[r], item))
                a += hidden[0] * taste
                w += hidden[1] * taste
            n = item * c.width + 2
            while trait_topics[n] >= 0:
                t, share = trait_topics[n], traits[n + 1]
                a += shift[0, t] * share
                w += shift[1, t] * share
                n += 2
            if c.tires:
                a -= tired[j] * fatigue[r, 0]
            appeal[j], attraction[j], worth[j] = a, _sigmoid(a), _sigmoid(w)
            out_worth[i, j] = worth[j]
            if len(blank) and blank[i, j]:
                appeal[j], attraction[j] = -_INFINITE, _ZERO
            keys[j] = _mix((np.uint64(item) + np.uint64(1)) * GAMMA + visit_key[r])
        end = _mix(visit_salts[0] + visit_key[r])
        _choose(c, i, appeal, attraction, keys, end, discount, click, looks, clicks)
        # Satisfaction with what was clicked, and what it leaves behind.
        gained, n_clicks, total = _ZERO, _ZERO, _ZERO
        for j in range(k):
            item, mean, drawn = shown[j], worth[j], _ZERO
            if clicks[i, j]:
                luck = (_second(keys[j]) * (_TWO * c.noise)) - c.noise
                drawn = mean + luck * min(mean, _ONE - mean)
                gained += drawn
                n_clicks += _ONE
                n = item * c.width + 2
                while trait_topics[n] >= 0:
                    t, share = trait_topics[n], traits[n + 1]
                    if c.satiates:
                        per_topic[r, 0, t] += share
                    enjoyed[t] += drawn * share
                    total += drawn * share
                    n += 2
            satisfaction[i, j] = drawn
            if c.tires:
                more = tired[j]
                if not (len(blank) and blank[i, j]):
                    more += c.per_showing
                if clicks[i, j]:
                    more += c.per_click
                amounts[cells[j]] = more
                integers[cells[j] + 1] = clock[r]
            if len(out_keys):
                out_keys[i, j] = keys[j]
        if c.drifts:
            rate = drift_rate[r] / max(total, LEAST)
            for t in range(n_topics):
                drift = per_topic[r, 1, t]
                per_topic[r, 1, t] += rate * (enjoyed[t] - total * (drift + usual[t]))
        mood[r] += c.memory * (gained / max(n_clicks, _ONE) - mood[r])
        # Another slate, leaving for good, or coming back in some days.
        better = mood[r] - c.reference
        leaving, hazard, over, days = _ZERO, _ONE, True, _ONE
        if c.leaving >= 0:
            slope = mood_slopes[c.leaving, r]
            leaving = _sigmoid(mood_base[c.leaving, 0] + slope * better)
        if c.returning >= 0:
            slope = mood_slopes[c.returning, r]
            hazard = _sigmoid(mood_base[c.returning, 0] + slope * better)
            survived = np.log(_ONE - _second(end))
            never = np.log1p(-min(hazard, SURE))
            days = np.floor(survived / min(never, -SELDOM)) + _ONE
            if not days < _FAR:  # NaN, where a caller wrote it: it must not become an index
                days = _FAR
        if c.staying >= 0:
            slope = mood_slopes[c.staying, r]
            again = _sigmoid(mood_base[c.staying, 0] + slope * better)
            over = _first(_mix(visit_salts[1] + visit_key[r])) >= again
            if not over:
                days = _ZERO
        if c.satiates:
            faded = load_fading[min(np.int64(days), len(load_fading) - 1)]
            for t in range(n_topics):
                per_topic[r, 0, t] *= faded
        clock[r] += np.int32(days)
        day[r] += days
        days_away[r] = days
        visit_key[r] += NEXT_VISIT
        engagement[i] = gained
        out_left[i] = over and _first(end) < leaving
        out_over[i] = over
        out_leaving[i] = leaving
        out_returning[i] = hazard
