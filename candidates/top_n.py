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
    order = np.argsort(-masked, axis=1, kind="stable")[:, :n]
    best = np.take_along_axis(masked, order, axis=1)
    usable = np.isfinite(best)
    return np.where(usable, order, PAD), np.where(usable, best, 0.0)
