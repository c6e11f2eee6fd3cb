"""The amortised controllers and the exploring wrappers again, one user at a time in plain numpy.

Written from the definitions, as one would write them first: what the tests compare with and the
benchmark times against.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr


def serve(
    relevance: np.ndarray,
    codes: np.ndarray,
    order: np.ndarray,
    block: int,
    k: int,
    bonuses: Callable[[], np.ndarray],
    update: Callable[[np.ndarray, np.ndarray], None],
) -> np.ndarray:
    """Slates (U, k) by relevance plus bonus of the group; code -1 has none, -2 is padding.

    ``update`` gets what a block's slates gave to each group, and what its candidates offered.
    """
    slates = np.empty((len(relevance), k), int)
    n_groups = len(bonuses())
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    discount /= discount.sum()
    for start in range(0, len(order), block):
        bonus = bonuses()
        shown, offered = np.zeros(n_groups), np.zeros(n_groups)
        for user in order[start : start + block]:
            mine = codes[user]
            score = relevance[user] + np.where(mine >= 0, bonus[mine], 0.0)
            score[mine == -2] = -np.inf
            slate = np.argsort(-score, kind="stable")[:k]
            slates[user] = slate
            for g in range(n_groups):
                shown[g] += discount[mine[slate] == g].sum()
                offered[g] += relevance[user][mine == g].sum()
        update(shown, offered)
    return slates


def fairco(
    relevance: np.ndarray,
    codes: np.ndarray,
    n_groups: int,
    order: np.ndarray,
    block: int,
    gain: float,
    k: int,
    merit: np.ndarray | None = None,
) -> np.ndarray:
    """λ (t − 1) max_i D_ig on top of relevance; merit is what was offered unless it is given."""
    exposure, offered, n = np.zeros(n_groups), np.zeros(n_groups), 0

    def bonuses() -> np.ndarray:
        deserved = offered if merit is None else merit
        if n == 0 or deserved.sum() == 0:
            return np.zeros(n_groups)
        deserved = deserved / deserved.sum()
        bonus = np.zeros(n_groups)
        for g in range(n_groups):
            if deserved[g] > 0:
                disparity = [
                    exposure[i] / n / deserved[i] - exposure[g] / n / deserved[g]
                    for i in range(n_groups)
                    if deserved[i] > 0
                ]
                bonus[g] = gain * n * max(disparity)
        return bonus

    def update(shown: np.ndarray, more: np.ndarray) -> None:
        nonlocal n
        exposure[:] += shown
        offered[:] += more
        n += min(block, len(order) - n)

    return serve(relevance, codes, order, block, k, bonuses, update)


def pid(
    relevance: np.ndarray,
    codes: np.ndarray,
    target: np.ndarray,
    order: np.ndarray,
    block: int,
    gains: tuple[float, float, float],
    largest: float,
    k: int,
) -> np.ndarray:
    """u = K_p e + I + K_d (e − previous e), I clipped; gains are (K_p, K_i, K_d)."""
    integral = np.zeros(len(target))
    errors: list[np.ndarray] = []
    n = 0

    def bonuses() -> np.ndarray:
        if not errors:
            return np.zeros(len(target))
        change = errors[-1] - errors[-2] if len(errors) > 1 else 0.0
        return np.clip(gains[0] * errors[-1] + integral + gains[2] * change, -largest, largest)

    def update(shown: np.ndarray, _: np.ndarray) -> None:
        nonlocal n
        size = min(block, len(order) - n)
        n += size
        errors.append((target * shown.sum() - shown) / size)
        integral[:] = np.clip(integral + gains[1] * size * errors[-1], -largest, largest)

    return serve(relevance, codes, order, block, k, bonuses, update)


def dual_mirror_descent(
    relevance: np.ndarray,
    codes: np.ndarray,
    floors: np.ndarray,
    caps: np.ndarray,
    order: np.ndarray,
    block: int,
    eta: float,
    largest: float,
    k: int,
    entropy: bool = False,
) -> np.ndarray:
    """A price per floor and per cap, moved by steps or (entropy) multiplied."""
    start = 0.1 * largest if entropy else 0.0
    lift, push = np.full(len(floors), start), np.full(len(floors), start)

    def moved(price: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        if entropy:
            return np.clip(price * np.exp(eta * gradient / start), 0.01 * start, largest)
        return np.clip(price + eta * gradient, 0.0, largest)

    def bonuses() -> np.ndarray:
        return np.where(floors > 0, lift, 0.0) - np.where(caps < 1, push, 0.0)

    def update(shown: np.ndarray, _: np.ndarray) -> None:
        lift[:] = moved(lift, floors * shown.sum() - shown)
        push[:] = moved(push, shown - caps * shown.sum())

    return serve(relevance, codes, order, block, k, bonuses, update)


def drawn_in_order(weights: np.ndarray, slate: np.ndarray, left_out: np.ndarray) -> float:
    """Plackett-Luce probability of a slate, one draw after another, from what is left."""
    left = weights.copy()
    left[left_out] = 0.0
    probability = 1.0
    for item in slate:
        probability *= left[item] / left.sum()
        left[item] = 0.0
    return float(probability)


def epsilon_greedy(
    weights: np.ndarray, inner: np.ndarray, epsilon: float, keep: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Slates and propensities around inner slates (U, k) that are certain."""
    slates, propensities = [], []
    for row, proposed in zip(weights, inner, strict=True):
        slate = proposed.copy()
        if rng.random() < epsilon:
            left = row.copy()
            left[proposed[:keep]] = 0.0
            n = len(proposed) - keep
            slate[keep:] = rng.choice(len(row), n, replace=False, p=left / left.sum())
        by_chance = drawn_in_order(row, slate[keep:], proposed[:keep])
        slates.append(slate)
        propensities.append((1 - epsilon) * bool((slate == proposed).all()) + epsilon * by_chance)
    return np.array(slates), np.array(propensities)


def normal_order(
    mean: np.ndarray, spread: np.ndarray, slate: np.ndarray, n_points: int = 4001
) -> float:
    """Probability that normal draws come in this order at the top, by trapezoids on one grid."""
    low, high = (mean - 9 * spread).min(), (mean + 9 * spread).max()
    x = np.linspace(low, high, n_points)
    others = np.setdiff1d(np.arange(len(mean)), slate)
    below = ndtr((x[:, None] - mean[others]) / spread[others]).prod(axis=1)
    for item in slate[::-1]:
        z = (x - mean[item]) / spread[item]
        density = below * np.exp(-(z**2) / 2) / (spread[item] * np.sqrt(2 * np.pi))
        steps = (density[1:] + density[:-1]) / 2 * (x[1] - x[0])
        below = np.concatenate([[0.0], np.cumsum(steps)])
    return float(below[-1])


def thompson(
    mean: np.ndarray, spread: np.ndarray, k: int, rng: np.random.Generator, n_points: int = 4001
) -> tuple[np.ndarray, np.ndarray]:
    """Slates of the best draws, and how probable each was."""
    slates, propensities = [], []
    for m, s in zip(mean, spread, strict=True):
        slate = np.argsort(-rng.normal(m, s))[:k]
        slates.append(slate)
        propensities.append(normal_order(m, s, slate, n_points))
    return np.array(slates), np.array(propensities)
