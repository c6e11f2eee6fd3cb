"""P-MMF and CP-Fair again, one user at a time: what they are tested and timed against."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp, minimize
from scipy.sparse import csr_matrix, hstack, vstack

Projection = Callable[[np.ndarray, float], np.ndarray]


class Market(Protocol):
    """One batch of CP-Fair: what `fairloop.rerankers.two_sided.gaps.GapProblem` documents."""

    relevance: np.ndarray
    utility: np.ndarray
    user_codes: np.ndarray
    item_codes: np.ndarray
    n_users: np.ndarray
    item_scale: np.ndarray
    consumer_weight: float
    producer_weight: float
    k: int


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


def cp_fair_objective(market: Market, slates: np.ndarray) -> float:
    """Mean relevance − λ₁ · gap of users' groups − λ₂ · gap of items' groups, by definition."""
    shown, useful, seen = [], {}, dict.fromkeys(range(len(market.item_scale)), 0.0)
    for user, columns in enumerate(slates):
        shown += list(market.relevance[user, columns])
        useful.setdefault(market.user_codes[user], []).append(market.utility[user, columns].sum())
        for code in market.item_codes[user, columns]:
            if code in seen:
                seen[code] += market.item_scale[code] / slates.size
    means = [np.mean(values) for code, values in useful.items() if code < len(market.n_users)]
    consumer = max(means) - min(means) if means else 0.0
    producer = max(seen.values()) - min(seen.values()) if seen else 0.0
    gaps = market.consumer_weight * consumer + market.producer_weight * producer
    return float(np.mean(shown) - gaps)


def cp_fair_greedy(market: Market) -> np.ndarray:
    """One user after another, one slot after another: the candidate that leaves the best objective.

    Group means are over the users served so far. Returns columns, shape (U, k).
    """
    n_groups, scale = len(market.n_users), np.append(market.item_scale, 0.0)
    useful, served, seen = np.zeros(n_groups), np.zeros(n_groups), np.zeros(len(scale))
    slates = []
    for user in range(len(market.relevance)):
        group, codes = market.user_codes[user], market.item_codes[user]
        if group < n_groups:
            served[group] += 1
        open_ = np.isfinite(market.relevance[user])
        chosen: list[int] = []
        for _ in range(market.k):
            slots = user * market.k + len(chosen) + 1
            value = market.relevance[user] / slots
            counts = seen + np.eye(len(scale))[codes] * scale
            if len(scale) > 1:
                value = value - market.producer_weight * np.ptp(counts[:, :-1], axis=1) / slots
            if group < n_groups and (served > 0).sum() > 1:
                sums = np.tile(useful, (len(codes), 1))
                sums[:, group] += market.utility[user]
                means = sums[:, served > 0] / served[served > 0]
                value = value - market.consumer_weight * np.ptp(means, axis=1)
            best = int(np.argmax(np.where(open_, value, -np.inf)))
            open_[best] = False
            chosen.append(best)
            seen[codes[best]] += scale[codes[best]]
            if group < n_groups:
                useful[group] += market.utility[user, best]
        slates.append(chosen)
    return np.array(slates)


def cp_fair_programme(market: Market, integer: bool, limit_s: float = 60.0) -> float:
    """The largest objective: the paper's programme over all users, by HiGHS.

    Args:
        market: The batch.
        integer: Whether selections are whole, as in the paper, or may be fractional, as in the
            authors' notebook.
        limit_s: Seconds after which the solver hands back its bound.
    """
    (n_users, n_columns), k = market.relevance.shape, market.k
    n_groups, n_items = len(market.n_users), len(market.item_scale)
    n, user = n_users * n_columns, np.repeat(np.arange(n_users), n_columns)
    cells, slots = np.arange(n), n_users * k
    codes, items = market.user_codes[user], market.item_codes.ravel()
    grouped, known = codes < n_groups, items < n_items
    mean = market.utility.ravel()[grouped] / market.n_users[codes[grouped]]
    utility = csr_matrix((mean, (codes[grouped], cells[grouped])), (n_groups, n))
    scale = market.item_scale[items[known]] / slots
    exposure = csr_matrix((scale, (items[known], cells[known])), (n_items, n))
    filled = csr_matrix((np.ones(n), (user, cells)), (n_users, n + 4))

    def edge(n_rows: int, at: int) -> csr_matrix:
        return csr_matrix((np.ones(n_rows), (np.arange(n_rows), np.full(n_rows, at))), (n_rows, 4))

    # Four more variables: the highest and lowest utility, the highest and lowest exposure.
    ranges = vstack(
        [
            hstack([utility, -edge(n_groups, 0)]),
            hstack([-utility, edge(n_groups, 1)]),
            hstack([exposure, -edge(n_items, 2)]),
            hstack([-exposure, edge(n_items, 3)]),
        ]
    )
    offered = np.isfinite(market.relevance.ravel())
    weights = [market.consumer_weight * (n_groups > 0), market.producer_weight * (n_items > 0)]
    found = milp(
        np.append(
            -np.where(offered, market.relevance.ravel(), 0.0) / slots,
            [weights[0], -weights[0], weights[1], -weights[1]],
        ),
        integrality=np.append(np.full(n, int(integer)), np.zeros(4)),
        bounds=Bounds(
            np.append(np.zeros(n), np.full(4, -1e3)), np.append(offered, np.full(4, 1e3))
        ),
        constraints=[LinearConstraint(ranges, -np.inf, 0.0), LinearConstraint(filled, k, k)],
        options={"time_limit": limit_s, "mip_rel_gap": 1e-7},
    )
    return -float(found.fun if not integer else found.mip_dual_bound)
