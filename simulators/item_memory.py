"""How tired each user is of each item: sums that halve with the days, touched only when shown.

A cell holds an amount and the day on which it was written, so that nothing needs to be done to
the items that are not shown. Days count on over a user's episodes: a new episode starts so much
later that nothing is left of the old one, to the last bit, and no memory has to be cleared.

Two layouts, one meaning: a cell per user and column (``DenseMemory``), or a hash table per user
that holds what was shown (``SparseMemory``), for catalogues that are far larger than what anyone
is ever shown.
"""

from typing import Protocol

import numpy as np

from ..arrays import FloatArray, IntArray

_EMPTY = np.int32(-1)
_SPREAD = np.uint32(2654435769)  # Knuth's multiplicative hash: 2^32 over the golden ratio
_CELL_BYTES, _SLOT_BYTES = 8, 12
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

    def take(self, rows: IntArray) -> "ItemMemory":
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
    slots = 1 << int(np.ceil(np.log2(max(2 * shown, 16))))
    if dense is None:
        dense = n_columns * _CELL_BYTES <= slots * _SLOT_BYTES
    if dense:
        return DenseMemory(n_users, n_columns, half_life)
    return SparseMemory(n_users, slots, half_life)


class DenseMemory:
    """A cell of 8 bytes per user and column.

    Attributes:
        cells: Amount (float32) and day (int32) of each, packed, shape ``(U · N,)``.
        fading: What is left after each number of whole days; the last entry is 0.
    """

    def __init__(self, n_users: int, n_columns: int, half_life: float) -> None:
        self.fading = _fading(half_life)
        self.n_columns = n_columns
        self.bytes_per_user = n_columns * _CELL_BYTES
        self.cells = np.zeros(n_users * n_columns, np.int64)
        self._offset = np.arange(0, n_users * n_columns, n_columns)[:, None]

    def locate(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        """See ``ItemMemory``."""
        return columns + (self._offset if rows is None else self._offset[rows])

    def read(self, cells: Cells, day: IntArray) -> FloatArray:
        """See ``ItemMemory``."""
        pairs = self.cells.take(cells).view(np.int32).reshape(*cells.shape, 2)
        elapsed = day[:, None] - pairs[..., 1]
        return pairs[..., 0].view(np.float32) * self.fading.take(elapsed, mode="clip")

    def write(self, cells: Cells, day: IntArray, amounts: FloatArray) -> None:
        """See ``ItemMemory``."""
        pairs = np.empty((*cells.shape, 2), np.int32)
        pairs[..., 0] = amounts.view(np.int32)
        pairs[..., 1] = day[:, None]
        self.cells.put(cells, pairs.view(np.int64))

    def total(self, day: IntArray) -> FloatArray:
        """See ``ItemMemory``."""
        pairs = self.cells.view(np.int32).reshape(len(day), -1, 2)
        left = self.fading.take(day[:, None] - pairs[..., 1], mode="clip")
        return np.einsum("un,un->u", left, pairs[..., 0].view(np.float32))

    def restart(self, rows: IntArray | slice, day: IntArray) -> IntArray:
        """See ``ItemMemory``."""
        start = day + np.int32(len(self.fading))
        if start.size and start.max() > _LAST_DAY:
            self.cells.reshape(-1, self.n_columns)[rows] = 0
            start[:] = 0
        return start

    def take(self, rows: IntArray) -> "DenseMemory":
        """See ``ItemMemory``."""
        copy = DenseMemory(0, self.n_columns, 1.0)
        copy.fading = self.fading
        copy.cells = self.cells.reshape(-1, self.n_columns)[rows].ravel()
        copy._offset = np.arange(0, len(copy.cells), self.n_columns)[:, None]
        return copy


class SparseMemory:
    """A hash table per user, with linear probing and at most half of its slots in use.

    Exact: a table grows before it could lose anything.

    Attributes:
        values: The amounts, a cell per slot.
        keys: Column that each slot is for, -1 where it is free, shape ``(U · slots,)``, int32.
        used: Slots that are taken, shape ``(U,)``.
        slots: Slots per user, a power of two.
    """

    def __init__(self, n_users: int, n_slots: int, half_life: float) -> None:
        self.values = DenseMemory(n_users, n_slots, half_life)
        self.keys = np.full(n_users * n_slots, _EMPTY, np.int32)
        self.used = np.zeros(n_users, np.int64)
        self._most_used = 0  # at most so many slots of a user are taken
        self.slots = n_slots
        self.bytes_per_user = n_slots * _SLOT_BYTES

    def locate(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        """See ``ItemMemory``; what is not there and not to be kept is at a cell of amount 0."""
        if keep:
            self.make_room(columns.shape[1])
        return self._place(rows, columns, keep)

    def _place(self, rows: IntArray | None, columns: IntArray, keep: bool) -> Cells:
        at = slice(None) if rows is None else rows
        offset = self.values.locate(rows, np.zeros((len(columns), 1), np.int64), keep)
        shift = np.uint32(32 - int(self.slots).bit_length() + 1)
        slot = ((columns.astype(np.uint32) * _SPREAD) >> shift).astype(np.int64)
        cells = (offset + slot).ravel()
        wanted = columns.astype(np.int32).ravel()
        offset = np.broadcast_to(offset, columns.shape).ravel()
        open_ = np.arange(len(cells))
        added = np.zeros(len(cells), np.bool_)
        while len(open_):
            here, item = cells[open_], wanted[open_]
            found = self.keys.take(here)
            free = found == _EMPTY
            if keep:
                self.keys[here[free]] = item[free]
                settled = self.keys.take(here) == item
                added[open_] = settled & free
            else:
                settled = free | (found == item)
            open_ = open_[~settled]
            moved = cells[open_] - offset[open_] + 1
            cells[open_] = offset[open_] + (moved & (self.slots - 1))
        if keep:
            self.used[at] += added.reshape(columns.shape).sum(axis=1)
        return cells.reshape(columns.shape)

    def read(self, cells: Cells, day: IntArray) -> FloatArray:
        """See ``ItemMemory``."""
        return self.values.read(cells, day)

    def write(self, cells: Cells, day: IntArray, amounts: FloatArray) -> None:
        """See ``ItemMemory``."""
        self.values.write(cells, day, amounts)

    def total(self, day: IntArray) -> FloatArray:
        """See ``ItemMemory``."""
        return self.values.total(day)

    def restart(self, rows: IntArray | slice, day: IntArray) -> IntArray:
        """See ``ItemMemory``."""
        self.keys.reshape(-1, self.slots)[rows] = _EMPTY
        self.used[rows] = 0
        return self.values.restart(rows, day)

    def take(self, rows: IntArray) -> "SparseMemory":
        """See ``ItemMemory``."""
        copy = SparseMemory(0, self.slots, 1.0)
        copy.values = self.values.take(rows)
        copy.keys = self.keys.reshape(-1, self.slots)[rows].ravel()
        copy.used = self.used[rows]
        copy._most_used = self._most_used
        return copy

    def make_room(self, n_more: int) -> None:
        """See to it that every user can be shown so many more items; call before each visit."""
        self._most_used += n_more
        if self._most_used > self.slots // 2:
            self._most_used = int(self.used.max(initial=0)) + n_more
        while self._most_used > self.slots // 2:
            self._grow()

    def _grow(self) -> None:
        """Twice the slots for everybody; what they hold moves to where it belongs now."""
        keys = self.keys.reshape(-1, self.slots)
        held = self.values.cells.reshape(-1, self.slots)
        most_used, bigger = self._most_used, SparseMemory(len(keys), 2 * self.slots, 1.0)
        for slot in range(self.slots):
            rows = np.flatnonzero(keys[:, slot] != _EMPTY)
            if len(rows):
                cells = bigger._place(rows, keys[rows, slot][:, None], keep=True)
                bigger.values.cells[cells[:, 0]] = held[rows, slot]
        bigger.values.fading = self.values.fading
        self.__dict__.update(bigger.__dict__)
        self._most_used = most_used


def _fading(half_life: float) -> FloatArray:
    """2^(−days / half_life) for whole days, until nothing is left; the last entry is 0."""
    days = np.arange(int(np.ceil(_GONE_AFTER * half_life)) + 1)
    fading = np.exp2(days * (-1.0 / half_life)).astype(np.float32)
    fading[-1] = 0.0
    return fading
