"""The best lottery under one linear bound mixes two sorts: found exactly, without a solver."""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray

IMPROVEMENT = 1e-12
"""Relative gain below which a new ranking is a rounding error."""


def best_under_bound(
    relevance: FloatArray, cost: FloatArray, bound: FloatArray, discount: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Maximise Σ exposure · relevance subject to Σ exposure · cost ≤ bound, for each user.

    The linear programme over doubly stochastic matrices (Singh & Joachims 2018) has one coupling
    constraint, so some optimum mixes two rankings, and both sort by ``relevance − μ · cost`` at the
    optimal multiplier μ. Rankings are points (cost, gain); the answer is where their upper hull
    crosses the bound. Starting from the base order and from the cheapest order, μ is the slope of
    the chord between them; the sort at μ is the hull's farthest point above the chord and replaces
    the end on its side, until none lies above (Eisner & Severance, JACM 1976). It ends at the exact
    optimum, in practice after 3 to 8 sorts of a shrinking set of users. O(U · N log N) a sort.

    Args:
        relevance: Shape ``(U, N)``; each row descending, −inf in padding, which comes last.
        cost: Shape ``(U, N)``, any sign.
        bound: Shape ``(U,)``.
        discount: Exposure of the ``k`` positions, shape ``(k,)``.

    Returns:
        Columns, shape ``(U, 2, k)``, and weights, shape ``(U, 2)``: the base order (its first
        ranking, weight 1) where it meets the bound, and the most relevant of the cheapest orders
        (its second, weight 1) where even that is above the bound.
    """
    n_users, k = len(relevance), len(discount)
    padding = np.isneginf(relevance)
    worth = np.where(padding, 0.0, relevance)
    scale = np.abs(cost).max(axis=1, initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)
    cost, bound = cost / scale[:, None], bound / scale

    columns = np.empty((n_users, 2, k), np.intp)
    columns[:, 0] = np.arange(k)
    columns[:, 1] = _top(-cost, padding, k)
    gains = np.stack([_expected(worth, columns[:, side], discount) for side in (0, 1)], axis=1)
    costs = np.stack([_expected(cost, columns[:, side], discount) for side in (0, 1)], axis=1)

    at_bound = IMPROVEMENT * float(discount.sum())
    met, out_of_reach = costs[:, 0] <= bound + at_bound, costs[:, 1] >= bound - at_bound
    active = np.flatnonzero(~met & ~out_of_reach)
    while len(active):
        rise, run = gains[active, 0] - gains[active, 1], costs[active, 0] - costs[active, 1]
        slope = rise / run
        chosen = _top(worth[active] - slope[:, None] * cost[active], padding[active], k)
        gain = _expected(worth[active], chosen, discount)
        spent = _expected(cost[active], chosen, discount)
        chord = gains[active, 0] - slope * costs[active, 0]
        size = np.abs(gains[active, 0]) + slope * np.abs(costs[active, 0])
        better = gain - slope * spent > chord + IMPROVEMENT * size
        side = (spent <= bound[active]).astype(np.intp)
        active, side = active[better], side[better]
        columns[active, side] = chosen[better]
        gains[active, side], costs[active, side] = gain[better], spent[better]

    run = costs[:, 0] - costs[:, 1]
    share = np.divide(bound - costs[:, 1], run, out=np.zeros(n_users), where=run > 0)
    first = np.where(met, 1.0, np.where(out_of_reach, 0.0, np.clip(share, 0.0, 1.0)))
    return columns, np.stack([first, 1.0 - first], axis=1)


def _top(key: FloatArray, padding: BoolArray, k: int) -> IntArray:
    """The ``k`` columns of the largest keys, equal ones in base order, ``(U, k)``."""
    return np.argsort(np.where(padding, np.inf, -key), axis=1, kind="stable")[:, :k]


def _expected(values: FloatArray, columns: IntArray, discount: FloatArray) -> FloatArray:
    """Σ discount · value of the ranking, ``(U,)``."""
    # Not a matrix product: its rounding may depend on how many users it is given.
    return (np.take_along_axis(values, columns, axis=1) * discount).sum(axis=1)
