"""How tired each user is of each item: sums that halve with the days, touched only when shown.

A cell holds an amount and the day on which it was written, so that nothing needs to be done to
the items that are not shown. Days count on over a user's episodes: a new episode starts so much
later that nothing is left of the old one, to the last bit, and no memory has to be cleared.

Two layouts, one meaning: a cell per user and column (``DenseMemory``), or a hash table per user
that holds what was shown (``SparseMemory``), for catalogues that are far larger than what anyone
is ever shown.
"""

import sys
from typing import Protocol, Self

import numpy as np

from ..arrays import FloatArray, IntArray

SPREAD = np.uint32(2654435769)  # Knuth's multiplicative hash: 2^32 over the golden ratio
_DAY_BITS = 32 if sys.byteorder == "little" else 0  # where the day lies in a cell of 64 bits
_CELL_BYTES, _SLOT_BYTES = 8, 16
_FULL = 0.75  # share of a table's slots that may be taken
_GONE_AFTER = 150  # half-lives after which a float32 amount is zero
_LAST_DAY = np.int32(2**30)

Cells = IntArray


class ItemMemory(Protocol):
    """Amounts per user and column; ``day`` (R,) are the users' days, int32, ever growing."""

    bytes_per_user: int

    def locate(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        """Where the amounts of columns are, shape ``(R, k)``.

        Args:
            rows: Which users, shape ``(R,)``; all where None.
            columns: Distinct within a row, shape ``(R, k)``.
            keep: Whether ``add`` will follow; else nothing is written.
        """
        ...

    def read(self, cells: Cells, day: IntArray) -> FloatArray:
        """What is left of the amounts, shape ``(R, k)``."""
        ...

    def write(self, cells: Cells, day: IntArray, amounts: FloatArray) -> None:
        """Set the amounts as of a day."""
        ...

    def total(self, day: IntArray) -> FloatArray:
        """What is left of all amounts, summed, shape ``(U,)``; O(cells)."""
        ...

    def restart(self, rows: IntArray | slice, day: IntArray) -> IntArray:
        """Forget everything of some users; the days at which they start again, shape ``(R,)``."""
        ...

    def take(self, rows: IntArray) -> Self:
        """A copy of some rows."""
        ...


def make_memory(
    n_users: int, n_columns: int, half_life: float, shown: int, dense: bool | None = None
) -> ItemMemory:
    """The layout that needs less memory, or the one asked for.

    Args:
        n_users: Users ``U``.
        n_columns: Columns a user can be shown.
        half_life: Days.
        shown: Items shown to a user in an episode, about; tables grow beyond it if they must.
        dense: Which layout, if not the smaller one.
    """
    slots = 1 << int(np.ceil(np.log2(max(shown / _FULL, 16))))
    if dense is None:
        dense = n_columns * _CELL_BYTES <= slots * _SLOT_BYTES
    if dense:
        return DenseMemory(n_users, n_columns, half_life)
    return SparseMemory(n_users, slots, half_life)


class DenseMemory:
    """A cell of 8 bytes per user and column.

    Attributes:
        cells: Amount (float32) and day (int32) of each, packed, shape ``(U · N,)``, int64.
        n_columns: Columns ``N``.
        fading: What is left after each number of whole days; the last entry is 0.
    """

    stride = 1
    """Cells that belong together: amount and day, then anything else."""
    blank = 0
    """A cell in which nothing was ever written."""

    def __init__(self, n_users: int, n_columns: int, half_life: float) -> None:
        self.fading = _fading(half_life)
        self.n_columns = n_columns
        self.bytes_per_user = n_columns * self.stride * _CELL_BYTES
        size = n_users * n_columns * self.stride
        # Zeros cost no memory until they are written.
        self.cells = np.full(size, self.blank) if self.blank else np.zeros(size, np.int64)
        self._offset = np.arange(0, n_users * n_columns, n_columns)[:, None]

    def locate(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        """See ``ItemMemory``."""
        return columns + (self._offset if rows is None else self._offset[rows])

    def read(self, cells: Cells, day: IntArray) -> FloatArray:
        """See ``ItemMemory``."""
        pairs = self.cells.take(cells * self.stride).view(np.int32).reshape(*cells.shape, 2)
        elapsed = day[:, None] - pairs[..., 1]
        return pairs[..., 0].view(np.float32) * self.fading.take(elapsed, mode="clip")

    def write(self, cells: Cells, day: IntArray, amounts: FloatArray) -> None:
        """See ``ItemMemory``."""
        pairs = np.empty((*cells.shape, 2), np.int32)
        pairs[..., 0] = amounts.view(np.int32)
        pairs[..., 1] = day[:, None]
        self.cells.put(cells * self.stride, pairs.view(np.int64))

    def total(self, day: IntArray) -> FloatArray:
        """See ``ItemMemory``."""
        pairs = self._by_user().view(np.int32)[:, :: 2 * self.stride]
        days = self._by_user().view(np.int32)[:, 1 :: 2 * self.stride]
        left = self.fading.take(day[:, None] - days, mode="clip")
        return np.einsum("un,un->u", left, pairs.view(np.float32))

    def restart(self, rows: IntArray | slice, day: IntArray) -> IntArray:
        """See ``ItemMemory``."""
        start = day + np.int32(len(self.fading))
        if start.size and start.max() > _LAST_DAY:
            self._by_user()[rows] = self.blank
            start[:] = 0
        return start

    def take(self, rows: IntArray) -> Self:
        """See ``ItemMemory``."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.cells = self._by_user()[rows].ravel()
        copy._offset = self._offset[: len(rows)]
        if len(rows) > len(self._offset):
            copy._offset = np.arange(0, len(rows) * self.n_columns, self.n_columns)[:, None]
        return copy

    def _by_user(self) -> IntArray:
        return self.cells.reshape(-1, self.n_columns * self.stride)


class SparseMemory(DenseMemory):
    """A hash table per user, with linear probing and at most three quarters of its slots in use.

    Few users come near that: who is shown most decides when everybody's table grows, and small
    tables stay in the processor's cache.

    A slot is two cells: amount and day, then the column that it is for. It is free if it was last
    written before the user's episode began, so that no table has to be cleared. Exact: a table
    grows before it could lose anything.

    Attributes:
        n_columns: Slots per user, a power of two.
        used: Slots that are taken, shape ``(U,)``.
        start: Day on which each user's episode began, shape ``(U,)``, int32.
    """

    stride = 2
    blank = -(1 << _DAY_BITS)  # of the day before the first

    def __init__(self, n_users: int, n_slots: int, half_life: float) -> None:
        super().__init__(n_users, n_slots, half_life)
        self.used = np.zeros(n_users, np.int64)
        self.start = np.zeros(n_users, np.int32)
        self._most_used = 0  # at most so many slots of a user are taken

    def locate(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        """See ``ItemMemory``; what is not there and not to be kept is at a cell of amount 0."""
        if keep:
            self.make_room(columns.shape[1])
        return self._place(rows, columns, keep)

    def restart(self, rows: IntArray | slice, day: IntArray) -> IntArray:
        """See ``ItemMemory``."""
        self.start[rows] = start = super().restart(rows, day)
        self.used[rows] = 0
        return start

    def take(self, rows: IntArray) -> Self:
        """See ``ItemMemory``."""
        copy = super().take(rows)
        copy.used, copy.start = self.used[rows], self.start[rows]
        return copy

    def make_room(self, n_more: int) -> None:
        """See to it that every user can be shown so many more items; call before each visit."""
        self._most_used += n_more
        if self._most_used > self._limit:
            self._most_used = int(self.used.max(initial=0)) + n_more
        while self._most_used > self._limit:
            self._grow()

    @property
    def _limit(self) -> int:
        return int(_FULL * self.n_columns)

    def _place(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        at = slice(None) if rows is None else rows
        keys, packed = self.cells.view(np.int32)[2::4], self.cells[::2]
        days = self.cells.view(np.int32)[1::4]
        offset = super().locate(rows, np.zeros((len(columns), 1), np.int64), keep)
        shift = np.uint32(33 - self.n_columns.bit_length())
        slot = ((columns.astype(np.uint32) * SPREAD) >> shift).astype(np.int64)
        cells, wanted = (offset + slot).ravel(), columns.astype(np.int32).ravel()
        offset = np.broadcast_to(offset, columns.shape).ravel()
        start = np.repeat(self.start[at], columns.shape[1])
        fresh = start.astype(np.int64) << _DAY_BITS  # amount 0, as of the episode's first day
        open_, added = np.arange(len(cells)), np.zeros(len(cells), np.bool_)
        while len(open_):
            here, item = cells[open_], wanted[open_]
            free = days[here] < start[open_]
            if keep:
                keys[here[free]] = item[free]
                packed[here[free]] = fresh[open_[free]]
                settled = keys[here] == item
                added[open_] = settled & free
            else:
                settled = free | (keys[here] == item)
            open_ = open_[~settled]
            moved = cells[open_] - offset[open_] + 1
            cells[open_] = offset[open_] + (moved & (self.n_columns - 1))
        if keep:
            self.used[at] += added.reshape(columns.shape).sum(axis=1)
        return cells.reshape(columns.shape)

    def _grow(self) -> None:
        """Twice the slots for everybody; what they hold moves to where it belongs now."""
        slots, n_users = self.n_columns, len(self.used)
        held = self._by_user()
        keys, days = held.view(np.int32)[:, 2::4], held.view(np.int32)[:, 1::4]
        bigger = SparseMemory(n_users, 2 * slots, 1.0)
        bigger.start, bigger.fading = self.start, self.fading
        bigger._most_used = self._most_used
        for slot in range(slots):
            rows = np.flatnonzero(days[:, slot] >= self.start)
            if len(rows):
                cells = bigger._place(rows, keys[rows, slot][:, None], keep=True)
                bigger.cells[2 * cells[:, 0]] = held[rows, 2 * slot]
        self.__dict__.update(bigger.__dict__)


def _fading(half_life: float) -> FloatArray:
    """2^(−days / half_life) for whole days, until nothing is left; the last entry is 0."""
    days = np.arange(int(np.ceil(_GONE_AFTER * half_life)) + 1)
    fading = np.exp2(days * (-1.0 / half_life)).astype(np.float32)
    fading[-1] = 0.0
    return fading
