"""Solves CP-Fair's programme for all users at once: cutting planes, then rounding and repair."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ...arrays import FloatArray, IntArray
from .gap_swaps import CELLS, improved_by_swaps
from .gaps import GapProblem, Totals

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Solution:
    """Slates, and how good they can at most be.

    Attributes:
        columns: Chosen columns, ascending, shape ``(U, k)``.
        objective: F of these slates.
        bound: No slates have a larger F.
        rounds: Sorts of all users that it took.
    """

    columns: IntArray
    objective: float
    bound: float
    rounds: int


@dataclass(slots=True)
class _Cuts:
    """Slates found so far, as what they total; a row each."""

    prices: list[FloatArray]
    totals: list[Totals]

    def matrix(self) -> tuple[FloatArray, FloatArray]:
        """Relevance ``(T,)`` and what prices are paid on ``(T, G_U + G_I)``."""
        paid = [np.concatenate([t.utility, t.exposure]) for t in self.totals]
        return np.array([t.relevance for t in self.totals]), np.array(paid)


def solve(problem: GapProblem, rounds: int, tolerance: float, swaps: int) -> Solution:
    """Slates whose objective is close to the best there is.

    The dual, a convex function of one price per group, is minimised by cutting planes (Kelley
    1960), each cut being the totals of one best response; the query lies half-way between the
    master programme's answer and the best prices so far, which damps its jumps. The master's own
    dual mixes at most G + 1 of these responses into the optimal fractional selection. Users are
    dealt to them in that proportion; then some are moved to another response, and single
    candidates exchanged, while that raises F. O(rounds · U · N).

    Args:
        problem: The users, in serving order.
        rounds: Best responses at most.
        tolerance: Stop when the bound can fall by no more than this.
        swaps: Exchanges of single candidates at most.
    """
    n_user_groups = len(problem.n_users)
    best_prices = np.zeros(n_user_groups + len(problem.item_scale))
    cuts, bound, mixture = _Cuts([], []), np.inf, np.ones(1)
    query = best_prices
    for _ in range(rounds):
        columns = problem.best_response(query[:n_user_groups], query[n_user_groups:])
        totals = problem.totals(columns)
        cuts.prices.append(query)
        cuts.totals.append(totals)
        paid = np.concatenate([totals.utility, totals.exposure])
        value = totals.relevance - float(query @ paid)
        if value < bound:
            bound, best_prices = value, query
        lowest, wanted, mixture = _master(problem, cuts)
        if bound - lowest <= tolerance:
            break
        query = (best_prices + wanted) / 2.0
    columns = _repaired(problem, *_dealt(problem, cuts, mixture))
    columns = improved_by_swaps(problem, columns, swaps)
    reached = float(problem.objective(problem.totals(columns)))
    return Solution(columns, reached, float(bound), len(cuts.prices))


def _master(problem: GapProblem, cuts: _Cuts) -> tuple[float, FloatArray, FloatArray]:
    """Prices that minimise the cuts' upper envelope: its value, the prices, the cuts' weights."""
    relevance, paid = cuts.matrix()
    weights = (problem.consumer_weight, problem.producer_weight)
    sizes = (len(problem.n_users), len(problem.item_scale))
    n = sum(sizes)
    # Variables: the value, then prices as a positive and a negative part, each summing to the same
    # amount of at most λ on either side.
    at_most = [np.hstack([-np.ones((len(paid), 1)), -paid, paid])]
    limits = [-relevance]
    balanced = np.zeros((2, 1 + 2 * n))
    for side, (start, size) in enumerate(((0, sizes[0]), (sizes[0], sizes[1]))):
        positive = slice(1 + start, 1 + start + size)
        negative = slice(1 + n + start, 1 + n + start + size)
        balanced[side, positive], balanced[side, negative] = 1.0, -1.0
        total = np.zeros((1, 1 + 2 * n))
        total[0, positive] = 1.0
        at_most.append(total)
        limits.append(np.array([weights[side]]))
    found = linprog(
        np.append(1.0, np.zeros(2 * n)),
        np.vstack(at_most),
        np.concatenate(limits),
        balanced,
        np.zeros(2),
        bounds=[(None, None)] + [(0.0, None)] * (2 * n),
        method="highs",
    )
    prices = found.x[1 : 1 + n] - found.x[1 + n :]
    mixture = np.maximum(-found.ineqlin.marginals[: len(paid)], 0.0)
    return float(found.fun), prices, mixture / mixture.sum()


def _dealt(problem: GapProblem, cuts: _Cuts, mixture: FloatArray) -> tuple[IntArray, IntArray]:
    """The responses that are mixed, ``(T, U, k)``, and which of them each user gets, ``(U,)``."""
    active = np.flatnonzero(mixture > 1e-9)
    split = len(problem.n_users)
    options = np.stack(
        [problem.best_response(cuts.prices[t][:split], cuts.prices[t][split:]) for t in active]
    )
    # Multiples of the golden ratio fill [0, 1) as evenly as any sequence: every run of users gets
    # the responses in proportion.
    even = (np.arange(options.shape[1]) * _GOLDEN) % 1.0
    edges = np.cumsum(mixture[active])[:-1]
    return options, np.searchsorted(edges, even, side="right")


def _repaired(problem: GapProblem, options: IntArray, choice: IntArray) -> IntArray:
    """Move one user after another to another response, best move first, while F rises.

    Of the users whose responses differ, as many are looked at as `CELLS` allows.
    """
    users = np.arange(len(choice))
    shares = [problem.per_user(columns) for columns in options]
    movable = np.flatnonzero((options != options[:1]).any(axis=(0, 2)))
    n_groups = len(problem.n_users)
    width = options.shape[0] * max(n_groups + len(problem.item_scale), 1)
    movable = movable[: max(CELLS // width, 1)]
    relevance, utility, exposure = (
        np.stack([share[part][movable] for share in shares], axis=1) for part in range(3)
    )
    member = np.append(np.eye(n_groups), np.zeros((1, n_groups)), axis=0)
    utility = utility[:, :, None] * member[problem.user_codes[movable]][:, None, :]
    totals = problem.totals(options[choice, users])
    reached, rows = problem.objective(totals), np.arange(len(movable))
    for _ in range(len(movable)):
        at = choice[movable]
        # Totals after each move, of one user to one response: (movable, T), and per group.
        moved = Totals(
            totals.relevance + relevance - relevance[rows, at][:, None],
            totals.utility + utility - utility[rows, at][:, None],
            totals.exposure + exposure - exposure[rows, at][:, None],
        )
        value = problem.objective(moved)
        row, to = np.unravel_index(int(value.argmax()), value.shape)
        if value[row, to] <= reached + 1e-12:
            break
        choice[movable[row]], reached = to, value[row, to]
        totals = Totals(moved.relevance[row, to], moved.utility[row, to], moved.exposure[row, to])
    return options[choice, users]
