"""How different the items of a list are, and how evenly the catalogue is used."""

from collections.abc import Callable

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .lists import require_lists, require_not_negative

_ROWS_AT_ONCE = 4096  # bounds the (rows, k, k) similarity blocks to a few tens of megabytes


def intra_list_jaccard(lists: IntArray, topics: BoolArray) -> FloatArray:
    """Mean pairwise Jaccard distance of topic sets within each list (Ziegler et al. 2005).

    Args:
        lists: Item indices, shape ``(U, k)``.
        topics: Topic membership, shape ``(I, T)``. Two items without any topic are alike
            (distance 0).

    Returns:
        Values in [0, 1], shape ``(U,)``; NaN for a list of fewer than two items.
    """
    member = topics.astype(np.float32)

    def similarity(block: FloatArray) -> FloatArray:
        shared = block @ block.transpose(0, 2, 1)
        size = block.sum(axis=2)
        union = size[:, :, None] + size[:, None, :] - shared
        return np.divide(shared, union, out=np.ones_like(shared), where=union > 0)

    return _mean_pairwise_distance(lists, member, similarity)


def intra_list_cosine(lists: IntArray, embeddings: FloatArray) -> FloatArray:
    """Mean pairwise cosine distance of embeddings within each list, shape ``(U,)``.

    Args:
        lists: Item indices, shape ``(U, k)``.
        embeddings: Shape ``(I, d)``; a zero vector is at distance 1 from everything.

    Returns:
        Values in [0, 2], shape ``(U,)``; NaN for a list of fewer than two items.
    """
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = np.divide(
        embeddings, length, out=np.zeros(embeddings.shape, dtype=np.float64), where=length > 0
    )
    return _mean_pairwise_distance(lists, unit, lambda block: block @ block.transpose(0, 2, 1))


def gini(amounts: FloatArray) -> FloatArray:
    """Gini index over the whole catalogue, items never shown included.

    Σ_i (2i − n − 1) x_i / (n Σx) with x ascending: 0 when all are equal, (n − 1)/n when one item
    has everything.

    Args:
        amounts: Counts or exposure, not negative, shape ``(..., I)``.

    Returns:
        Shape ``(...)``; NaN where all amounts are 0.
    """
    require_not_negative(amounts, "amounts")
    n = amounts.shape[-1]
    ordered = np.sort(amounts, axis=-1)
    total = ordered.sum(axis=-1)
    weighted = ordered @ (2.0 * np.arange(1, n + 1) - n - 1)
    return np.divide(weighted, n * total, out=np.full(np.shape(total), np.nan), where=total > 0)


def shannon_entropy(amounts: FloatArray, base: float = 2.0) -> FloatArray:
    """−Σ p log p of the shares p, in bits unless another base is named, shape ``(...)``.

    Args:
        amounts: Counts or exposure, not negative, shape ``(..., I)``.
        base: Base of the logarithm.
    """
    require_not_negative(amounts, "amounts")
    total = amounts.sum(axis=-1, keepdims=True)
    shape = np.shape(amounts)
    p = np.divide(amounts, total, out=np.full(shape, np.nan), where=total > 0)
    logs = np.log(p, out=np.zeros(shape), where=~(p <= 0))
    return np.abs(-(p * logs).sum(axis=-1) / np.log(base))


def coverage(lists: IntArray, n_items: int) -> float:
    """Distinct items shown / items in the catalogue."""
    if n_items < 1:
        raise InvalidValue("the catalogue is empty", field="n_items")
    shown = np.zeros(n_items, dtype=np.bool_)
    shown[lists[require_lists(lists, n_items)]] = True
    return int(np.count_nonzero(shown)) / n_items


def _mean_pairwise_distance(
    lists: IntArray, features: FloatArray, similarity: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """1 − mean similarity over the pairs of filled positions, block by block of rows."""
    out = np.full(len(lists), np.nan)
    for start in range(0, len(lists), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        valid = require_lists(lists[rows], len(features))
        alike = similarity(features[np.where(valid, lists[rows], 0)])
        pair = np.triu(valid[:, :, None] & valid[:, None, :], k=1)
        n_pairs = pair.sum(axis=(1, 2))
        total = np.where(pair, alike, 0.0).sum(axis=(1, 2), dtype=np.float64)
        block = out[rows]
        np.divide(n_pairs - total, n_pairs, out=block, where=n_pairs > 0)
    return out
