"""From raw picks to slates that can be shown: distinct, and candidates all."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import BoolArray, IntArray
from ...errors import InvalidValue


def distinct_columns(
    picks: NDArray[Any], sizes: IntArray, n_columns: int, compiled: bool = False
) -> tuple[IntArray, IntArray]:
    """Replace what cannot be shown by the best-ranked columns that were not picked.

    A pick cannot be shown if an earlier position holds it already, or if it is an unused column at
    the end of a pool. Top position first, each such pick gives way to the lowest column (the best
    base score) that the slate does not hold. A slate of distinct candidates stays as it is, so
    every slate can be had. O(U · k log k).

    Args:
        picks: Pool columns, top position first, shape ``(U, k)``, integers.
        sizes: Candidates of each pool, shape ``(U,)``, each from k to ``n_columns``.
        n_columns: Columns ``N`` of the pools.
        compiled: Row by row in compiled code, O(U · k²), which needs numba; else in numpy,
            O(U · k log k). They do the same.

    Returns:
        Pool columns, distinct within a row, shape ``(U, k)``, and how many picks of each row gave
        way, shape ``(U,)``.

    Raises:
        InvalidValue: The picks are of another shape, are no integers, or are outside [0, N).
    """
    if (
        picks.ndim != 2
        or len(picks) != len(sizes)
        or picks.dtype.kind not in "iu"
        or not picks.size
    ):
        raise InvalidValue(
            f"{picks.dtype} of shape {picks.shape} for {len(sizes)} users",
            field="action",
            mend="Pass a column for each user and position, as integers.",
        )
    columns = picks.astype(np.int64)
    if compiled:
        replaced = np.zeros(len(columns), np.int64)
        if not _make_distinct()(columns, sizes, n_columns, replaced):
            raise _outside(n_columns)
        return columns, replaced
    # Seen as unsigned, a negative pick is a huge one: one pass refuses both.
    if columns.view(np.uint64).max(initial=0) >= n_columns:
        raise _outside(n_columns)
    n_refused = np.zeros(len(columns), np.intp)
    ranked = np.sort(columns, axis=1)
    rows = (ranked[:, 1:] == ranked[:, :-1]).any(axis=1) | (ranked[:, -1] >= sizes)
    rows = np.flatnonzero(rows)
    kept, k = columns[rows], columns.shape[1]
    refused = _repeats(kept) | (kept >= sizes[rows, None])
    n_refused[rows] = refused.sum(axis=1)
    # Of the first k columns, as many as picks are refused are not held: no further one is needed.
    free = np.ones(kept.shape, np.bool_)
    at, position = np.nonzero(~refused & (kept < k))
    free[at, kept[at, position]] = False
    free &= free.cumsum(axis=1) <= n_refused[rows, None]
    at, position = np.nonzero(refused)
    columns[rows[at], position] = np.nonzero(free)[1]
    return columns, n_refused


@cache
def _make_distinct() -> Callable[..., bool]:
    from .picks_compiled import make_distinct  # numba need not be installed

    return make_distinct


def _repeats(columns: IntArray) -> BoolArray:
    """Positions whose column stands at an earlier position too, shape ``(U, k)``."""
    order = np.argsort(columns, axis=1, kind="stable")
    ranked = np.take_along_axis(columns, order, axis=1)
    again = np.zeros(columns.shape, np.bool_)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    repeats = np.empty_like(again)
    np.put_along_axis(repeats, order, again, axis=1)
    return repeats


def _outside(n_columns: int) -> InvalidValue:
    return InvalidValue(
        "a pick is outside the pool",
        field="action",
        mend=f"Pick columns from 0 to {n_columns - 1}.",
    )
