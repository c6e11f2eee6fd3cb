"""Item-to-item weights of a linear model: where each part of a score came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

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
            dense = weights if isinstance(weights, np.ndarray) else sp.csr_matrix(weights).toarray()
            return cls(np.ascontiguousarray(dense, dtype=np.float32), truncated=False)
        sparse = sp.csc_matrix(weights, dtype=np.float32)
        kept = _largest_per_column(sparse)
        return cls(kept, truncated=kept.nnz < sparse.nnz)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The weights as plain arrays, for an npz file; ``from_arrays`` reads them."""
        if isinstance(self.matrix, np.ndarray):
            return {"weights": self.matrix}
        return {
            "weights_data": self.matrix.data,
            "weights_indices": np.asarray(self.matrix.indices),
            "weights_indptr": np.asarray(self.matrix.indptr),
            "weights_truncated": np.array(self.truncated),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ItemWeights | None":
        """The weights among named arrays, or None where there are none."""
        if "weights" in arrays:
            return cls(arrays["weights"], truncated=False)
        if "weights_data" not in arrays:
            return None
        parts = [arrays[f"weights_{part}"] for part in ("data", "indices", "indptr")]
        n_items = len(parts[2]) - 1
        matrix = sp.csc_matrix(tuple(parts), shape=(n_items, n_items))
        return cls(matrix, truncated=bool(arrays["weights_truncated"]))

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
    indptr = np.asarray(weights.indptr)
    for start, stop in pairwise(indptr):
        size = np.abs(weights.data[start:stop])
        largest = np.argsort(-size, kind="stable")[:KEPT_PER_ITEM]
        keep[start + largest] = True
    columns = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return sp.csc_matrix(
        (weights.data[keep], (weights.indices[keep], columns[keep])), shape=weights.shape
    )
