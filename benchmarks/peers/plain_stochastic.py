"""Stochastic rankings one user at a time: a solver per user, a loop per ranking.

The linear programme of Singh & Joachims goes to HiGHS as the paper writes it, and its solution
through the textbook Birkhoff–von Neumann loop; the expohedron is projected upon and decomposed
user by user as Kletti et al. describe; Welf ranks user by user within each Frank-Wolfe step.
"""

import numpy as np
from scipy.optimize import isotonic_regression, linear_sum_assignment, linprog
from scipy.sparse import csr_array, eye_array, hstack, kron, vstack

Lottery = tuple[np.ndarray, np.ndarray]
"""Rankings (M, k) and their weights (M,)."""


def discounts(k: int) -> np.ndarray:
    return 1.0 / np.log2(np.arange(2, k + 2))


def exposure(lottery: Lottery, n: int) -> np.ndarray:
    """Expected exposure of n items."""
    seen = np.zeros(n)
    for ranking, weight in zip(*lottery, strict=True):
        seen[ranking] += weight * discounts(len(ranking))
    return seen


def rates(gains: np.ndarray, codes: np.ndarray, constraint: str) -> np.ndarray:
    """What one unit of exposure of each item adds to each group's rate, (G, n)."""
    found = []
    for group in np.unique(codes[codes >= 0]):
        member = (codes == group).astype(float)
        if constraint == "demographic-parity":
            found.append(member / member.sum())
        elif (gains * member).sum() > 0:
            per_relevance = member / (gains * member).sum()
            found.append(per_relevance * (gains if constraint == "disparate-impact" else 1.0))
    return np.array(found)


def exposure_lp(
    gains: np.ndarray, codes: np.ndarray, k: int, constraint: str, reduction: float
) -> tuple[np.ndarray, float]:
    """Placement (n, k) of the largest expected DCG within the allowed gap, and the gap allowed.

    Gains descending. Where the gap is out of reach, the smallest one in its place.
    """
    n, v, by_group = len(gains), discounts(k), rates(gains, codes, constraint)
    scale = by_group.max()  # HiGHS's tolerances are absolute
    by_group = by_group / scale
    base = by_group[:, :k] @ v
    allowed = (1.0 - reduction) * (base.max() - base.min())
    # Variables: the cells of P row by row, the largest rate and the smallest.
    rate = csr_array(np.kron(by_group, v))
    ones, zeros = np.ones((len(by_group), 1)), np.zeros((len(by_group), 1))
    below = hstack([rate, csr_array(np.hstack([-ones, zeros]))])
    above = hstack([-rate, csr_array(np.hstack([zeros, ones]))])
    per_item = hstack([kron(eye_array(n), np.ones((1, k))), csr_array((n, 2))])
    per_position = hstack([kron(np.ones((1, n)), eye_array(k)), csr_array((k, 2))])
    spread = np.append(np.zeros(n * k), [1.0, -1.0])

    def solve(objective: np.ndarray, limit: float):
        return linprog(
            objective,
            A_ub=vstack([per_item, below, above, csr_array(spread[None])]).tocsr(),
            b_ub=np.concatenate([np.ones(n), np.zeros(2 * len(by_group)), [limit]]),
            A_eq=per_position.tocsr(),
            b_eq=np.ones(k),
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )

    objective = np.append(-np.outer(gains, v).ravel(), [0.0, 0.0])
    solved = solve(objective, allowed)
    if not solved.success:
        allowed = solve(spread, v.sum()).fun + 1e-9
        solved = solve(objective, allowed)
    return solved.x[: n * k].reshape(n, k), allowed * scale


def birkhoff(placement: np.ndarray) -> Lottery:
    """The textbook loop: pad to a square, match along the support, take the smallest cell."""
    n, k = placement.shape
    rest = np.zeros((n, n))
    rest[:, :k] = np.clip(placement, 0.0, None)
    # What an item is not shown goes to the unseen positions, one after another, on few cells.
    position, room = k, 1.0
    for item, slack in enumerate(1.0 - placement.sum(axis=1)):
        while slack > 1e-12 and position < n:
            given = min(slack, room)
            rest[item, position] += given
            slack, room = slack - given, room - given
            if room <= 1e-12:
                position, room = position + 1, 1.0
    rankings, weights = [], []
    while rest.sum() > 1e-9 * n and len(weights) < n * n:
        rows, columns = linear_sum_assignment(rest > 1e-12, maximize=True)
        weight = rest[rows, columns].min()
        if weight <= 1e-12:
            break
        rankings.append(rows[np.argsort(columns)][:k])
        weights.append(weight)
        rest[rows, columns] -= weight
    return np.array(rankings), np.array(weights) / sum(weights)


def project(point: np.ndarray, k: int) -> np.ndarray:
    """Closest expected exposures, (n,)."""
    gamma = np.append(discounts(k), np.zeros(len(point) - k))
    order = np.argsort(-point, kind="stable")
    above = isotonic_regression(point[order] - gamma, increasing=False).x
    result = np.empty(len(point))
    result[order] = point[order] - above
    return result


def expohedron(gains: np.ndarray, k: int, merit: str, weight: float) -> Lottery:
    """The Pareto point of one user, decomposed."""
    n, total = len(gains), discounts(k).sum()
    target = np.full(n, total / n)
    if merit == "relevance":
        target = project(total * gains / gains.sum(), k)
    return decompose(project(target + (1.0 - weight) / weight * gains, k), k)


def decompose(point: np.ndarray, k: int) -> Lottery:
    """From the corner of the point's face through the point to the next face, and so on."""
    n = len(point)
    gamma = np.append(discounts(k), np.zeros(n - k))
    most = np.cumsum(gamma)
    rankings, weights, left = [], [], 1.0
    for _ in range(n):
        order = np.argsort(-point, kind="stable")
        corner = np.empty(n)
        corner[order] = gamma
        way = point - corner
        rankings.append(order[:k])
        if np.abs(way).max() * left < 1e-12:
            break
        reach, end = np.inf, way
        while True:
            by = np.argsort(-end, kind="stable")
            gained, room = np.cumsum(way[by]), most - np.cumsum(corner[by])
            bounds = room[gained > 1e-13 / left] / gained[gained > 1e-13 / left]
            nearer = max(bounds.min(initial=np.inf), 1.0)
            if nearer >= reach * (1.0 - 1e-12):
                break
            reach, end = nearer, corner + nearer * way
        weights.append(left * (1.0 - 1.0 / reach))
        left /= reach
        point = end
    weights = weights[: len(rankings) - 1]
    return np.array(rankings), np.append(weights, 1.0 - sum(weights))


def welf(
    gains: np.ndarray,
    items: np.ndarray,
    k: int,
    item_weight: float,
    powers: tuple[float, float],
    offset: float,
    steps: int,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Welfare and utilities of both sides after some Frank-Wolfe steps with exact line search.

    Gains and items (U, N), items numbered from 0 without holes, gains descending.
    """
    n_items, v = int(items.max()) + 1, discounts(k)

    def utilities(slates: list[np.ndarray]) -> np.ndarray:
        users, seen = np.zeros(len(gains)), np.zeros(n_items)
        for user, slate in enumerate(slates):
            users[user] = gains[user, slate] @ v
            seen[items[user, slate]] += v
        return np.append(users, seen)

    at = utilities([np.arange(k)] * len(gains))
    users = slice(0, len(gains))
    seen = slice(len(gains), None)
    extra = np.append(
        np.full(len(gains), offset * at[users].mean()), np.full(n_items, offset * at[seen].mean())
    )
    share = np.append(np.full(len(gains), 1.0 - item_weight), np.full(n_items, item_weight))
    power = np.append(np.full(len(gains), powers[0]), np.full(n_items, powers[1]))

    def welfare(at: np.ndarray) -> float:
        x = at + extra
        return float(share @ np.where(power == 0, np.log(x), np.sign(power) * x**power))

    def marginal(at: np.ndarray) -> np.ndarray:
        return share * np.where(power == 0, 1.0, np.abs(power)) * (at + extra) ** (power - 1.0)

    for _ in range(steps):
        slope = marginal(at)
        slates = []
        for user in range(len(gains)):
            worth = slope[user] * gains[user] + slope[seen][items[user]]
            slates.append(np.argsort(-worth, kind="stable")[:k])
        way = utilities(slates) - at
        low, high = 0.0, 1.0
        for _ in range(30):
            middle = (low + high) / 2.0
            low, high = (middle, high) if marginal(at + middle * way) @ way > 0 else (low, middle)
        at = at + low * way
    return welfare(at), at[users], at[seen]
