"""Local search on CP-Fair's objective: single exchanges within single slates."""

import numpy as np

from ...arrays import FloatArray, IntArray
from .gaps import GapProblem, Totals

CELLS = 1 << 17
"""Exchanges looked at in a step: bounds its time and memory, however many users there are."""


def improved_by_swaps(problem: GapProblem, columns: IntArray, steps: int) -> IntArray:
    """Exchange one shown candidate for one that is not, best exchange first, while F rises.

    What rounding leaves of a gap is what a few users' slates hold, so the first users alone are
    looked at, as many as `CELLS` allows: all of them in a small batch. The order of the users is a
    hash, so nobody is always among them. O(CELLS) a step.

    Args:
        problem: The users, in serving order.
        columns: Slates, shape ``(U, k)``.
        steps: Exchanges at most.

    Returns:
        Columns, ascending, shape ``(U, k)``.
    """
    n_columns = problem.relevance.shape[1]
    n_first = max(CELLS // max(problem.k * n_columns, 1), 1)
    first = problem.first(n_first)
    columns, totals = columns.copy(), problem.totals(columns)
    head = columns[:n_first]
    for _ in range(steps):
        value = _after_swaps(problem, first, head, totals)
        user, out, into = np.unravel_index(int(value.argmax()), value.shape)
        if value[user, out, into] <= problem.objective(totals) + 1e-12:
            break
        head[user, out] = into
        totals = problem.totals(columns)
    return np.sort(columns, axis=1)


def _after_swaps(
    problem: GapProblem, first: GapProblem, columns: IntArray, totals: Totals
) -> FloatArray:
    """F after each exchange, shape ``(u, k, N)``; −inf where the new one is shown already."""
    relevance = first.relevance.copy()
    np.put_along_axis(relevance, columns, -np.inf, axis=1)
    dropped = np.take_along_axis(first.relevance, columns, axis=1)
    value = totals.relevance + (relevance[:, None, :] - dropped[:, :, None]) / problem.slots
    if len(totals.utility):
        lost = np.take_along_axis(first.utility, columns, axis=1)
        change = first.utility[:, None, :] - lost[:, :, None]
        value -= problem.consumer_weight * _user_gap(problem, first, totals.utility, change)
    if len(totals.exposure):
        out = np.take_along_axis(first.item_codes, columns, axis=1)
        gaps = _item_gaps(totals.exposure, problem.item_scale / problem.slots)
        value -= problem.producer_weight * gaps[out[:, :, None], first.item_codes[:, None, :]]
    return value


def _user_gap(
    problem: GapProblem, first: GapProblem, utility: FloatArray, change: FloatArray
) -> FloatArray:
    """DCF once a user's utility has changed by ``change``, shape ``(u, k, N)``."""
    n_groups = len(utility)
    # Of the groups other than the user's; of all for a user of none, whom nothing moves.
    own = np.vstack([np.eye(n_groups, dtype=bool), np.zeros((1, n_groups), bool)])
    high = np.where(own, -np.inf, utility).max(axis=1)
    low = np.where(own, np.inf, utility).min(axis=1)
    code = first.user_codes[:, None, None]
    step = change / np.append(problem.n_users, np.inf)[code]
    moved = np.append(utility, utility[0])[code] + step
    return np.maximum(moved, high[code]) - np.minimum(moved, low[code])


def _item_gaps(exposure: FloatArray, per_slot: FloatArray) -> FloatArray:
    """DPF after an item of one group (row) is replaced by one of another (column)."""
    n_groups = len(exposure)
    unit = np.vstack([np.diag(per_slot), np.zeros((1, n_groups))])
    return np.ptp(exposure - unit[:, None, :] + unit[None, :, :], axis=2)
