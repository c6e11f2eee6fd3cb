"""The features of many candidates weighed in one pass, without the tensor of them in between."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import numpy as np

from ..arrays import BoolArray, FloatArray
from .context import MEMORYLESS, PoolContext
from .features import BELIEF, FEATURES, HISTORY, STATE_AWARE, topic_taste
from .state import EVERYONE, Memory, ObservedState

BLOCK = 384
"""Users worked on together, so that what a step touches stays in the processor's cache."""

MANY = 256
"""Users from which on loading a compiled pass is worth its while."""

_SATIATION, _SQUARED, _TASTE, _FATIGUE, _CLICKED, _UNHAPPY = map(FEATURES.index, STATE_AWARE)
_AFFINITY, _RATED = map(FEATURES.index, HISTORY)

_BY_ITEM = {
    _FATIGUE: "item_shown",
    _CLICKED: "item_clicked",
    **{FEATURES.index(name): name for name in BELIEF},
}
"""Features that are a field of the state with a number for each candidate."""


def weigh(
    context: PoolContext, state: ObservedState, weights: FloatArray, memory: Memory
) -> FloatArray:
    """Weighted sum of the features in ``LOGGED`` and of the limits' groups, per candidate.

    Args:
        context: The pools of ``U`` users.
        state: Their state.
        weights: Of each feature as in `feature_names`, shape ``(U, F)``, float32; those of
            ``REWARD`` are not looked at.
        memory: Decay constants.

    Returns:
        Shape ``(U, N)``, float32, to the last bit the same in any batch and at any column.
    """
    n_users, n_features = weights.shape
    by_user = weights * _units(n_features, memory)
    out = np.empty(context.items.shape, np.float32)
    score = _compiled() if n_users >= MANY else None
    if score is None:
        used = np.logical_or.reduce(by_user, axis=0)
        for start in range(0, n_users, BLOCK):
            rows = slice(start, min(start + BLOCK, n_users))
            _weigh_block(context, state, by_user[rows].T, used, rows, out[rows])
        return out
    table = context.sparse_pattern_mean
    score(
        _fixed(state, by_user.T, EVERYONE),
        np.ascontiguousarray(by_user[:, list(_BY_ITEM)]),
        np.ascontiguousarray(by_user[:, len(FEATURES) :]),
        np.ascontiguousarray(by_user[:, [_SATIATION, _SQUARED]]),
        context.memoryless,
        *(getattr(state, name) for name in _BY_ITEM.values()),
        context.floors,
        state.topic_clicks,
        _taste(context, state, by_user.T, EVERYONE),
        context.patterns,
        *(table.indptr, table.indices, table.data),
        out,
    )
    return out


@cache
def _compiled() -> Callable[..., None] | None:
    """What weighs for many users where numba is installed, else None."""
    if find_spec("numba") is None:
        return None
    from .weigh_compiled import weigh_users

    return weigh_users


# In the functions below, ``weights`` (F, R) are those of a block of users in terms of the state's
# own numbers, and ``used`` (F,) says which of them are not all zero.


def _weigh_block(
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    used: BoolArray,
    rows: slice,
    out: FloatArray,
) -> None:
    """Write the sums: one plane of candidates after the other, then what topic sets add."""
    fixed = _fixed(state, weights, rows)
    # A BLAS product would round by column, and so break ties by column.
    np.multiply(context.memoryless[rows, 0], fixed[:, :1], out=out)
    planes = [(context.memoryless[rows, i], fixed[:, i]) for i in range(1, len(MEMORYLESS))]
    planes += [(getattr(state, n)[rows], weights[f]) for f, n in _BY_ITEM.items() if used[f]]
    floors = enumerate(context.floors, len(FEATURES))
    planes += [(floor[rows], weights[f]) for f, floor in floors if used[f]]
    term = np.empty_like(out)
    for values, weight in planes:
        np.multiply(values, weight[:, None], out=term)
        out += term
    if used[[_SATIATION, _SQUARED, _TASTE, _AFFINITY, _RATED]].any():
        by_set = _by_topic_set(context, state, weights, used, rows)
        n_rows = len(out)
        cells = context.patterns[rows] * n_rows
        cells += np.arange(n_rows)[:, None]
        # Cells are right by construction; "clip" only spares numpy a buffered check.
        out += by_set.ravel().take(cells, mode="clip")


def _fixed(state: ObservedState, weights: FloatArray, rows: slice) -> FloatArray:
    """Weights of what does not change: base score, popularity and recency; shape ``(R, 3)``."""
    fixed = np.empty((weights.shape[1], len(MEMORYLESS)), np.float32)
    fixed[:] = weights[: len(MEMORYLESS)].T
    # The base score is weighed a second time by how dissatisfied the user is.
    fixed[:, 0] += weights[_UNHAPPY] * (np.float32(1.0) - state.satisfaction[rows])
    return fixed


def _by_topic_set(
    context: PoolContext, state: ObservedState, weights: FloatArray, used: BoolArray, rows: slice
) -> FloatArray:
    """Satiation, its square and taste: weighed, and summed by topic set, shape ``(P, R)``."""
    satiation = context.sparse_pattern_mean @ state.topic_clicks[rows].T
    by_set = satiation * weights[_SQUARED]
    by_set += weights[_SATIATION]
    by_set *= satiation
    if used[[_TASTE, _AFFINITY, _RATED]].any():
        by_set += context.sparse_pattern_mean @ _taste(context, state, weights, rows).T
    return by_set


def _taste(
    context: PoolContext, state: ObservedState, weights: FloatArray, rows: slice
) -> FloatArray:
    """What each topic adds to a score by taste shown here and before, shape ``(R, T)``."""
    taste = topic_taste(state, rows)
    taste *= weights[_TASTE][:, None]
    for feature, before in zip(
        (_AFFINITY, _RATED), context.history[rows].swapaxes(0, 1), strict=True
    ):
        taste += before * weights[feature][:, None]
    return taste


def _units(n_features: int, memory: Memory) -> FloatArray:
    """What one of the state's own numbers counts in each feature, shape ``(F,)``.

    Counts decay, so that their features are per slate: see `STATE_AWARE`.
    """
    units = np.ones(n_features, np.float32)
    units[_SATIATION] = 1.0 - memory.topic_clicks
    units[_SQUARED] = units[_SATIATION] ** 2
    units[_FATIGUE] = units[_CLICKED] = 1.0 - memory.items
    return units
