"""What callers pass to worlds and populations, checked before anything is touched."""

from collections.abc import Sequence

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue

_SLATES = "Give each user one row of slate_size distinct columns."


def row_indices(rows: IntArray | BoolArray | Sequence[int], n_users: int) -> IntArray:
    """Rows as indices, shape ``(R,)``.

    Args:
        rows: Indices, or a mask of all users.
        n_users: Users there are.

    Raises:
        InvalidValue: A mask of another shape, or what is no index of a user.
    """
    given = np.asarray(rows)
    if given.size == 0:  # an empty list has no integer type
        return np.zeros(0, np.intp)
    if given.dtype == np.bool_ and given.shape == (n_users,):
        return np.flatnonzero(given)
    if given.ndim == 1 and given.dtype.kind in "iu" and _within(given, n_users):
        return given.astype(np.intp, copy=False)
    raise InvalidValue(
        f"no rows of {n_users} users",
        field="rows",
        mend=f"Give indices from 0 to {n_users - 1}, or a mask of shape ({n_users},).",
    )


def require_shape(columns: IntArray, n_users: int, k: int) -> None:
    """Refuse slates that are no integers of shape ``(U, k)``."""
    if columns.shape != (n_users, k) or columns.dtype.kind not in "iu":
        raise InvalidValue(
            f"slates of {columns.dtype} and shape {columns.shape} for {n_users} users and k={k}",
            field="columns",
            mend=_SLATES,
        )


def require_flags(flags: BoolArray, shape: tuple[int, ...], field: str) -> None:
    """Refuse an array that does not say yes or no to each."""
    if flags.shape != shape or flags.dtype != np.bool_:
        raise InvalidValue(
            f"{flags.dtype} of shape {flags.shape}",
            field=field,
            mend=f"Give booleans of shape {shape}.",
        )


def require_columns(columns: IntArray, n_columns: int) -> None:
    """Refuse columns outside 0 … N - 1."""
    if not _within(columns, n_columns):
        wrong = columns[(columns < 0) | (columns >= n_columns)][0]
        raise InvalidValue(
            f"column {wrong} is none of the world's {n_columns}", field="columns", mend=_SLATES
        )


def require_distinct(columns: IntArray) -> None:
    """Refuse a column that stands twice in a row."""
    ordered = np.sort(columns, axis=1)
    twice = ordered[:, 1:] == ordered[:, :-1]
    if twice.any():
        wrong = ordered[:, 1:][twice][0]
        raise InvalidValue(f"column {wrong} twice in a slate", field="columns", mend=_SLATES)


def require_arrays(arrays: dict[str, FloatArray], shapes: dict[str, tuple[int, ...]]) -> None:
    """Refuse arrays that do not fit together, or are not finite, by name."""
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            raise InvalidValue(
                f"shape {array.shape}, expected {shapes[name]}",
                field=name,
                mend="Give one row per user, and one column per item or topic.",
            )
        if not np.isfinite(array).all():
            raise InvalidValue(
                "holds NaN or infinity", field=name, mend="Give finite numbers; NEVER in padding."
            )


def _within(numbers: IntArray, end: int) -> bool:
    return numbers.size == 0 or bool(numbers.min() >= 0 and numbers.max() < end)
