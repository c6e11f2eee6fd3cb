"""Birkhoff–von Neumann: a matrix of placement probabilities as a lottery over rankings."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from ...arrays import FloatArray, IntArray
from ...errors import InvalidValue

INPUT_TOLERANCE = 1e-6
"""How far row and column sums may stray: what solvers of linear programmes leave."""

ZERO = 1e-12
"""Probabilities below this are rounding errors."""


def birkhoff(placement: FloatArray) -> tuple[IntArray, FloatArray]:
    """Rankings and their probabilities that put every item where a matrix says, as often.

    Each step takes a matching of positions to items along non-zero cells that uses every *tight*
    item (one that all the probability left must show), with the largest weight that keeps the rest
    a placement matrix. A step empties a cell or makes an item tight, so it moves to a smaller face
    of the polytope: at most ``k (n − 1) + 1`` rankings, ``(n − 1)² + 1`` where k = n (Birkhoff
    1946; von Neumann 1953). Among the matchings that of the largest sum of cells is taken, which
    in practice needs far fewer. O(n k²) a step.

    Args:
        placement: Probability of item ``i`` at position ``j``, shape ``(n, k)``, ``k ≤ n``; columns
            sum to 1, rows to at most 1.

    Returns:
        Items by position, shape ``(M, k)``, and probabilities, shape ``(M,)``, which sum to 1.

    Raises:
        InvalidValue: A cell is negative, a column does not sum to 1, or a row sums above 1.
    """
    _require_placement(placement)
    n, k = placement.shape
    left = placement.clip(min=0.0).astype(np.float64)
    mass = 1.0
    rankings: list[IntArray] = []
    weights: list[float] = []
    for _ in range(k * n + 1):
        items, weight = _heaviest_matching(left, mass)
        if weight <= 0.0:
            break  # the cells left are the solver's rounding errors
        rankings.append(items)
        weights.append(weight)
        left[items, np.arange(k)] -= weight
        left[left < ZERO] = 0.0
        mass -= weight
        if mass <= ZERO:
            break
    return np.array(rankings), np.array(weights) / sum(weights)


def _heaviest_matching(left: FloatArray, mass: float) -> tuple[IntArray, float]:
    """A matching of positions to items, and the probability that it may be given.

    Args:
        left: Cells not yet given away, shape ``(n, k)``.
        mass: Probability not yet given away.

    Returns:
        Items by position, shape ``(k,)``, and the weight; 0 where no matching fits.
    """
    n, k = left.shape
    slack = mass - left.sum(axis=1)
    tight = slack <= ZERO * n
    # A tight item outweighs any sum of cells (at most k), and an empty cell any gain.
    gain = left + (k + 1.0) * tight[:, None]
    gain[left <= 0.0] = -((k + 1.0) ** 2)
    rows, positions = linear_sum_assignment(gain, maximize=True)
    items = np.empty(k, np.intp)
    items[positions] = rows
    shown = np.zeros(n, np.bool_)
    shown[rows] = True
    hidden_slack = slack[~shown & ~tight].min(initial=mass)
    return items, float(min(left[items, np.arange(k)].min(), hidden_slack))


def _require_placement(placement: FloatArray) -> None:
    if placement.ndim != 2 or not 1 <= placement.shape[1] <= placement.shape[0]:
        raise InvalidValue(
            f"a matrix of shape {placement.shape}",
            field="placement",
            mend="Give (n, k): items by positions, at most as many positions as items.",
        )
    rows, columns = placement.sum(axis=1), placement.sum(axis=0)
    worst = max(
        float(-placement.min()), float((rows - 1.0).max()), float(np.abs(columns - 1.0).max())
    )
    if not worst <= INPUT_TOLERANCE:
        raise InvalidValue(
            f"cells, rows or columns are out of bounds by {worst:.3g}",
            field="placement",
            mend="Cells must not be negative, columns sum to 1 and rows to at most 1.",
        )
