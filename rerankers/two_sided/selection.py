"""The best k of each row, with ties resolved the same way however rows are ordered."""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray


def best_columns(keys: FloatArray, k: int) -> IntArray:
    """Columns of the ``k`` largest keys of each row, lowest column first.

    Equal keys at the border resolve to the lowest column. O(U · N), without a sort.

    Args:
        keys: Shape ``(U, N)``, −inf where a column must not be taken; at least ``k`` finite ones.
        k: How many, at most ``N``.

    Returns:
        Shape ``(U, k)``, ascending.
    """
    if k == keys.shape[1]:
        return np.broadcast_to(np.arange(k), keys.shape)
    border = np.partition(keys, keys.shape[1] - k, axis=1)[:, -k, None]
    taken: BoolArray = keys >= border
    if np.count_nonzero(taken) != k * len(keys):  # ties at the border of some row
        above, tied = keys > border, keys == border
        room = k - above.sum(axis=1, keepdims=True)
        taken = above | (tied & (tied.cumsum(axis=1) <= room))
    return np.nonzero(taken)[1].reshape(len(keys), k)


def by_score(columns: IntArray, scores: FloatArray) -> IntArray:
    """The chosen columns of each user, best base score first; equal ones by column.

    Args:
        columns: Shape ``(U, k)``, ascending.
        scores: Shape ``(U, N)``.
    """
    order = np.argsort(-np.take_along_axis(scores, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)
