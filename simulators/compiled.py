"""One visit of many users in one pass, compiled: the same equations and luck as ``numpy_engine``.

Written for one user at a time, as in the papers, and compiled by numba where it is installed. The
numpy engine needs nothing else and is what this one is tested against: the same luck and the same
float32 equations, so that all draws agree but those that fall within rounding of their
probability.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  it has none
from numpy.typing import NDArray

from ..arrays import BoolArray, FloatArray, IntArray
from .choice import SMALLEST
from .dynamics import LARGEST, LEAST, SELDOM, SURE
from .item_memory import SPREAD
from .prefetch import prefetch
from .randomness import BELL_SCALE, FIRST_FACTOR, GAMMA, NEXT_VISIT, SCALE, SECOND_FACTOR, Keys

# Numba reads the functions below as they stand: scalars, loops and no objects. It keeps what it
# compiled until this very file changes, whatever is imported. So all that is compiled stands in one
# file, however long, and is to be touched after a change to an imported constant.

_ONE, _ZERO, _TWO = np.float32(1.0), np.float32(0.0), np.float32(2.0)
_INFINITE = np.float32(np.inf)
_FAR = np.float32(2.0**28)  # days, beyond any that can be drawn
_AHEAD = 10  # users between asking for memory and using it
POSITION, CASCADE, LOGIT = 0, 1, 2

Number: TypeAlias = Any
"""One number out of an array: numba's type of it is not the one that numpy's stubs tell."""


class Numbers(NamedTuple):
    """The numbers of a ``WorldConfig`` and of the layouts; a mood effect that is off has row -1.

    ``factors``: whether columns are items. ``width``: numbers per item in ``Items.traits``, where
    two are followed by ``pairs`` of a topic and its share. ``step``: numbers per cell in
    ``Memory.amounts``, 2, or 4 in tables of ``slots`` per user.
    """

    factors: bool
    satiates: bool
    tires: bool
    drifts: bool
    columns: int
    width: int
    pairs: int
    slots: int
    step: int
    choice: int
    leaving: int
    returning: int
    staying: int
    after_click: float
    after_skip: float
    no_click: float
    threshold: float
    on_satisfaction: float
    gain: float
    per_showing: float
    per_click: float
    noise: float
    memory: float
    reference: float
    horizon: float


_AS: dict[type, type] = {bool: np.bool_, int: np.int64, float: np.float32}
RECORD = np.dtype([(name, _AS[kind]) for name, kind in Numbers.__annotations__.items()], align=True)
"""``Numbers`` in an array of one record: numba takes a tuple's numbers one by one, for 4 µs."""


@njit(cache=True, inline="always")
def _read(n: Number) -> Numbers:
    """A record's numbers, in registers: writing to arrays cannot change them."""
    mood = (n.leaving, n.returning, n.staying)
    choice = (n.after_click, n.after_skip, n.no_click)
    topics = (n.threshold, n.on_satisfaction, n.gain)
    items = (n.per_showing, n.per_click, n.noise)
    layout = (n.columns, n.width, n.pairs, n.slots, n.step, n.choice)
    switches = (n.factors, n.satiates, n.tires, n.drifts)
    ends = (n.memory, n.reference, n.horizon)
    return Numbers(*switches, *layout, *mood, *choice, *topics, *items, *ends)


@njit(cache=True, inline="always")
def _mix(z: Number) -> Number:
    z ^= z >> np.uint64(30)
    z *= FIRST_FACTOR
    z ^= z >> np.uint64(27)
    z *= SECOND_FACTOR
    return z ^ (z >> np.uint64(31))


@njit(cache=True, inline="always")
def _first(key: Number) -> np.float32:
    return np.float32(key >> np.uint64(40)) * SCALE


@njit(cache=True, inline="always")
def _second(key: Number) -> np.float32:
    return np.float32((key >> np.uint64(8)) & np.uint64(0xFFFFFF)) * SCALE


@njit(cache=True, inline="always")
def _derived(key: Number, counter: int) -> Number:
    return _mix((np.uint64(counter) + np.uint64(1)) * GAMMA + key)


@njit(cache=True, inline="always")
def _sigmoid(x: Number) -> Number:
    return _ONE / (_ONE + np.exp(min(-x, LARGEST)))


@njit(cache=True, inline="always")
def _bell(key: Number) -> np.float32:
    mask = np.uint64(0xFFFF)
    total = np.int64(key & mask) + np.int64((key >> np.uint64(16)) & mask)
    total += np.int64((key >> np.uint64(32)) & mask) + np.int64(key >> np.uint64(48))
    return np.float32(total - 2 * 65535) * BELL_SCALE


@njit(cache=True, inline="always")
def _gumbel(u: Number) -> Number:
    return -np.log(-np.log(min(max(u, SMALLEST), _ONE - SMALLEST * _TWO)))


@njit(cache=True, inline="always")
def _days_until_return(hazard: Number, uniform: Number) -> Number:
    never = np.log1p(-min(hazard, SURE))
    days = np.floor(np.log(_ONE - uniform) / min(never, -SELDOM)) + _ONE
    # A NaN, where a caller wrote one, is not below anything either: it must not become an index.
    return days if days < _FAR else _FAR


@njit(cache=True, inline="always")
def _mood_odds(
    which: int, row: int, better: Number, mood_base: FloatArray, mood_slopes: FloatArray
) -> Number:
    return _sigmoid(mood_base[which, 0] + mood_slopes[which, row] * better)


@njit(cache=True, inline="always")
def _home(column: Number, slots: int) -> Number:
    """The slot at which a column's search begins, as in ``item_memory``."""
    mixed = np.uint64(np.uint32(np.uint32(column) * SPREAD))
    return np.int64((mixed * np.uint64(slots)) >> np.uint64(32))


@njit(cache=True, inline="always")
def _slot(
    amounts: FloatArray,
    integers: IntArray,
    used: IntArray,
    start: IntArray,
    slots: int,
    row: int,
    column: int,
) -> int:
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


@njit(cache=True, inline="always")
def _ask_ahead(
    i: int,
    row: int,
    columns: IntArray,
    c: Numbers,
    traits: FloatArray,
    table: FloatArray,
    amounts: FloatArray,
    per_topic: FloatArray,
) -> None:
    """Ask for the memory that a user's visit will need."""
    padded = per_topic.shape[2]
    for j in range(columns.shape[1]):
        column = columns[i, j]
        if c.factors:
            prefetch(traits, column * c.width)
        else:
            prefetch(table, 4 * (row * c.columns + column))
        if c.tires and c.step == 2:
            prefetch(amounts, 2 * (row * c.columns + column))
        elif c.tires:
            prefetch(amounts, 4 * _home(column, c.slots) + 4 * row * c.slots)
    prefetch(per_topic, 2 * row * padded)
    prefetch(per_topic, (2 * row + 1) * padded)


@njit(cache=True, inline="always")
def _shift_topics(
    row: int,
    c: Numbers,
    per_topic: FloatArray,
    satiation: FloatArray,
    interest: FloatArray,
    shift: FloatArray,
) -> None:
    """Log-odds by topic that lasting interest, drift and satiation add."""
    for t in range(shift.shape[1]):
        moved = per_topic[row, 1, t] * c.gain
        lost = _ZERO
        if c.satiates:
            lost = max(per_topic[row, 0, t] - c.threshold, _ZERO) * satiation[row]
        shift[0, t] = moved - lost
        shift[1, t] = moved - lost * c.on_satisfaction
    if len(interest):
        for t in range(shift.shape[1]):
            shift[0, t] += interest[row, 0, t]
            shift[1, t] += interest[row, 1, t]


@njit(cache=True, inline="always")
def _choose(
    i: int,
    c: Numbers,
    odds: FloatArray,
    attraction: FloatArray,
    keys: Keys,
    end: Number,
    discount: FloatArray,
    click: FloatArray,
    looks: FloatArray,
    clicks: BoolArray,
) -> None:
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
def _are_slates(columns: IntArray, n_columns: int) -> bool:
    """Whether every column exists and none stands twice in a row; in time O(columns).

    What a row holds is kept in a small hash table, by a number that grows from row to row: what is
    smaller than the row's first number was left by another row, and no table has to be cleared.
    """
    n_slots = 16
    while n_slots < 16 * columns.shape[1]:
        n_slots *= 2
    seen = np.full(n_slots, -1)
    for i in range(columns.shape[0]):
        first = i * n_columns
        for j in range(columns.shape[1]):
            column = columns[i, j]
            if column < 0 or column >= n_columns:
                return False
            slot = column & (n_slots - 1)
            while seen[slot] >= first:
                if seen[slot] == first + column:
                    return False
                slot = (slot + 1) & (n_slots - 1)
            seen[slot] = first + column
    return True


@njit(cache=True, error_model="numpy")
def visit(
    # Arrays come one by one: numba would count references at every access to a tuple's array.
    rows: IntArray,
    columns: IntArray,
    blank: BoolArray,
    # Items
    table: FloatArray,
    table_items: IntArray,
    traits: FloatArray,
    trait_topics: IntArray,
    hidden: FloatArray,
    hidden_luck: Keys,
    usual: FloatArray,
    visit_salts: Keys,
    # Memory
    used: IntArray,
    start: IntArray,
    amounts: FloatArray,
    integers: IntArray,
    fading: FloatArray,
    # State
    alive: BoolArray,
    day: FloatArray,
    clock: IntArray,
    days_away: FloatArray,
    mood: FloatArray,
    per_topic: FloatArray,
    visit_key: Keys,
    satiation: FloatArray,
    fatigue: FloatArray,
    drift_rate: FloatArray,
    mood_slopes: FloatArray,
    interest: FloatArray,
    # Curves
    discount: FloatArray,
    load_fading: FloatArray,
    mood_base: FloatArray,
    # What the visit brings, as in ``users.Reaction``
    clicks: BoolArray,
    click: FloatArray,
    looks: FloatArray,
    out_worth: FloatArray,
    satisfaction: FloatArray,
    engagement: FloatArray,
    out_left: BoolArray,
    out_ended: BoolArray,
    out_over: BoolArray,
    out_day: FloatArray,
    out_next_day: FloatArray,
    out_days_away: FloatArray,
    out_leaving: FloatArray,
    out_returning: FloatArray,
    out_keys: Keys,
    numbers: NDArray[np.void],
) -> bool:
    """Show each of ``rows`` (R,) its row of ``columns`` (R, k), move the state on, say what came.

    ``blank`` (R, k) are positions that show nothing; of shape (0, 0) where there are none.

    Returns:
        Whether ``columns`` are slates; if not, nothing was done.
    """
    c = _read(numbers[0])
    if not _are_slates(columns, c.columns):  # what follows looks no further
        return False
    k, n_topics = columns.shape[1], len(usual)
    appeal, attraction = np.empty(k, np.float32), np.empty(k, np.float32)
    worth = np.empty(k, np.float32)
    cells, tired = np.empty(k, np.int64), np.zeros(k, np.float32)
    shown = np.empty(k, np.int64)
    shift = np.empty((2, n_topics), np.float32)
    enjoyed = np.empty(n_topics, np.float32)
    keys = np.empty(k, np.uint64)
    gone, n_rows = len(fading) - 1, len(rows)
    for i in range(n_rows):
        r = rows[i]
        if i + _AHEAD < n_rows:
            later = i + _AHEAD
            _ask_ahead(later, rows[later], columns, c, traits, table, amounts, per_topic)
        _shift_topics(r, c, per_topic, satiation, interest, shift)
        # Where things are. Nothing here waits for anything else, so that memory can be read ahead.
        for j in range(k):
            column = columns[i, j]
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
                    cell = _slot(amounts, integers, used, start, c.slots, r, column)
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
            for _ in range(c.pairs):  # for every item as many: such an end is foreseen
                t, share = trait_topics[n], traits[n + 1]
                a += shift[0, t] * share
                w += shift[1, t] * share
                n += 2
            if c.tires:
                a -= tired[j] * fatigue[r, 0]
            appeal[j], worth[j] = a, w
        for j in range(k):
            attraction[j], worth[j] = _sigmoid(appeal[j]), _sigmoid(worth[j])
            out_worth[i, j] = worth[j]
            if len(blank) and blank[i, j]:
                appeal[j], attraction[j] = -_INFINITE, _ZERO
            keys[j] = _derived(visit_key[r], shown[j])
        end = _mix(visit_salts[0] + visit_key[r])
        _choose(i, c, appeal, attraction, keys, end, discount, click, looks, clicks)
        # Satisfaction with what was clicked, and what it leaves behind.
        gained, n_clicks, total = _ZERO, _ZERO, _ZERO
        enjoyed[:] = _ZERO
        for j in range(k):
            item, mean, drawn = shown[j], worth[j], _ZERO
            if clicks[i, j]:
                luck = (_second(keys[j]) * (_TWO * c.noise)) - c.noise
                drawn = mean + luck * min(mean, _ONE - mean)
                gained += drawn
                n_clicks += _ONE
                n = item * c.width + 2
                for _ in range(c.pairs):
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
            leaving = _mood_odds(c.leaving, r, better, mood_base, mood_slopes)
        if c.returning >= 0:
            hazard = _mood_odds(c.returning, r, better, mood_base, mood_slopes)
            days = _days_until_return(hazard, _second(end))
        if c.staying >= 0:
            again = _mood_odds(c.staying, r, better, mood_base, mood_slopes)
            over = _first(_mix(visit_salts[1] + visit_key[r])) >= again
            if not over:
                days = _ZERO
        if c.satiates:
            faded = load_fading[min(np.int64(days), len(load_fading) - 1)]
            for t in range(n_topics):
                per_topic[r, 0, t] *= faded
        out_day[i], out_days_away[i] = day[r], days_away[r]
        clock[r] += np.int32(days)
        day[r] += days
        days_away[r] = days
        visit_key[r] += NEXT_VISIT
        left = over and _first(end) < leaving
        ended = not left and day[r] >= c.horizon
        alive[r] = not (left or ended)
        engagement[i] = gained
        out_left[i], out_ended[i], out_over[i], out_next_day[i] = left, ended, over, day[r]
        out_leaving[i] = leaving
        out_returning[i] = hazard
    return True
