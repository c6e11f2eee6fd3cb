"""Builds slates one position at a time: score plus distance to what is already chosen."""

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import InvalidValue
from ..metrics.exposure import position_discount
from .base import require_length
from .context import PoolContext

BLOCK = 256
"""Users worked on together, so that what a step touches stays in the processor's cache."""


def build_slates(
    scores: FloatArray, diversity: FloatArray | float, context: PoolContext, k: int
) -> IntArray:
    """Fill ``k`` positions greedily, for all users at once.

    Each position takes the candidate with the largest ``score + diversity · mean Jaccard distance
    to the candidates already chosen``; equal ones resolve to the lowest column. With diversity 0
    this is a plain sort. Costs O(U · N · k).

    Args:
        scores: Shape ``(U, N)``.
        diversity: Strength of the distance term, shape ``(U,)`` or one number for all.
        context: The pools.
        k: Slate length.

    Returns:
        Pool columns, shape ``(U, k)``, top position first.

    Raises:
        InvalidValue: ``k`` is below 1 or above the size of a pool, or a score of a candidate is
            NaN.
    """
    n_users = len(context)
    if scores.shape != context.items.shape:
        raise InvalidValue(
            f"{scores.shape} scores for pools of {context.items.shape}", field="scores"
        )
    require_length(context.valid, k)
    strength = np.broadcast_to(np.asarray(diversity, np.float32), (n_users,))
    columns = np.empty((n_users, k), np.intp)
    for start in range(0, n_users, BLOCK):
        rows = slice(start, min(start + BLOCK, n_users))
        relevance = np.where(context.valid[rows], scores[rows], -np.inf).astype(np.float32)
        columns[rows] = _fill(relevance, strength[rows], context, context.patterns[rows], k)
    return columns


def _fill(
    relevance: FloatArray,
    strength: FloatArray,
    context: PoolContext,
    patterns: IntArray,
    k: int,
) -> IntArray:
    """Greedy choice for one block of users; ``relevance`` is overwritten."""
    if np.isnan(relevance).any():
        raise InvalidValue("scores hold NaN", field="scores")
    n_users, n_columns = relevance.shape
    distances = context.pattern_distance.ravel()
    n_patterns = len(context.pattern_distance)
    users = np.arange(n_users)
    chosen = np.empty((n_users, k), np.intp)
    summed = np.zeros((n_users, n_columns), np.float32)
    step_distance = np.empty_like(summed)
    index = np.empty(summed.shape, np.intp)
    gain = relevance.copy()
    for j in range(k):
        best = gain.argmax(axis=1)
        chosen[:, j] = best
        relevance[users, best] = -np.inf
        if j + 1 == k:
            break
        np.add(patterns, (patterns[users, best] * n_patterns)[:, None], out=index)
        # Indices are right by construction; "clip" only spares numpy a buffered check.
        distances.take(index, out=step_distance, mode="clip")
        summed += step_distance
        np.multiply(summed, (strength / (j + 1))[:, None], out=gain)
        gain += relevance
    return chosen


def slate_exposure_share(context: PoolContext, columns: IntArray) -> FloatArray:
    """Share of each slate's exposure that each floor's group receives.

    Exposure of position j is 1/log2(j + 1).

    Returns:
        Shape ``(n_floors, U)``, in [0, 1].
    """
    weights = position_discount(columns.shape[1]).astype(np.float32)
    users = np.arange(len(columns))[:, None]
    return context.floors[:, users, columns] @ (weights / weights.sum())


def slate_diversity(context: PoolContext, columns: IntArray) -> FloatArray:
    """Mean pairwise Jaccard distance on topics within each slate, shape ``(U,)``.

    A slate of one item has diversity 0.
    """
    k = columns.shape[1]
    if k < 2:
        return np.zeros(len(columns), np.float32)
    patterns = np.take_along_axis(context.patterns, columns, axis=1)
    first, second = np.triu_indices(k, 1)
    pairs = patterns[:, first] * len(context.pattern_distance) + patterns[:, second]
    return context.pattern_distance.ravel().take(pairs).mean(axis=1)
