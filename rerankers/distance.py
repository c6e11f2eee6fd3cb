"""Distance between items by their topics."""

import numpy as np

from ..arrays import BoolArray, FloatArray


def jaccard_distance(a: BoolArray | FloatArray, b: BoolArray | FloatArray) -> FloatArray:
    """Jaccard distance 1 − |A ∩ B| / |A ∪ B| between topic sets.

    Args:
        a: Topic membership as 0 or 1, shape ``(..., n, T)``.
        b: Topic membership as 0 or 1, shape ``(..., m, T)``.

    Returns:
        Shape ``(..., n, m)``, in [0, 1]. Two items without any topic are at distance 0.
    """
    left = np.asarray(a, np.float64)
    right = np.asarray(b, np.float64)
    common = left @ np.swapaxes(right, -1, -2)
    union = left.sum(-1)[..., :, None] + right.sum(-1)[..., None, :] - common
    return np.where(union > 0, 1.0 - common / np.where(union > 0, union, 1.0), 0.0)
