"""Slates that are best together: greedy's own, improved by swaps while any swap improves them.

Greedy (`greedy.build_slates`) weighs a candidate against what already stands above it. It cannot
know what will stand below, nor that a position further down is looked at less. What it is after,
though, is one number of the whole slate:

    Σ_j look_j · v_(j) / Σ_j look_j  +  price · mean pairwise distance,      v_(1) ≥ … ≥ v_(k)

the mean value of a look, plus a price for the slate's diversity. Given *which* items are shown, the
best order sorts them by value (looks fall; Hardy, Littlewood & Pólya 1934, "Inequalities"), and the
distance does not depend on it. So the search is over sets: begin with greedy's, make the best of
all swaps of one item shown for one that is not, until none improves. On candidates of
MovieLens-100K that takes two or three swaps.

This is max-sum diversification. The sorted, weighted sum is monotone and submodular in the set
where values are ≥ 0 (it is an integral over thresholds t of a concave function of how many values
exceed t), Jaccard distance is a metric, and there a set that no swap improves is worth at least
half of the best one. On random small pools it nearly always *is* the best one
(tests/rerankers/test_joint.py).

Sources:
    Borodin, Lee & Ye 2012, "Max-Sum Diversification, Monotone Submodular Functions and Dynamic
    Updates": local search by swaps, and its bound of one half.
    Gollapudi & Sharma 2009, "An axiomatic approach for result diversification": relevance plus
    the sum of distances as one objective.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .context import PoolContext
from .greedy import build_slates, slate_diversity

SMALLEST_GAIN = 1e-9
"""What a swap must bring to be made, in units of the largest value plus the price: far above the
rounding of float64, so that the objective truly rises and the search ends."""

BLOCK = 128
"""Users whose ``(U, k, N)`` swaps are weighed together in numpy."""


def joint_slates(
    values: FloatArray, price: FloatArray | float, looks: FloatArray, context: PoolContext
) -> IntArray:
    """Slates that no swap of one item improves, and never worse than greedy's.

    Equal swaps resolve to the one that replaces the highest position, then to the lowest column;
    equal values within a slate to the lowest column first. What a user is shown does not depend on
    the other users. At price 0 it is a sort, which is exact. Costs O(U · k · N) for each swap.

    Args:
        values: What a look at each candidate is worth, shape ``(U, N)``, in any unit; may be
            negative. Read as float32.
        price: Of the mean pairwise distance of a slate, in the unit of a look's value, ≥ 0, shape
            ``(U,)`` or one number for all.
        looks: How often each position is looked at, > 0 and never rising, shape ``(k,)``.
        context: The pools.

    Returns:
        Pool columns, shape ``(U, k)``, the largest value first.

    Raises:
        InvalidValue: A value of a candidate or a price is not finite, a price is negative, the
            looks rise or are not positive, or ``k`` is below 1 or above the size of a pool.
    """
    looks = _require_looks(looks)
    strength = np.asarray(price, np.float32)
    if not (np.isfinite(strength) & (strength >= 0.0)).all():
        raise InvalidValue(
            "a price of diversity is negative or not finite",
            field="price",
            mend="Use finite numbers, 0 or more.",
        )
    k, worth = len(looks), _require_values(values, context)
    columns = build_slates(worth, strength, context, k)
    prices = np.broadcast_to(strength, (len(context),)).astype(np.float64)
    # Times the sum of looks, the objective is Σ look · value + weight · Σ distance of pairs.
    weight = prices * (looks.sum() * 2.0 / max(k * (k - 1), 1))
    least = SMALLEST_GAIN * (np.abs(worth).max(axis=1, initial=0.0) + prices)
    distance = context.pattern_distance.astype(np.float64)
    compiled = compiled_swaps()
    if compiled is not None:
        compiled(worth, context.valid, context.patterns, distance, weight, looks, least, columns)
        return columns
    for start in range(0, len(columns), BLOCK):
        rows = slice(start, start + BLOCK)
        columns[rows] = swap_while_it_pays(
            worth[rows],
            context.valid[rows],
            context.patterns[rows],
            distance,
            weight[rows],
            looks,
            least[rows],
            columns[rows],
        )
    return columns


def joint_objective(
    values: FloatArray,
    price: FloatArray | float,
    looks: FloatArray,
    context: PoolContext,
    columns: IntArray,
) -> FloatArray:
    """What `joint_slates` maximises, of any slates in the order they are shown, shape ``(U,)``.

    Args:
        values: As there, shape ``(U, N)``.
        price: As there.
        looks: As there.
        context: The pools.
        columns: The slates, shape ``(U, k)``.
    """
    shown = np.take_along_axis(np.asarray(values, np.float64), columns, axis=1)
    return shown @ (looks / looks.sum()) + price * slate_diversity(context, columns)


def _require_values(values: FloatArray, context: PoolContext) -> FloatArray:
    """As float32 has them, in float64, and 0 in padding."""
    if values.shape != context.items.shape:
        raise InvalidValue(
            f"{values.shape} values for pools of {context.items.shape}", field="values"
        )
    worth = np.where(context.valid, values, 0.0).astype(np.float32).astype(np.float64)
    if not np.isfinite(worth).all():
        raise InvalidValue(
            "values of candidates are not finite",
            field="values",
            mend="Give every candidate a finite value.",
        )
    return worth


def _require_looks(looks: FloatArray) -> FloatArray:
    looks = np.asarray(looks, np.float64)
    if looks.ndim != 1 or not (np.isfinite(looks) & (looks > 0.0)).all():
        raise InvalidValue("looks are not positive numbers, one a position", field="looks")
    if (np.diff(looks) > 0.0).any():
        raise InvalidValue(
            "a lower position is looked at more than one above it",
            field="looks",
            mend="Order positions by their looks.",
        )
    return looks


@cache
def compiled_swaps() -> Callable[..., None] | None:
    """What swaps user by user where numba is installed, else None; bit for bit the same."""
    if find_spec("numba") is None:
        return None
    from .joint_compiled import swap_users

    return swap_users


def swap_while_it_pays(
    values: FloatArray,
    valid: BoolArray,
    patterns: IntArray,
    distance: FloatArray,
    weight: FloatArray,
    looks: FloatArray,
    least: FloatArray,
    columns: IntArray,
) -> IntArray:
    """The slates after swaps, ``(R, k)``; float64 throughout.

    Args:
        values: Shape ``(R, N)``, finite in padding, too.
        valid: Columns that hold a candidate, shape ``(R, N)``.
        patterns: Topic set of each candidate, shape ``(R, N)``.
        distance: Between topic sets, 0 from each to itself, shape ``(P, P)``.
        weight: Of the sum of distances of pairs, shape ``(R,)``.
        looks: Shape ``(k,)``.
        least: A swap that does not bring more is not made, shape ``(R,)``.
        columns: The slates to begin with, shape ``(R, k)``.
    """
    found = _by_value(values, columns)
    rows = np.arange(len(found))
    while len(rows):
        gain = swap_gains(values[rows], patterns[rows], distance, weight[rows], looks, found[rows])
        free = valid[rows].copy()
        np.put_along_axis(free, found[rows], False, axis=1)
        gain = np.where(free[:, None, :], gain, -np.inf).reshape(len(rows), -1)
        best = gain.argmax(axis=1)
        pays = gain[np.arange(len(rows)), best] > least[rows]
        rows, best = rows[pays], best[pays]
        found[rows, best // values.shape[1]] = best % values.shape[1]
        found[rows] = _by_value(values[rows], found[rows])
    return found


def swap_gains(
    values: FloatArray,
    patterns: IntArray,
    distance: FloatArray,
    weight: FloatArray,
    looks: FloatArray,
    columns: IntArray,
) -> FloatArray:
    """What it brings to show candidate n for position i's item, sorted anew, ``(R, k, N)``.

    A newcomer worth less than the item it replaces lifts those between them by one position; one
    worth more lowers them. Both sums over the positions between are differences of running sums.
    It means nothing where n is shown already.
    """
    k = len(looks)
    old, new = np.take_along_axis(values, columns, axis=1), values[:, None, :]
    lifted = np.cumsum(old * (np.concatenate([looks[:1], looks[:-1]]) - looks), axis=1)
    lowered = np.zeros((len(old), k + 1))
    np.cumsum(old * (np.concatenate([looks[1:], looks[-1:]]) - looks), axis=1, out=lowered[:, 1:])
    above = (old[:, :, None] >= new).sum(axis=1)  # how many shown are worth as much as n, (R, N)
    i = np.arange(k)[:, None]
    falls = above[:, None, :] > i
    below = np.maximum(above - 1, 0)
    between = np.where(
        falls,
        np.take_along_axis(lifted, below, axis=1)[:, None, :] - lifted[:, :, None],
        lowered[:, :-1, None] - np.take_along_axis(lowered, above, axis=1)[:, None, :],
    )
    place = np.where(falls, below[:, None, :], np.minimum(above, k - 1)[:, None, :])
    gain = between + looks[place] * new - looks[:, None] * old[:, :, None]
    shown = np.take_along_axis(patterns, columns, axis=1)
    near = distance[shown[:, :, None], patterns[:, None, :]]
    summed = near.sum(axis=1)  # exact in float64: the distances are float32
    leaving = np.take_along_axis(summed, columns, axis=1)[:, :, None]
    return gain + weight[:, None, None] * (summed[:, None, :] - near - leaving)


def _by_value(values: FloatArray, columns: IntArray) -> IntArray:
    """Each slate sorted: the largest value first, of equal ones the lowest column."""
    columns = np.sort(columns, axis=1)
    order = np.argsort(-np.take_along_axis(values, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)
