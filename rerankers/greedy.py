"""Builds slates one position at a time: score plus distance to what is already chosen."""

from functools import lru_cache

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from ..metrics.exposure import position_discount
from .base import require_sizes
from .context import PoolContext
from .fill import fill_slate, fill_slates
from .shortlist import CERTAIN, cut_off, holds, shortlists

BLOCK = 1024
"""Users whose candidates are shortlisted together."""

GROUP = 512
"""Users, of shortlists about equally long, whose slates are filled together. This and `BLOCK` keep
what a step touches in the processor's cache."""

LIKELY = 0.5
"""Share of the distance term at which a shortlist nearly always holds the slate; see `cut_off`."""

FEW = 4
"""Up to so many users are faster served one by one."""


def build_slates(
    scores: FloatArray, diversity: FloatArray | float, context: PoolContext, k: int
) -> IntArray:
    """Fill ``k`` positions greedily, for all users at once.

    Each position takes the candidate with the largest ``score + diversity · mean Jaccard distance
    to the candidates already chosen``; equal ones resolve to the lowest column. With diversity 0
    this is a plain sort (Carbonell & Goldstein 1998, "The use of MMR", with a mean for their
    maximum). Costs O(U · N · k) at worst; where a few candidates stand out by their score, the
    others are looked at once only, by a bound that cannot change the result (`cut_off`).

    Args:
        scores: Shape ``(U, N)``.
        diversity: Strength of the distance term, shape ``(U,)`` or one number for all.
        context: The pools.
        k: Slate length.

    Returns:
        Pool columns, shape ``(U, k)``, top position first.

    Raises:
        InvalidValue: ``k`` is below 1 or above the size of a pool, a score of a candidate is NaN,
            or a strength is not finite.
    """
    n_users = len(context)
    if scores.shape != context.items.shape:
        raise InvalidValue(
            f"{scores.shape} scores for pools of {context.items.shape}", field="scores"
        )
    require_sizes(context.n_valid, context.n_candidates, k)
    strength = np.asarray(diversity, np.float32)
    if not np.isfinite(strength).all():
        raise InvalidValue("the strength of the distance term is not finite", field="diversity")
    if strength.ndim == 0:
        strength = np.broadcast_to(strength, (n_users,))
    columns = np.empty((n_users, k), np.intp)
    if n_users <= FEW:
        relevance = _relevance(scores.astype(np.float32), context.valid, context.n_valid)
        for row in range(n_users):
            columns[row] = fill_slate(
                relevance[row], strength[row], context.pattern_distance, context.patterns[row], k
            )
        return columns
    rows = np.arange(n_users)
    for share in (LIKELY, CERTAIN):
        blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
        unsure = [_build(scores, strength, context, block, share, columns) for block in blocks]
        rows = np.concatenate(unsure)
        if len(rows) == 0:
            break
    return columns


def _relevance(scores: FloatArray, valid: BoolArray, n_valid: IntArray) -> FloatArray:
    """The scores with -inf in padding, which is written into them; refuses NaN."""
    if len(scores) and n_valid.min() < scores.shape[1]:
        scores[~valid] = -np.inf
    if np.isnan(scores.max(initial=-np.inf)):
        raise InvalidValue("scores hold NaN", field="scores")
    return scores


def _build(
    scores: FloatArray,
    strength: FloatArray,
    context: PoolContext,
    rows: IntArray,
    share: float,
    columns: IntArray,
) -> IntArray:
    """Write the slates of one block of users; the rows whose slates may be others are returned."""
    k, n_columns = columns.shape[1], context.n_candidates
    part = scores[rows].astype(np.float32, copy=False)
    relevance = _relevance(part, context.valid[rows], context.n_valid[rows])
    strength = strength[rows]
    cut = cut_off(relevance, strength, k, share)
    cells, start, count = shortlists(relevance, cut)
    flat, patterns = relevance.ravel(), context.patterns.ravel()
    weakest = np.empty(len(rows), np.float32)
    by_length = np.argsort(count, kind="stable")
    for first in range(0, len(rows), GROUP):
        group = by_length[first : first + GROUP]
        place = np.arange(int(count[group[-1]]))[:, None]
        at = cells.take(place + start[group], mode="clip")
        listed = flat.take(at)
        np.putmask(listed, place >= count[group], -np.inf)
        at += (rows[group] - group) * n_columns
        chosen, weakest[group] = fill_slates(
            listed, strength[group], context.pattern_distance, patterns.take(at, mode="clip"), k
        )
        found = np.take_along_axis(at, chosen, axis=0) - rows[group] * n_columns
        columns[rows[group]] = found.T
    if share >= CERTAIN:
        return rows[:0]
    return rows[~holds(weakest, strength, cut)]


def slate_exposure_share(context: PoolContext, columns: IntArray) -> FloatArray:
    """Share of each slate's exposure that each floor's group receives.

    Exposure of position j is 1/log2(j + 1).

    Returns:
        Shape ``(n_floors, U)``, in [0, 1].
    """
    n_users, k = columns.shape
    cells = columns + (np.arange(n_users) * context.n_candidates)[:, None]
    shares = np.empty((len(context.floors), n_users), np.float32)
    for i, floor in enumerate(context.floors):
        np.matmul(floor.ravel().take(cells), _exposure_weights(k), out=shares[i])
    return shares


def slate_diversity(context: PoolContext, columns: IntArray) -> FloatArray:
    """Mean pairwise Jaccard distance on topics within each slate, shape ``(U,)``.

    A slate of one item has diversity 0.
    """
    n_users, k = columns.shape
    if k < 2:
        return np.zeros(n_users, np.float32)
    cells = columns + (np.arange(n_users) * context.n_candidates)[:, None]
    patterns = context.patterns.ravel().take(cells.T)
    first, second = _pairs(k)
    pairs = patterns.take(first, axis=0)
    pairs *= len(context.pattern_distance)
    pairs += patterns.take(second, axis=0)
    return context.pattern_distance.ravel().take(pairs).mean(axis=0)


@lru_cache
def _exposure_weights(k: int) -> FloatArray:
    """Share of a slate's exposure that each position has, shape ``(k,)``."""
    weights = position_discount(k).astype(np.float32)
    return weights / weights.sum()


@lru_cache
def _pairs(k: int) -> tuple[IntArray, IntArray]:
    """Both positions of each pair of positions of a slate, each of shape ``(k · (k − 1) / 2,)``."""
    return np.triu_indices(k, 1)
