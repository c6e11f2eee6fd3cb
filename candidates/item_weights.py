"""Item-to-item weights of a linear model: where each part of a score came from."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..arrays import FloatArray, IntArray

DENSE_LIMIT = 5000
KEPT_PER_ITEM = 200


@dataclass(frozen=True, slots=True)
class ItemWeights:
    """Weights ``W`` with ``score[u, j] = sum of W[i, j] over i in history(u)``.

    Attributes:
        matrix: Shape ``(I, I)``, float32; dense up to 5,000 items, sparse above.
        truncated: True when only the 200 largest weights towards each item were kept, so that
            contributions sum to the score approximately.
    """

    matrix: np.ndarray | sp.csc_matrix
    truncated: bool

    @classmethod
    def of(cls, weights: np.ndarray | sp.spmatrix) -> "ItemWeights":
        """Keep all weights of a small catalogue, the largest ones per item of a large one."""
        n_items = int(weights.shape[0])
        if n_items <= DENSE_LIMIT:
            dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
            return cls(np.ascontiguousarray(dense, dtype=np.float32), truncated=False)
        sparse = sp.csc_matrix(weights, dtype=np.float32)
        kept = _largest_per_column(sparse)
        return cls(kept, truncated=kept.nnz < sparse.nnz)

    def contributions(self, history: IntArray, items: IntArray) -> FloatArray:
        """What each item of a history adds to the score of each listed item.

        Args:
            history: Item indices, shape ``(H,)``.
            items: Item indices, shape ``(n,)``.

        Returns:
            Shape ``(H, n)``.
        """
        if isinstance(self.matrix, np.ndarray):
            return self.matrix[np.ix_(history, items)]
        return self.matrix[:, items][history].toarray()

    @property
    def dense(self) -> FloatArray:
        """The whole matrix, shape ``(I, I)``."""
        return self.matrix if isinstance(self.matrix, np.ndarray) else self.matrix.toarray()


def _largest_per_column(weights: sp.csc_matrix) -> sp.csc_matrix:
    keep = np.zeros(weights.nnz, dtype=bool)
    for start, stop in zip(weights.indptr[:-1], weights.indptr[1:], strict=True):
        size = np.abs(weights.data[start:stop])
        largest = np.argsort(-size, kind="stable")[:KEPT_PER_ITEM]
        keep[start + largest] = True
    columns = np.repeat(np.arange(weights.shape[1]), np.diff(weights.indptr))
    return sp.csc_matrix(
        (weights.data[keep], (weights.indices[keep], columns[keep])), shape=weights.shape
    )
