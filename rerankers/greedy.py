"""Builds slates one position at a time: score plus distance to what is already chosen."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from ..metrics.exposure import position_discount
from .base import require_sizes
from .context import PoolContext
from .fill import fill_slate, fill_slates
from .shortlist import CERTAIN, cut_off, holds, shortlists
from .state import EVERYONE

BLOCK = 2048
"""Users whose candidates are shortlisted together."""

GROUP = 1024
"""Users, of shortlists about equally long, whose slates are filled together. This and `BLOCK` keep
what a step touches in the processor's cache."""

LIKELY = 0.5
"""Share of the distance term at which a shortlist nearly always holds the slate; see `cut_off`."""

FEW = 4
"""Up to so many users are faster served one by one."""

MANY = 256
"""From so many users on it pays to load compiled code, where numba is installed."""


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
    distance, patterns = context.pattern_distance, context.patterns
    if n_users <= FEW:
        relevance = _relevance(scores.astype(np.float32), context, EVERYONE)
        for row in range(n_users):
            columns[row] = fill_slate(relevance[row], strength[row], distance, patterns[row], k)
        return columns
    fill = compiled_fill() if n_users >= MANY else None
    if fill is not None:
        relevance = np.ascontiguousarray(_relevance(scores, context, EVERYONE), np.float32)
        fill(relevance, np.ascontiguousarray(strength), distance, patterns, columns)
        return columns
    unsure = [np.empty(0, np.intp)]
    for start in range(0, n_users, BLOCK):
        rows = slice(start, start + BLOCK)
        relevance = _relevance(scores[rows].astype(np.float32, copy=False), context, rows)
        columns[rows], sure = _build(relevance, strength[rows], distance, patterns[rows], k, LIKELY)
        unsure.append(start + np.flatnonzero(~sure))
    again = np.concatenate(unsure)
    for start in range(0, len(again), BLOCK):
        rows = again[start : start + BLOCK]
        relevance = _relevance(scores[rows].astype(np.float32, copy=False), context, rows)
        columns[rows], _ = _build(relevance, strength[rows], distance, patterns[rows], k, CERTAIN)
    return columns


@cache
def compiled_fill() -> Callable[..., None] | None:
    """What fills many slates where numba is installed, else None."""
    if find_spec("numba") is None:
        return None
    from .fill_compiled import fill_users

    return fill_users


def _relevance(scores: FloatArray, context: PoolContext, rows: IntArray | slice) -> FloatArray:
    """The rows' scores with -inf in padding; refuses NaN."""
    if context.n_valid[rows].min(initial=context.n_candidates) < context.n_candidates:
        scores = np.where(context.valid[rows], scores, np.float32(-np.inf))
    if np.isnan(scores.max(initial=-np.inf)):
        raise InvalidValue("scores hold NaN", field="scores")
    return scores


def _build(
    relevance: FloatArray,
    strength: FloatArray,
    distance: FloatArray,
    patterns: IntArray,
    k: int,
    share: float,
) -> tuple[IntArray, BoolArray]:
    """Slates ``(R, k)`` of one block of users, and which of them are sure to be right ``(R,)``."""
    n_rows, n_columns = relevance.shape
    cut = cut_off(relevance, strength, k, share)
    cells, start, count = shortlists(relevance, cut)
    flat, flat_patterns = relevance.ravel(), patterns.ravel()
    columns, weakest = np.empty((n_rows, k), np.intp), np.empty(n_rows, np.float32)
    by_length = np.argsort(count, kind="stable")
    for first in range(0, n_rows, GROUP):
        group = by_length[first : first + GROUP]
        place = np.arange(int(count[group[-1]]))[:, None]
        at = cells.take(place + start[group], mode="clip")
        listed = flat.take(at, mode="clip")
        np.putmask(listed, place >= count[group], -np.inf)
        chosen, weakest[group] = fill_slates(
            listed, strength[group], distance, flat_patterns.take(at, mode="clip"), k
        )
        columns[group] = (at.ravel().take(chosen) - group * n_columns).T
    return columns, holds(weakest, strength, cut)


def slate_exposure_share(context: PoolContext, columns: IntArray) -> FloatArray:
    """Share of each slate's exposure that each floor's group receives.

    Exposure of position j is 1/log2(j + 1).

    Returns:
        Shape ``(n_floors, U)``, in [0, 1].
    """
    n_users, k = columns.shape
    cells = context.cells(columns)
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
    cells, patterns = context.cells(columns), context.patterns.ravel()
    distance, (first, second) = context.pattern_distance, _pairs(k)
    diversity = np.empty(n_users, np.float32)
    for start in range(0, n_users, GROUP):
        rows = slice(start, start + GROUP)
        shown = patterns.take(cells[rows].T)
        pairs = shown.take(first, axis=0)
        pairs *= len(distance)
        pairs += shown.take(second, axis=0)
        diversity[rows] = distance.ravel().take(pairs).mean(axis=0)
    return diversity


@lru_cache
def _exposure_weights(k: int) -> FloatArray:
    """Share of a slate's exposure that each position has, shape ``(k,)``."""
    weights = position_discount(k).astype(np.float32)
    return weights / weights.sum()


@lru_cache
def _pairs(k: int) -> tuple[IntArray, IntArray]:
    """Both positions of each pair of positions of a slate, each of shape ``(k · (k − 1) / 2,)``."""
    return np.triu_indices(k, 1)
