"""FairRec and FairRec+ as one writes them first: a turn at a time, with lists and dictionaries.

Both take the users' turns as given, so that whoever compares them with another implementation
compares the allocation and not the shuffle.
"""

import math
from collections.abc import Sequence

import numpy as np

Producers = Sequence[int | None]
"""Producer of each item; None for an item that is guaranteed nothing."""


def fair_rec(
    items: np.ndarray,
    scores: np.ndarray,
    producer_of: Producers,
    order: Sequence[int],
    alpha: float,
    k: int,
) -> np.ndarray:
    """Columns of every slate, best score first, ``(U, k)``; item -1 is no candidate."""
    worth, feasible = _pools(items, scores)
    copies = _copies(feasible, producer_of, alpha, k)
    bundles: list[list[int]] = [[] for _ in feasible]
    for _ in range(k):
        if not _round(bundles, feasible, worth, copies, producer_of, order):
            break
    return _slates(items, worth, bundles, k)


def fair_rec_plus(
    items: np.ndarray,
    scores: np.ndarray,
    producer_of: Producers,
    order: Sequence[int],
    alpha: float,
    k: int,
) -> np.ndarray:
    """The same with an exchange of bundles and a new order of turns after every round."""
    worth, feasible = _pools(items, scores)
    copies = _copies(feasible, producer_of, alpha, k)
    bundles: list[list[int]] = [[] for _ in feasible]
    turns = list(order)
    for _ in range(k):
        if not _round(bundles, feasible, worth, copies, producer_of, turns):
            break
        given, turns = exchange(value_matrix(worth, bundles, order), order)
        bundles = [bundles[given[u]][:] for u in range(len(bundles))]
        feasible = [set(worth[u]) - set(bundles[u]) for u in range(len(bundles))]
    return _slates(items, worth, bundles, k)


def value_matrix(
    worth: list[dict[int, float]], bundles: list[list[int]], order: Sequence[int]
) -> dict[int, dict[int, float]]:
    """What every bundle is worth to every user; left out where an item is not in the pool."""
    values: dict[int, dict[int, float]] = {}
    for u in order:
        mine = worth[u]
        values[u] = {
            v: sum((mine[i] for i in bundles[v]), 0.0)
            for v in order
            if all(i in mine for i in bundles[v])
        }
    return values


def exchange(
    values: dict[int, dict[int, float]], order: Sequence[int]
) -> tuple[dict[int, int], list[int]]:
    """Those who envy nobody leave. Then walk along the favourites among those who are left until
    a user comes up twice, swap along that cycle, and go on.

    Returns:
        Whose bundle each user gets, and the users with the envious before the envied.
    """
    leaving = [u for u in order if max(values[u].values()) <= values[u][u]]
    given = {u: u for u in leaving}
    for start in order:
        path = [] if start in given else [start]
        while path:
            u = path[-1]
            favourite = u
            for v in order:
                if v not in given and values[u].get(v, -math.inf) > values[u][favourite]:
                    favourite = v
            if favourite not in path:
                path.append(favourite)
                continue
            cycle = path[path.index(favourite) :]
            for giver, taker in zip(cycle[1:] + cycle[:1], cycle, strict=True):
                given[taker] = giver
            leaving += cycle
            path = path[: -len(cycle)]
    return given, leaving[::-1]


def _pools(items: np.ndarray, scores: np.ndarray) -> tuple[list[dict[int, float]], list[set[int]]]:
    worth = [
        {i: s for i, s in zip(row, values, strict=True) if i >= 0}
        for row, values in zip(items.tolist(), scores.tolist(), strict=True)
    ]
    return worth, [set(row) for row in worth]


def _copies(
    feasible: list[set[int]], producer_of: Producers, alpha: float, k: int
) -> dict[int | None, int]:
    in_play = {producer_of[i] for row in feasible for i in row} - {None}
    each = math.floor(alpha * len(feasible) * k / max(len(in_play), 1) + 1e-9)
    return {None: 0} | {p: each for p in in_play}


def _round(
    bundles: list[list[int]],
    feasible: list[set[int]],
    worth: list[dict[int, float]],
    copies: dict[int | None, int],
    producer_of: Producers,
    order: Sequence[int],
) -> bool:
    """Everyone in turn takes the best item that has copies left; False where nobody can."""
    anyone = False
    for u in order:
        possible = [i for i in feasible[u] if copies[producer_of[i]] > 0]
        if possible:
            best = max(possible, key=worth[u].__getitem__)
            bundles[u].append(best)
            feasible[u].remove(best)
            copies[producer_of[best]] -= 1
            anyone = True
    return anyone


def _slates(
    items: np.ndarray, worth: list[dict[int, float]], bundles: list[list[int]], k: int
) -> np.ndarray:
    """Fill up with the best of the rest, and order by score."""
    columns = np.empty((len(items), k), np.intp)
    for u, row in enumerate(items.tolist()):
        rest = sorted(set(worth[u]) - set(bundles[u]), key=worth[u].__getitem__, reverse=True)
        slate = bundles[u] + rest[: k - len(bundles[u])]
        slate.sort(key=worth[u].__getitem__, reverse=True)
        columns[u] = [row.index(i) for i in slate]
    return columns
