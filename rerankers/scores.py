"""Scores of a linear re-ranker in one pass, without the tensor of features in between."""

import numpy as np

from ..arrays import BoolArray, FloatArray
from ..errors import InvalidValue
from .context import MEMORYLESS, PoolContext
from .features import BELIEF, FEATURES, HISTORY, STATE_AWARE, topic_taste
from .state import MEMORY, Memory, ObservedState

BLOCK = 384
"""Users worked on together, so that what a step touches stays in the processor's cache."""

_SATIATION, _SQUARED, _TASTE, _FATIGUE, _CLICKED, _UNHAPPY = map(FEATURES.index, STATE_AWARE)
_AFFINITY, _RATED = map(FEATURES.index, HISTORY)


def candidate_scores(
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    memory: Memory = MEMORY,
) -> FloatArray:
    """Weighted sum of every candidate's features, without making the features.

    ``linear_scores(scoring_features(context, state), weights)`` up to the rounding of float32, in
    half the time: topics are weighed per topic set before candidates look them up, and
    features that nobody weighs cost nothing. The score of a candidate depends neither on its
    column nor on who else is in the batch, to the last bit. So equal candidates tie, and a user
    is given the same slate alone, when served, as among thousands, in training.

    Args:
        context: The pools of ``U`` users.
        state: Their state.
        weights: Of each feature as in `feature_names`, shape ``(U, F)`` or ``(F,)``.
        memory: Decay constants.

    Returns:
        Shape ``(U, N)``, float32. O(U · (P · t + N · F)) with t topics per topic set.

    Raises:
        InvalidValue: There are more or fewer weights than features.
    """
    n_users, n_features = len(context), len(FEATURES) + len(context.floors)
    if np.shape(weights)[-1] != n_features:
        raise InvalidValue(
            f"{np.shape(weights)[-1]} weights for {n_features} features", field="weights"
        )
    by_user = np.asarray(weights, np.float32)
    if by_user.ndim == 1:
        by_user = np.broadcast_to(by_user, (n_users, n_features))
    used = np.logical_or.reduce(by_user, axis=0)
    by_user = by_user * _units(n_features, memory)
    out = np.empty(context.items.shape, np.float32)
    for start in range(0, n_users, BLOCK):
        rows = slice(start, min(start + BLOCK, n_users))
        _score(context, state, by_user[rows].T, used, rows, out[rows])
    return out


def _score(
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    used: BoolArray,
    rows: slice,
    out: FloatArray,
) -> None:
    """Write the scores of one block of users.

    ``weights`` are those of the block in terms of the state's own numbers, ``(F, R)``; ``used``
    says which of them are not all zero.
    """
    base, popularity, recency = weights[: len(MEMORYLESS)]
    unhappy = weights[_UNHAPPY]
    # Both weigh the base score, one of them by how dissatisfied the user is.
    fixed = np.empty((len(out), len(MEMORYLESS)), np.float32)
    fixed[:, 0] = base + unhappy * (np.float32(1.0) - state.satisfaction[rows])
    fixed[:, 1], fixed[:, 2] = popularity, recency
    # einsum rounds every column alike; a BLAS product need not, and would break ties by column.
    np.einsum("uf,ufn->un", fixed, context.memoryless[rows], out=out)
    planes = [(_FATIGUE, state.item_shown), (_CLICKED, state.item_clicked)]
    planes += [(FEATURES.index(name), getattr(state, name)) for name in BELIEF]
    planes += enumerate(context.floors, len(FEATURES))
    term = np.empty_like(out)
    for feature, values in planes:
        if used[feature]:
            np.multiply(values[rows], weights[feature][:, None], out=term)
            out += term
    if used[[_SATIATION, _SQUARED, _TASTE, _AFFINITY, _RATED]].any():
        _add_topics(context, state, weights, used, rows, out)


def _add_topics(
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    used: BoolArray,
    rows: slice,
    out: FloatArray,
) -> None:
    """Add satiation, its square and taste: summed by topic set, then looked up per candidate."""
    # Users stand in columns here: (P, R).
    satiation = context.sparse_pattern_mean @ state.topic_clicks[rows].T
    by_set = satiation * weights[_SQUARED]
    by_set += weights[_SATIATION]
    by_set *= satiation
    if used[[_TASTE, _AFFINITY, _RATED]].any():
        taste = topic_taste(state, rows) * weights[_TASTE][:, None]
        taste += np.einsum("fu,uft->ut", weights[[_AFFINITY, _RATED]], context.history[rows])
        by_set += context.sparse_pattern_mean @ taste.T
    n_rows = len(out)
    cells = context.patterns[rows] * n_rows
    cells += np.arange(n_rows)[:, None]
    # Cells are right by construction; "clip" only spares numpy a buffered check.
    out += by_set.ravel().take(cells, mode="clip")


def _units(n_features: int, memory: Memory) -> FloatArray:
    """What one of the state's own numbers counts in each feature, shape ``(F,)``.

    Counts decay, so that their features are per slate: see `STATE_AWARE`.
    """
    units = np.ones(n_features, np.float32)
    units[_SATIATION] = 1.0 - memory.topic_clicks
    units[_SQUARED] = units[_SATIATION] ** 2
    units[_FATIGUE] = units[_CLICKED] = 1.0 - memory.items
    return units
