"""What each rule of a linear re-ranker did: the parts of its score, and the order without it."""

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from ..rerankers.constraints import Constraints, ExposureFloor
from ..rerankers.context import MEMORYLESS, PoolContext
from ..rerankers.features import FEATURES, scoring_features
from ..rerankers.greedy import build_slates
from ..rerankers.scores import candidate_scores
from ..rerankers.state import ObservedState
from .trace import OrderWithout, Part, RankTrace, one_pool


def linear_trace(
    pools: CandidatePools,
    context: PoolContext,
    state: ObservedState,
    weights: FloatArray,
    diversity: float,
    k: int,
    shown: IntArray,
    constraints: Constraints,
) -> RankTrace:
    """Trace one user's slate under weights over features and a diversity strength.

    "Without a rule" ranks the whole pool again with that rule's weights at zero and everything
    else as it was: the exposure floors one at a time, the distance term, the state-aware
    features together. "Without rules" does so without all limits on exposure and the distance
    term at once.

    Args:
        pools: The user's pool.
        context: Its static arrays, one user.
        state: The user's state, one user.
        weights: Of the features, shape ``(F,)``, as they were when the slate was made.
        diversity: Strength of the distance term at that time.
        k: Slate length.
        shown: Item indices of the slate, shape ``(k,)``.
        constraints: Those that the context was made with; their floors are named in the trace.

    Raises:
        InvalidValue: There is not exactly one user, the constraints have other floors than the
            context, or the slate is not what these weights give.
    """
    items, scores = one_pool(pools)
    floors = constraints.exposure
    if len(floors) != len(context.floors):
        raise InvalidValue(
            f"{len(floors)} floors, the context has {len(context.floors)}", field="constraints"
        )
    features = scoring_features(context, state)

    def order(used: FloatArray, strength: float) -> IntArray:
        totals = candidate_scores(context, state, used)
        return pools.items[0][build_slates(totals, strength, context, len(items))[0]]

    if not np.array_equal(order(weights, diversity)[:k], shown):
        raise InvalidValue("the slate is not what these weights give", field="shown")
    state_columns = np.arange(len(MEMORYLESS), len(FEATURES))
    without = [
        OrderWithout(
            "exposure",
            order(_zero(weights, len(FEATURES) + i), diversity),
            floor.attribute,
            floor.group,
        )
        for i, floor in enumerate(floors)
        # A ceiling lifts whatever is not in its group, which is no rule in anybody's favour.
        if isinstance(floor, ExposureFloor) and weights[len(FEATURES) + i] != 0
    ]
    if diversity != 0:
        without.append(OrderWithout("diversity", order(weights, 0.0)))
    if weights[state_columns].any():
        without.append(OrderWithout("state", order(_zero(weights, state_columns), diversity)))
    columns = RankTrace(items, scores, shown).shown_columns()
    parts = _parts(features[0, columns], weights)
    parts["diversity"] = diversity * _distance_above(context, columns)
    free_of_limits = _zero(weights, np.arange(len(FEATURES), len(weights)))
    return RankTrace(items, scores, shown, parts, tuple(without), order(free_of_limits, 0.0))


def _zero(weights: FloatArray, columns: IntArray | int) -> FloatArray:
    changed = weights.copy()
    changed[columns] = 0.0
    return changed


def _parts(features: FloatArray, weights: FloatArray) -> dict[Part, FloatArray]:
    """Weighted features of the shown items, summed by kind; ``(k, F)`` to ``(k,)`` each."""
    weighted = features * weights
    first, last = len(MEMORYLESS), len(FEATURES)
    return {
        "base": weighted[:, :first].sum(axis=1),
        "state": weighted[:, first:last].sum(axis=1),
        "exposure": weighted[:, last:].sum(axis=1),
    }


def _distance_above(context: PoolContext, columns: IntArray) -> FloatArray:
    """Mean Jaccard distance of each shown item to those above it, shape ``(k,)``; 0 on top."""
    patterns = context.patterns[0, columns]
    above = np.tril(context.pattern_distance[np.ix_(patterns, patterns)], k=-1)
    return above.sum(axis=1) / np.maximum(np.arange(len(columns)), 1)
