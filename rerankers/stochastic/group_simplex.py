"""The best lottery within a gap between a few groups: a simplex method whose columns are sorts.

Singh & Joachims' programme (KDD 2018) over lotteries in place of placement matrices (Dantzig &
Wolfe, 1960). With ``r_g(R)`` the rate that ranking R gives to group g, it reads

    maximise    Σ_R w_R · DCG(R) − PENALTY · Σ_S e_S
    subject to  Σ_R w_R · r_g(R) + allowed · Σ_{S∋g} a_S + Σ_{S∋g} e_S = h    for every group g
                Σ_R w_R = 1,  Σ_S a_S = 1,  w, a, e ≥ 0,  h free.

The sets S of groups stand for how far each group may stay below the highest, h: every vector in
[0, allowed]^G is a mixture of corners. What the excess e adds beyond is allowed has a price that
is never worth paying, unless the gap is out of reach.

There are as many constraints as groups, and two; so a basis is small, and the best column to enter
it is found without listing any: the best ranking sorts by ``relevance − price of the group · rate``
and the best set holds the groups of negative price. All users pivot at the same time, each on a
basis of their own.
"""

from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...metrics.lists import sum_by
from .group_rates import GroupRates

PENALTY = 1e5
"""Price of excess, where relevance is at most 1 and so is what exposure adds to a rate."""

TOLERANCE = 1e-9
"""Reduced costs, pivots and violations below this are rounding errors."""

MOST_GROUPS, PIVOTS_PER_GROUP = 20, 60
"""Pools of more groups, and users who need more pivots, are better left to another solver."""

RANKING, ALLOWED, EXCESS, LEVEL, ABSENT = range(5)
"""Kinds of basic columns: w_R, a_S, e_S, h, and the row of a group that a pool lacks."""


def best_within_gap(
    gains: FloatArray, rates: GroupRates, allowed: FloatArray, discount: FloatArray
) -> tuple[IntArray, FloatArray, BoolArray]:
    """Largest expected DCG whose expected gap between groups is at most what is allowed.

    Args:
        gains: Relevance, shape ``(U, N)``; each row descending, −inf in padding.
        rates: Groups of the columns.
        allowed: Largest gap, shape ``(U,)``.
        discount: Exposure of the ``k`` positions, shape ``(k,)``.

    Returns:
        Columns, shape ``(U, M, k)`` with M at most the number of groups and two, weights, shape
        ``(U, M)``, and who is settled, shape ``(U,)``: of the others the gap is out of reach or
        the search took too long. O(N log N + G²) a pivot and user, about G² pivots at most.
    """
    relevance_scale = np.maximum(gains[:, 0], np.finfo(np.float64).tiny)
    rate_scale = rates.unit.max(axis=1)
    pools = _Pools(
        gains / relevance_scale[:, None],
        _numbered(rates),
        rates.unit / rate_scale[:, None],
        allowed / rate_scale,
        discount,
    )
    n_groups = int(rates.n_present.max(initial=0))
    basis = _first_basis(pools, rates.n_present, n_groups)
    rows, limits = np.arange(len(gains)), PIVOTS_PER_GROUP * rates.n_present
    given_up = [np.zeros(0, np.intp)]
    for pivots in range(1, PIVOTS_PER_GROUP * n_groups + 1):
        rows = rows[_pivot(basis, pools, rows)]
        late = limits[rows] <= pivots
        given_up.append(rows[late])
        rows = rows[~late]
        if not len(rows):
            break
    return _read(basis, np.concatenate(given_up))


@dataclass(frozen=True, slots=True)
class _Pools:
    """Relevance (at most 1), group number, rate per exposure (at most 1) of the columns."""

    gains: FloatArray
    numbers: IntArray
    unit: FloatArray
    allowed: FloatArray
    discount: FloatArray

    def best_rankings(self, rows: IntArray, price: FloatArray) -> IntArray:
        """Sort by relevance less the price of the rate, ``(A, k)``; price is ``(A, G + 1)``."""
        k = len(self.discount)
        cost = np.take_along_axis(price, self.numbers[rows], axis=1) * self.unit[rows]
        cost -= self.gains[rows]
        top = np.argpartition(cost, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(cost, top, axis=1), axis=1, kind="stable")
        return np.take_along_axis(top, order, axis=1)

    def measure(
        self, rows: IntArray, columns: IntArray, n_groups: int
    ) -> tuple[FloatArray, FloatArray]:
        """DCG ``(A,)`` and rates of the groups ``(A, G)`` of one ranking per user."""
        at = rows[:, None], columns
        dcg = (self.gains[at] * self.discount).sum(axis=1)
        cells = np.arange(len(rows))[:, None] * (n_groups + 1) + self.numbers[at]
        added = (self.unit[at] * self.discount).ravel()
        rates = sum_by(cells.ravel(), added, len(rows) * (n_groups + 1))
        return dcg, rates.reshape(len(rows), n_groups + 1)[:, :n_groups]


@dataclass(frozen=True, slots=True)
class _Basis:
    """One basis per user, changed in place; ``m = G + 2`` rows.

    Attributes:
        inverse: Inverse of the matrix of basic columns, shape ``(U, m, m)``.
        values: Value of each basic column, shape ``(U, m)``.
        costs: Its coefficient in the objective, shape ``(U, m)``.
        kinds: What it is, shape ``(U, m)``.
        rankings: The ranking where it is one, shape ``(U, m, k)``.
    """

    inverse: FloatArray
    values: FloatArray
    costs: FloatArray
    kinds: IntArray
    rankings: IntArray


def _numbered(rates: GroupRates) -> IntArray:
    """Number of each column's group among those present in its pool; their count where none."""
    number = np.cumsum(rates.present, axis=1) - 1
    counted = rates.unit > 0.0
    own = np.take_along_axis(number, np.maximum(rates.codes, 0), axis=1)
    return np.where(counted, own, int(rates.n_present.max(initial=0)))


def _first_basis(pools: _Pools, n_present: IntArray, n_groups: int) -> _Basis:
    """The base order, the highest group's rate as level, and an excess for every other group."""
    n_users, m, k = len(n_present), n_groups + 2, len(pools.discount)
    users, groups = np.arange(n_users), np.arange(n_groups)
    base = np.tile(np.arange(k), (n_users, 1))
    dcg, rates = pools.measure(users, base, n_groups)
    present = groups < n_present[:, None]
    highest = rates.argmax(axis=1)

    matrix = np.zeros((n_users, m, m))
    matrix[:, np.arange(m), np.arange(m)] = 1.0
    matrix[users[:, None], groups, highest[:, None]] = -1.0 * present
    matrix[:, :n_groups, n_groups] = rates
    kinds = np.full((n_users, m), ALLOWED)  # the last one: the empty set, a column of zeros
    kinds[:, :n_groups] = np.where(present, EXCESS, ABSENT)
    kinds[users, highest], kinds[:, n_groups] = LEVEL, RANKING
    costs = np.where(kinds == EXCESS, -PENALTY, 0.0)
    costs[:, n_groups] = dcg
    inverse = np.linalg.inv(matrix)
    rankings = np.zeros((n_users, m, k), np.intp)
    rankings[:, n_groups] = base
    # The right-hand side is 0 for every group and 1 for both sums.
    return _Basis(inverse, inverse[:, :, n_groups:].sum(axis=2), costs, kinds, rankings)


def _pivot(basis: _Basis, pools: _Pools, rows: IntArray) -> BoolArray:
    """Let the best column of each user's enter the basis; who had one, shape ``(A,)``."""
    inverse, n_groups = basis.inverse[rows], basis.inverse.shape[1] - 2
    prices = (basis.costs[rows, None, :] @ inverse)[:, 0]
    of_group = prices[:, :n_groups]
    columns = pools.best_rankings(rows, np.pad(of_group, ((0, 0), (0, 1))))
    dcg, rates = pools.measure(rows, columns, n_groups)
    lifted = np.where(of_group < 0.0, 1.0, 0.0)  # the groups of the best set
    saved = -(of_group * lifted).sum(axis=1)
    allowed = pools.allowed[rows]
    worth = np.stack(
        [
            dcg - (of_group * rates).sum(axis=1) - prices[:, n_groups],
            allowed * saved - prices[:, n_groups + 1],
            saved - PENALTY,
        ],
        axis=1,
    )
    kind, entering = worth.argmax(axis=1), worth.max(axis=1) > TOLERANCE
    height = np.where(kind == ALLOWED, allowed, 1.0)[:, None]
    by_group = np.where((kind == RANKING)[:, None], rates, height * lifted)
    sums = np.stack([kind == RANKING, kind == ALLOWED], axis=1)
    cost = np.where(kind == RANKING, dcg, np.where(kind == EXCESS, -PENALTY, 0.0))

    way = (inverse @ np.concatenate([by_group, sums], axis=1)[:, :, None])[:, :, 0]
    leaving = _ratio_test(basis.values[rows], way, basis.kinds[rows])
    entering &= leaving >= 0
    e, at = np.flatnonzero(entering), rows[entering]
    out = leaving[e]
    pivot_row = inverse[e, out] / way[e, out][:, None]
    updated = inverse[e] - way[e][:, :, None] * pivot_row[:, None, :]
    updated[np.arange(len(e)), out] = pivot_row
    basis.inverse[at] = updated
    basis.values[at] = updated[:, :, n_groups:].sum(axis=2)
    basis.costs[at, out], basis.kinds[at, out] = cost[e], kind[e]
    basis.rankings[at, out] = columns[e]
    return entering


def _ratio_test(values: FloatArray, way: FloatArray, kinds: IntArray) -> IntArray:
    """Which basic column reaches 0 first, shape ``(A,)``, −1 if none does; h has no sign.

    Among equals the one of the largest pivot, for accuracy.
    """
    falls = (way > TOLERANCE) & (kinds != LEVEL) & (kinds != ABSENT)
    ratio = np.divide(np.maximum(values, 0.0), way, out=np.full(way.shape, np.inf), where=falls)
    first = ratio.min(axis=1, keepdims=True)
    pivots = np.where(falls & (ratio <= first * (1.0 + TOLERANCE) + 1e-12), way, -np.inf)
    return np.where(falls.any(axis=1), pivots.argmax(axis=1), -1)


def _read(basis: _Basis, given_up: IntArray) -> tuple[IntArray, FloatArray, BoolArray]:
    """Rankings and weights, largest first, and whose solution holds."""
    shown = basis.kinds == RANKING
    weights = np.where(shown, np.maximum(basis.values, 0.0), 0.0)
    total = weights.sum(axis=1)
    excess = np.where(basis.kinds == EXCESS, basis.values, 0.0).sum(axis=1)
    settled = (np.abs(total - 1.0) <= TOLERANCE) & (excess <= TOLERANCE)
    settled &= basis.values.min(axis=1, where=basis.kinds != LEVEL, initial=0.0) >= -TOLERANCE
    settled[given_up] = False
    order = np.argsort(-weights, axis=1, kind="stable")
    weights = np.take_along_axis(weights, order, axis=1) / total[:, None]
    return np.take_along_axis(basis.rankings, order[:, :, None], axis=1), weights, settled
