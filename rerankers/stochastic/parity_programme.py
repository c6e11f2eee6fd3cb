"""The linear programme of Singh & Joachims for any number of groups, one user at a time."""

import numpy as np
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import block_array, coo_array, csr_array, hstack, vstack

from ...arrays import FloatArray
from ...errors import FairloopError

PRECISION = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
INFEASIBLE = 2
"""SciPy's status of a programme without a solution."""

MARGIN = 1e-7
"""How far above the least gap a lottery may stay where the allowed one is out of reach."""


def best_placement(
    relevance: FloatArray, rates: FloatArray, allowed: float, discount: FloatArray
) -> FloatArray:
    """Placement probabilities of the largest expected relevance within an allowed gap.

    Maximises Σ relevance_i · discount_j · P_ij over P with columns that sum to 1 and rows to at
    most 1, where the largest group rate minus the smallest is at most ``allowed``. Where no P
    reaches that, the smallest gap that one reaches takes its place.

    Args:
        relevance: Shape ``(n,)``.
        rates: What one unit of exposure of an item adds to the rate of each group, not negative,
            shape ``(G, n)``.
        allowed: Largest gap between group rates.
        discount: Exposure of the positions, shape ``(k,)``.

    Returns:
        P, shape ``(n, k)``. Costs a programme of n·k + 2 variables, two where the gap is out of
        reach: tens of milliseconds at n = 100, k = 10.

    Raises:
        FairloopError: The solver gave up.
    """
    n, k = len(relevance), len(discount)
    # HiGHS drops coefficients below 1e-9: relevance and each group's rates are scaled to at most 1.
    steepest = rates.max(axis=1)
    scale = float(steepest.min())
    levels = scale / steepest
    rates = rates / steepest[:, None]
    gains = relevance / max(float(relevance.max()), np.finfo(np.float64).tiny)
    gain = -np.append(np.outer(gains, discount).ravel(), [0.0, 0.0])
    spread = np.zeros(n * k + 2)
    spread[-2:] = 1.0, -1.0
    solved = _solve(gain, rates, levels, allowed / scale, discount)
    if solved.status == INFEASIBLE:
        no_limit = float(discount.sum() / levels.min())
        least = _solved(_solve(spread, rates, levels, no_limit, discount)).fun
        # Held a little above the least gap, or rounding would make it infeasible again.
        solved = _solve(gain, rates, levels, least + MARGIN * max(least, 1.0), discount)
    return _solved(solved).x[: n * k].reshape(n, k)


def _solved(result: OptimizeResult) -> OptimizeResult:
    """The result, if it is one."""
    if result.success:
        return result
    raise FairloopError(
        f"HiGHS ended with: {result.message}",
        field="pools.scores",
        mend="Give relevance of moderate spread: groups some 10^9 times less relevant than others "
        "are beyond the solver.",
    )


def _solve(
    objective: FloatArray,
    rates: FloatArray,
    levels: FloatArray,
    allowed: float,
    discount: FloatArray,
) -> OptimizeResult:
    """Minimise the objective over the cells of P (row by row), the top level and the bottom one.

    Every group's scaled rate lies between its share (``levels``) of the two.
    """
    n_groups, n = rates.shape
    k = len(discount)
    cells = np.arange(n * k)
    ones = np.ones(n * k)
    per_item = csr_array(coo_array((ones, (cells // k, cells)), shape=(n, n * k)))
    per_position = csr_array(coo_array((ones, (cells % k, cells)), shape=(k, n * k)))
    rate = csr_array((rates[:, :, None] * discount).reshape(n_groups, n * k))
    high, low = np.zeros((2, n_groups, 2))
    high[:, 0], low[:, 1] = -levels, levels
    spread = csr_array(np.array([[1.0, -1.0]]))
    bounds = block_array([[per_item, None], [None, spread]])
    between = vstack([hstack([rate, csr_array(high)]), hstack([-rate, csr_array(low)])])
    return linprog(
        objective,
        A_ub=vstack([bounds, between]).tocsr(),
        b_ub=np.concatenate([np.ones(n), [allowed], np.zeros(2 * n_groups)]),
        A_eq=hstack([per_position, csr_array((k, 2))]).tocsr(),
        b_eq=np.ones(k),
        method="highs",
        options=PRECISION,
    )
