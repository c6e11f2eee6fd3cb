"""P-MMF and CP-Fair again, one user at a time: what they are tested and timed against."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.sparse import csr_matrix, hstack, vstack

Projection = Callable[[np.ndarray, float], np.ndarray]


def projected_by_slsqp(dual: np.ndarray, weight: float) -> np.ndarray:
    """The nearest point whose ordered partial sums are at least −λ, by a generic solver.

    The quadratic programme of the authors' public code, which hands it to cvxpy; here SciPy's
    SLSQP solves it. The order is that of the point itself.
    """
    order = np.argsort(dual)
    point = dual[order]
    sums = np.tril(np.ones((len(dual), len(dual))))
    found = minimize(
        lambda x: ((x - point) ** 2).sum(),
        np.zeros(len(dual)),
        jac=lambda x: 2.0 * (x - point),
        constraints={
            "type": "ineq",
            "fun": lambda x: sums @ x + weight,
            "jac": lambda _: sums,
        },
        method="SLSQP",
        options={"maxiter": 200, "ftol": 1e-12},
    )
    out = np.empty_like(dual)
    out[order] = found.x
    return out


def projected_exactly(dual: np.ndarray, weight: float) -> np.ndarray:
    """The same point, by a search for the amount that negative entries are raised by."""
    negative = np.sort(-dual[dual < 0])[::-1]
    if negative.sum() <= weight:
        return dual
    raised = 0.0
    for n in range(1, len(negative) + 1):
        shift = (negative[:n].sum() - weight) / n
        if negative[n - 1] > shift:
            raised = shift
    return np.where(dual < 0, np.minimum(dual + raised, 0.0), dual)


def p_mmf(
    relevance: np.ndarray,
    providers: np.ndarray,
    shares: np.ndarray,
    weight: float,
    k: int,
    rate: float,
    momentum: float,
    project: Projection,
    start: np.ndarray,
    n_users: int | None = None,
) -> np.ndarray:
    """Xu et al., WWW 2023, users in the given order, a projection after each of them.

    With the capacity of 1 that the paper has.

    Args:
        relevance: Shape ``(U, N)``.
        providers: Provider of each candidate, shape ``(U, N)``.
        shares: ρ, γ over the number of slots, shape ``(P,)``.
        weight: λ.
        k: Slate length.
        rate: Step size.
        momentum: Weight of the newest gradient.
        project: Onto the duals with a finite conjugate.
        start: Dual of the first user, shape ``(P,)``; the authors' is 0.
        n_users: Users that the resources are meant for; all, unless given.

    Returns:
        Columns, shape ``(U, k)``, best relevance first.
    """
    n_providers = len(shares)
    left = (n_users or len(relevance)) * k * shares
    dual, gradient = start, np.zeros(n_providers)
    slates = []
    for row, codes in zip(relevance, providers, strict=True):
        key = row - (dual / shares)[codes] - 1e4 * (left <= 0)[codes]
        chosen = np.argsort(-key, kind="stable")[:k]
        slates.append(chosen[np.argsort(-row[chosen], kind="stable")])
        used = np.bincount(codes[chosen], minlength=n_providers)
        left = left - used
        gradient = (1 - momentum) * gradient + momentum * (1.0 - used / k / shares)
        dual = project(dual - rate * gradient, weight)
    return np.array(slates)


def p_mmf_optimum(
    relevance: np.ndarray,
    providers: np.ndarray,
    shares: np.ndarray,
    weight: float,
    capacity: float | None,
    k: int,
) -> float:
    """Largest objective of any slates, fractional ones included: the paper's offline programme."""
    (n_users, n_columns), n_providers = relevance.shape, len(shares)
    n = n_users * n_columns
    cell, slots = np.arange(n), n_users * k
    exposure = csr_matrix((np.full(n, 1 / slots), (providers.ravel(), cell)), (n_providers, n))
    rows = [hstack([-exposure, shares[:, None]])]  # share · worst ≤ exposure
    limits = [np.zeros(n_providers)]
    if capacity is not None:
        rows.append(hstack([exposure, np.zeros((n_providers, 1))]))
        limits.append(capacity * shares)
    filled = csr_matrix((np.ones(n), (np.repeat(np.arange(n_users), n_columns), cell)))
    found = linprog(
        np.append(-relevance.ravel() / slots, -weight),
        vstack(rows),
        np.concatenate(limits),
        hstack([filled, np.zeros((n_users, 1))]),
        np.full(n_users, k),
        bounds=[(0, 1)] * n + [(0, None)],
    )
    return -float(found.fun)
