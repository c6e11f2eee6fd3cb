"""The distinct topic sets of a catalogue, and how far apart they are.

A catalogue has few *distinct* topic sets (216 among the 1,682 films of MovieLens-100K). With one
small table of them and one code per item, a sum over an item's topics is one matrix product and a
look-up, and so is the distance between two items: nothing of shape (U, N, T) or (U, N, N) is made.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..errors import InvalidValue

MAX_PATTERNS = 8192
"""Distinct topic sets whose table of distances still fits (268 MB)."""


@dataclass(frozen=True, slots=True)
class TopicPatterns:
    """Distinct topic sets; float32 unless said otherwise.

    Attributes:
        codes: Row of ``topics`` of every item, shape ``(I,)``, integer.
        topics: The distinct sets, shape ``(P, T)``, 0 or 1.
        mean: ``topics`` with rows that sum to 1 (0 for the empty set), shape ``(P, T)``.
        sparse_mean: The same, sparse: a set holds a few topics only, and unlike a BLAS product
            the sparse one rounds a user's row the same way in any batch.
        distance: Jaccard distance between the sets, shape ``(P, P)``.
    """

    codes: IntArray
    topics: FloatArray
    mean: FloatArray
    sparse_mean: sp.csr_array
    distance: FloatArray

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Find the distinct topic sets.

        Raises:
            InvalidValue: There are more than ``MAX_PATTERNS``.
        """
        packed = np.packbits(catalogue.topics, axis=1)
        if packed.shape[1] == 0:
            packed = np.zeros((catalogue.n_items, 1), np.uint8)
        rows = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}")[:, 0]
        _, first, codes = np.unique(rows, return_index=True, return_inverse=True)
        if len(first) > MAX_PATTERNS:
            raise InvalidValue(
                f"{len(first)} distinct topic sets, at most {MAX_PATTERNS} are supported",
                field="topics",
                mend="Use fewer, coarser topics such as genres.",
            )
        topics = catalogue.topics[first].astype(np.float32)
        mean = topics / np.maximum(topics.sum(axis=1, keepdims=True), 1.0)
        distance = jaccard_distance(topics, topics).astype(np.float32)
        return cls(codes.astype(np.intp), topics, mean, sp.csr_array(mean), distance)


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
