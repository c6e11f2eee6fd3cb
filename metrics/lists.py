"""Ranked lists as arrays: ``(U, k)`` item indices, top position first, ``PAD`` where unused."""

from collections.abc import Callable

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue


def require_lists(lists: IntArray, n_items: int) -> BoolArray:
    """Positions that hold an item, shape ``(U, k)``.

    Raises:
        InvalidValue: Not a two-dimensional array, or an index outside ``0 … n_items - 1``.
    """
    if lists.ndim != 2:
        raise InvalidValue(f"lists must have shape (U, k), not {lists.shape}", field="lists")
    valid = lists != PAD
    if lists.size and (lists.max() >= n_items or lists[valid].min(initial=0) < 0):
        raise InvalidValue(
            f"an item index lies outside 0…{n_items - 1}",
            field="lists",
            mend="Index the items by their row in the catalogue.",
        )
    return valid


def require_not_negative(amounts: FloatArray | IntArray, field: str) -> None:
    """Refuse exposures, counts or relevances below 0; NaN and errors of rounding may pass.

    Raises:
        InvalidValue: An entry is negative by more than 1e-9 of the largest.
    """
    least = float(np.fmin.reduce(amounts, axis=None, initial=0.0))
    if least < 0.0 and least < -1e-9 * float(np.fmax.reduce(np.abs(amounts), axis=None)):
        raise InvalidValue(
            f"holds a negative number, {least:g}",
            field=field,
            mend="Give amounts of at least 0, such as counts or exposure.",
        )


def sum_by(index: IntArray, amounts: FloatArray, n: int) -> FloatArray:
    """Sum of the amounts that carry each index, shape ``(n,)``."""
    # numpy types weighted counts as integers; they are floats already.
    return np.bincount(index, weights=amounts, minlength=n).astype(np.float64, copy=False)


def distinct(values: IntArray) -> IntArray:
    """Sorted values, each once; several times faster on integers than ``numpy.unique``."""
    ordered = np.sort(values, axis=None)
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def in_blocks(
    function: Callable[..., FloatArray], *arrays: np.ndarray, rows_at_once: int = 4096
) -> FloatArray:
    """A function of rows, applied to blocks of them, so that what it holds stays small."""
    n_rows = len(arrays[0])
    starts = range(0, max(n_rows, 1), rows_at_once)
    return np.concatenate([function(*(a[s : s + rows_at_once] for a in arrays)) for s in starts])


def look_up(values: FloatArray, lists: IntArray) -> FloatArray:
    """``values[item]`` at each position, shape ``(U, k)``; NaN at empty positions."""
    valid = require_lists(lists, len(values))
    return np.where(valid, values[np.where(valid, lists, 0)], np.nan)


def mean_over_positions(values: FloatArray) -> FloatArray:
    """Mean of each row without its NaN, shape ``(U,)``; NaN for a row that holds nothing else."""
    filled = np.isfinite(values)
    n_filled = filled.sum(axis=1)
    total = np.where(filled, values, 0.0).sum(axis=1)
    return np.divide(total, n_filled, out=np.full(len(values), np.nan), where=n_filled > 0)
