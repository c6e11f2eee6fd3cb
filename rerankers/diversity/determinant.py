"""Greedy search for the items whose kernel has the largest determinant.

The incremental Cholesky factors of Chen, Zhang & Zhou (NeurIPS 2018), for many users at once.
"""

from collections.abc import Callable

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue
from ..base import require_length
from ..order import user_blocks

RowOf = Callable[[IntArray], FloatArray]
"""From one column per user, shape ``(U,)``, to that item's rows of the kernels, ``(U, N)``."""

TOLERANCE = 1e-10
"""A candidate whose residual variance is this small a part of its own adds nothing: it is spent."""


def greedy_map(
    kernels: FloatArray, valid: BoolArray, k: int, tolerance: float = TOLERANCE
) -> IntArray:
    """Greedy search for the ``k`` candidates whose kernel has the largest determinant.

    Args:
        kernels: Positive semi-definite, shape ``(U, N, N)``; the diagonal and the rows of the
            chosen candidates are read, nothing else.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        k: How many to choose.
        tolerance: A candidate whose residual variance falls to this part of its diagonal is spent:
            it is linearly dependent on the chosen, and comes after all that are not, by its
            diagonal.

    Returns:
        Columns, shape ``(U, k)``; equal gains resolve to the lowest column. O(U · N · k²).

    Raises:
        InvalidValue: The shapes do not fit, ``k`` is below 1 or above the number of a user's
            candidates, or what is read of the kernels is not finite or has a negative diagonal.
    """
    n_users, n_columns = valid.shape
    if kernels.shape != (n_users, n_columns, n_columns):
        raise InvalidValue(
            f"kernels {kernels.shape} for candidates {valid.shape}",
            field="kernels",
            mend="Give one (N, N) kernel per user.",
        )
    require_length(valid, k)
    diagonal = np.where(valid, kernels.diagonal(axis1=1, axis2=2), 0.0)
    if not ((diagonal >= 0.0) & (diagonal < np.inf)).all():
        raise InvalidValue(
            "a diagonal holds a negative number, NaN or infinity",
            field="kernels",
            mend="Give positive semi-definite kernels.",
        )
    columns = np.empty((n_users, k), np.intp)
    for rows in user_blocks(n_users, n_columns * k):
        columns[rows] = greedy_block(
            diagonal[rows],
            _given_rows(kernels[rows], valid[rows]),
            valid[rows],
            k,
            np.zeros(diagonal[rows].shape),
            1.0,
            tolerance,
        )
    return columns


def greedy_block(
    diagonal: FloatArray,
    row_of: RowOf,
    valid: BoolArray,
    k: int,
    worth: FloatArray,
    weight: float,
    tolerance: float = TOLERANCE,
) -> IntArray:
    """Algorithm 1 of the paper for a block of users, with gains ``worth + weight · log d²``.

    Relevance only scales rows and columns of the kernel, so it enters as a sum of logarithms, and
    no exponential of it can overflow: ``diagonal`` and ``row_of`` are of S alone.

    Args:
        diagonal: Shape ``(U, N)``.
        row_of: The kernels' rows.
        valid: Shape ``(U, N)``.
        k: How many to choose.
        worth: Shape ``(U, N)``.
        weight: Of the determinant.
        tolerance: See `greedy_map`.

    Returns:
        Columns, shape ``(U, k)``.
    """
    n_users, n_columns = valid.shape
    users = np.arange(n_users)
    residual = np.where(valid, diagonal, 0.0)
    spent_at = tolerance * residual
    left = valid.copy()
    factors = np.empty((n_users, k, n_columns))
    columns = np.empty((n_users, k), np.intp)
    for j in range(k):
        alive = left & (residual > spent_at)
        gain = worth + weight * np.log(np.where(alive, residual, 1.0))
        best = np.where(alive, gain, -np.inf).argmax(axis=1)
        adds = alive[users, best]
        if not adds.all():
            by_relevance = np.where(left, worth + diagonal, -np.inf).argmax(axis=1)
            best = np.where(adds, best, by_relevance)
        columns[:, j] = best
        left[users, best] = False
        if j + 1 == k:
            break
        seen = factors[:, :j]
        own = np.take_along_axis(seen, best[:, None, None], axis=2)
        factor = row_of(best) - (own.transpose(0, 2, 1) @ seen)[:, 0]
        # Where a spent item was chosen, all are: what the factors hold from there on is not read.
        factor /= np.sqrt(np.where(adds, residual[users, best], 1.0))[:, None]
        factors[:, j] = factor
        residual -= factor * factor
    return columns


def _given_rows(kernels: FloatArray, valid: BoolArray) -> RowOf:
    """Rows of kernels that stand in memory, shape ``(U, N, N)``."""
    users = np.arange(len(kernels))

    def rows(columns: IntArray) -> FloatArray:
        row = np.where(valid, kernels[users, columns], 0.0)
        if not np.isfinite(row).all():
            raise InvalidValue("a kernel holds NaN or infinity", field="kernels")
        return row

    return rows
