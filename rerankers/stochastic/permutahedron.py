"""The polytope of expected exposures: projection onto it, and lotteries that realise its points.

A ranking gives the exposures ``γ_1 ≥ … ≥ γ_k`` to its items and 0 to the others. What lotteries
over rankings can give in expectation is the convex hull of these vectors, the permutahedron of γ
padded with zeros, which Kletti, Renders & Loiseau (WSDM 2022) call the expohedron: all vectors
with the same sum as γ in which no ``m`` items together get more than ``γ_1 + … + γ_m`` (Rado 1952).
"""

import numpy as np
from scipy.optimize import isotonic_regression

from ...arrays import BoolArray, FloatArray, IntArray
from .mixture import RankingMixture

ROUNDING = 1e-13
"""Errors of this size in an expected exposure are rounding."""


def project(points: FloatArray, discount: FloatArray, valid: BoolArray) -> FloatArray:
    """Closest expected exposures to given vectors (Euclidean), for each user.

    After a sort of the point it is an isotonic regression of what the point has above γ (Negrinho
    & Martins, NeurIPS 2014; Lim & Wright 2016). O(U · N log N).

    Args:
        points: Shape ``(U, N)``.
        discount: γ, not increasing, shape ``(k,)``, with ``k`` at most the size of each pool.
        valid: Columns that hold a candidate, shape ``(U, N)``; the others get 0.

    Returns:
        Shape ``(U, N)``.
    """
    order = np.argsort(np.where(valid, -points, np.inf), axis=1, kind="stable")
    ordered = np.take_along_axis(points, order, axis=1)
    there = np.take_along_axis(valid, order, axis=1)
    gamma = np.broadcast_to(_padded(discount, points.shape[1]), points.shape)
    starts = _pooled_blocks(ordered - gamma, there.sum(axis=1))
    point, given = ordered[there], gamma[there]
    exposure = np.zeros(points.shape)
    # Relative to each block's first point, so that points far away cancel before they are summed.
    ahead = point - _over_blocks(point[starts], starts, len(point))
    exposure[there] = ahead - _block_means(ahead, starts) + _block_means(given, starts)
    result = np.empty_like(exposure)
    np.put_along_axis(result, order, exposure, axis=1)
    return result


def decompose(exposure: FloatArray, discount: FloatArray) -> RankingMixture:
    """At most ``N`` rankings per user with the given expected exposure (Carathéodory).

    The face-following method of Grötschel, Lovász & Schrijver (1988) that Kletti et al. use: the
    ranking by exposure is a corner of the smallest face that holds the point; it gets the largest
    weight that leaves a point of the (shrunk) polytope, which then lies on a smaller face; and so
    on from what is left. Only the exposure of the ``k`` shown changes in a round, so a round costs
    a partial sort: O(U · N · (N + k log k)) at worst. There are as many rounds as the dimension of
    the largest face.

    Args:
        exposure: Shape ``(U, N)``, points of the polytope (see `project`).
        discount: γ, strictly decreasing and positive, shape ``(k,)``.

    Returns:
        The lotteries; their expected exposure equals ``exposure`` up to rounding.
    """
    (n_users, n), k = exposure.shape, len(discount)
    rest = exposure.astype(np.float64)
    rows, left = np.arange(n_users), np.ones(n_users)
    rankings = np.zeros((n_users, n, k), np.min_scalar_type(n))
    weights = np.zeros((n_users, n))
    for step in range(n):
        columns, values = _largest(rest, min(2 * k, n))
        off = np.abs(values[:, :k] - left[:, None] * discount).max(axis=1)
        last = (off <= ROUNDING) | (step + 1 == n)
        weight = np.where(last, left, _largest_weight(values, left, discount))
        rankings[rows, step:] = columns[:, None, :k]  # later ones repeat the last, at weight 0
        weights[rows, step] = weight
        left = np.where(last, 0.0, left - weight)
        going = left > 0.0
        if not going.any():
            break
        spent = values[:, :k] - weight[:, None] * discount
        np.put_along_axis(rest, columns[:, :k], spent, axis=1)
        rows, rest, left = rows[going], rest[going], left[going]
    used = np.flatnonzero((weights > 0.0).any(axis=0)).max(initial=0) + 1
    return RankingMixture(rankings[:, :used], weights[:, :used])


def _largest_weight(values: FloatArray, left: FloatArray, discount: FloatArray) -> FloatArray:
    """Largest weight of the ranking by exposure that leaves exposures of some lottery.

    With weight w what is left, r − w·v, must be what lotteries of weight (left − w) can give: not
    negative, and no ``m`` columns above (left − w)(γ_1 + … + γ_m). Each set of columns is a bound
    on w, and the ones that matter are prefixes of the order of r − w·v. Newton's method: bounds of
    the prefixes at the current w, from above, until the order there breaks none.

    Args:
        values: The largest exposures left, descending, shape ``(A, min(2k, N))``: the ``k`` shown
            and those that could come to lie above one of them.
        left: Weight not yet given away, shape ``(A,)``.
        discount: γ, shape ``(k,)``.

    Returns:
        Shape ``(A,)``, in ``[0, left]``.
    """
    k = len(discount)
    corner = _padded(discount, values.shape[1])
    most = np.cumsum(discount)
    weight = np.clip((values[:, :k] / discount).min(axis=1), 0.0, left)
    active = np.arange(len(values))
    while len(active):
        order = np.argsort(weight[active, None] * corner - values[active], axis=1)[:, :k]
        held = np.cumsum(np.take_along_axis(values[active], order, axis=1), axis=1)
        room = most - np.cumsum(corner[order], axis=1)  # 0 for the sets that v fills as well
        slack = left[active, None] * most - held
        bounds = np.divide(slack, room, out=np.full(room.shape, np.inf), where=room > ROUNDING)
        bound = np.maximum(bounds.min(axis=1), 0.0)
        lower = bound < weight[active] - ROUNDING
        active = active[lower]
        weight[active] = bound[lower]
    return weight


def _largest(values: FloatArray, n: int) -> tuple[IntArray, FloatArray]:
    """The ``n`` largest of each row, descending: their columns and they themselves."""
    if n < values.shape[1]:
        columns = np.argpartition(-values, n - 1, axis=1)[:, :n]
    else:
        columns = np.broadcast_to(np.arange(n), values.shape)
    found = np.take_along_axis(values, columns, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(found, order, axis=1)


def _pooled_blocks(values: FloatArray, sizes: IntArray) -> IntArray:
    """Blocks of each row's least-squares non-increasing fit, by pooling adjacent violators.

    Args:
        values: Shape ``(U, N)``.
        sizes: Entries of each row that count, the first ones, shape ``(U,)``.

    Returns:
        Where blocks start, in the entries that count of all rows one after another.
    """
    starts: list[IntArray] = [np.zeros(0, np.intp)]
    ends = np.cumsum(sizes)
    for row, size, end in zip(values, sizes, ends, strict=True):
        # Compiled and O(N), which beats pooling the rows side by side in numpy.
        fit = isotonic_regression(row[:size], increasing=False)
        starts.append(fit.blocks[:-1] + (end - size))
    return np.concatenate(starts)


def _block_means(values: FloatArray, starts: IntArray) -> FloatArray:
    """Mean over its block at each entry; flat, no block empty."""
    if not len(starts):
        return np.zeros(0)
    sizes = np.diff(np.append(starts, len(values)))
    return _over_blocks(np.add.reduceat(values, starts) / sizes, starts, len(values))


def _over_blocks(per_block: FloatArray, starts: IntArray, n: int) -> FloatArray:
    """A number per block at each of its ``n`` entries."""
    return np.repeat(per_block, np.diff(np.append(starts, n)))


def _padded(discount: FloatArray, n: int) -> FloatArray:
    """γ followed by zeros, shape ``(n,)``."""
    return np.concatenate([discount, np.zeros(n - len(discount))])
