"""Why one request's weights differ from the usual ones, group by group, and what that did to ranks.

Interventional Shapley values (Lundberg & Lee 2017, "A unified approach to interpreting model
predictions"; Janzing, Minorics & Blöbaum 2020, "Feature relevance quantification in explainable AI:
a causal problem"): the worth of a coalition of groups is the mean weight when these groups are this
user's and the others are those of the users of a reference sample. So they share out exactly the
difference to the usual weights, and groups that the policy does not read have exactly 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import FloatArray, IntArray
from ...rerankers.context import PoolContext
from ...rerankers.greedy import build_slates
from ...rerankers.scores import candidate_scores
from ...rerankers.state import ObservedState
from .groups import Group
from .influence import Weigh
from .shapley import shapley_values, worth_of_coalitions
from .strengths import Aspects

DEPTH = 100
"""Places of an order that are followed; what comes later counts as one place beyond."""

ROWS_AT_ONCE = 128
"""Orders made together; few enough that no code is compiled for them."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """One request's weights against the usual ones; ``G`` groups, ``A`` weights, ``J`` aspects.

    Attributes:
        weights: Mean weights of each coalition, shape ``(2^G, A)``; the first row are the usual
            ones, the last this request's own.
        strengths: Mean strengths (see `strengths`) of each coalition, shape ``(2^G, J)``.
        by_weight: Shapley values of the groups, shape ``(G, A)``; they sum to own minus usual.
        by_aspect: The same for strengths, shape ``(G, J)``.
    """

    weights: FloatArray
    strengths: FloatArray
    by_weight: FloatArray
    by_aspect: FloatArray

    def removed(self, group: int) -> int:
        """The coalition of all groups but one."""
        return len(self.weights) - 1 - 2**group


def attribute(
    weigh: Weigh,
    seen: FloatArray,
    reference: FloatArray,
    groups: Sequence[Group],
    aspects: Aspects,
    loadings: FloatArray,
) -> Attribution:
    """Share the difference between one request's weights and the usual ones out to the groups.

    O(2^G · M) calls of the policy.

    Args:
        weigh: The policy.
        seen: What it saw of this request, shape ``(O,)``.
        reference: What it sees of other users, shape ``(M, O)``.
        groups: Groups of columns; columns in none count as this request's throughout.
        aspects: Which weights belong together.
        loadings: Of this request (`Aspects.loadings`), shape ``(A,)``.
    """

    def means(values: FloatArray) -> FloatArray:
        strengths = aspects.strengths(values, loadings)
        return np.concatenate([values.mean(axis=1), strengths.mean(axis=1)], axis=1)

    base = reference.copy()
    grouped = np.concatenate([group.columns for group in groups]) if groups else np.zeros(0, int)
    alone = np.setdiff1d(np.arange(reference.shape[1]), grouped)
    base[:, alone] = seen[alone]
    worth = worth_of_coalitions(weigh, base, seen[None], groups, means)
    n_weights = len(aspects.of_weight)
    shares = shapley_values(worth)
    return Attribution(
        weights=worth[:, :n_weights],
        strengths=worth[:, n_weights:],
        by_weight=shares[:, :n_weights],
        by_aspect=shares[:, n_weights:],
    )


def places(
    context: PoolContext, state: ObservedState, weights: FloatArray, columns: IntArray
) -> IntArray:
    """Places of some candidates of one user in the orders of several weight vectors.

    Args:
        context: One user's pool.
        state: Their state.
        weights: Of the features, then the strength of diversity, shape ``(S, A)``.
        columns: Pool columns of the candidates, shape ``(k,)``.

    Returns:
        1 is the top, ``min(DEPTH, pool size) + 1`` what lies beyond; shape ``(S, k)``.
    """
    depth = min(DEPTH, int(context.n_valid[0]))
    found = np.full((len(weights), len(columns)), depth + 1)
    for start in range(0, len(weights), ROWS_AT_ONCE):
        part = np.asarray(weights[start : start + ROWS_AT_ONCE], np.float32)
        same = np.zeros(len(part), np.intp)
        pools, known = context.take(same), state.take(same)
        scores = candidate_scores(pools, known, part[:, :-1])
        order = build_slates(scores, np.maximum(part[:, -1], 0.0), pools, depth)
        at = order[:, :, None] == columns
        rows = found[start : start + ROWS_AT_ONCE]
        rows[:] = np.where(at.any(axis=1), at.argmax(axis=1) + 1, rows)
    return found


def rank_moves(
    attribution: Attribution, context: PoolContext, state: ObservedState, columns: IntArray
) -> FloatArray:
    """Places that each group moved some candidates up, against the usual weights.

    Shapley values of the place in the orders of `Attribution.weights`: per candidate they sum to
    its place under the usual weights less its place under this request's own. O(2^G) orders.

    Args:
        attribution: Of this request.
        context: Its pool.
        state: Its state.
        columns: Pool columns of the candidates, shape ``(k,)``.

    Returns:
        Shape ``(G, k)``; negative where a group moved a candidate down.
    """
    return shapley_values(-places(context, state, attribution.weights, columns).astype(np.float64))
