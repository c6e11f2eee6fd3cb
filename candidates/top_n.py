"""The best candidates of each user out of a full score matrix."""

import numpy as np
import scipy.sparse as sp

from ..arrays import PAD, FloatArray, IntArray


def top_n(scores: FloatArray, seen: sp.csr_matrix, n: int) -> tuple[IntArray, FloatArray]:
    """Best first; items that were seen are left out; equal scores keep the catalogue's order.

    Args:
        scores: Shape ``(U, I)``; minus infinity for an item that may not be proposed.
        seen: Ones where a user has met an item, shape ``(U, I)``.
        n: Candidates wanted; fewer columns come back when the catalogue is smaller.

    Returns:
        Items and scores, shape ``(U, N)``; ``PAD`` and 0 where a user has fewer candidates.
    """
    masked = scores.copy()
    masked[seen.nonzero()] = -np.inf
    n = min(n, masked.shape[1])
    chosen = _largest(masked, n)
    best = np.take_along_axis(masked, chosen, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    usable = np.isfinite(best)
    items = np.take_along_axis(chosen, order, axis=1)
    return np.where(usable, items, PAD), np.where(usable, best, 0.0)


def _largest(scores: FloatArray, n: int) -> IntArray:
    """Columns of the ``n`` largest per row, ascending; the first columns win equal scores."""
    cut = np.partition(scores, scores.shape[1] - n, axis=1)[:, -n][:, None]
    above, equal = scores > cut, scores == cut
    room = n - above.sum(axis=1, keepdims=True)
    take = above | (equal & (np.cumsum(equal, axis=1) <= room))
    return np.nonzero(take)[1].reshape(len(scores), n)
