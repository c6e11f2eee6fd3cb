"""TFROM as one writes it first: a user at a time, candidate by candidate.

Users' turns are given, as in `plain_fair_rec`. Positions are weighted as a share of a slate.
"""

import math
from collections.abc import Sequence

import numpy as np

TOLERANCE = 1e-9


class OnlineTFROM:
    """Exposure of every provider over all users served, each with a cap that grows with them."""

    def __init__(self, sizes: Sequence[int], fairness: str, strictness: float) -> None:
        """Number of items of each provider, ``"uniform"`` or ``"quality"``, 0 for no caps."""
        self.sizes, self.fairness, self.strictness = sizes, fairness, strictness
        self.exposure = [0.0] * len(sizes)
        self.quality = [0.0] * len(sizes)
        self.served = 0

    def serve(self, gain: list[float], provider: list[int], k: int) -> list[int]:
        """Columns of the next user's slate; provider -1 is not known."""
        self.served += 1
        for g, p in zip(gain, provider, strict=True):
            if p >= 0:
                self.quality[p] += g
        caps = fair_exposure(self.sizes, self.quality, self.fairness, self.served, self.strictness)
        left = sorted(range(len(gain)), key=lambda c: -gain[c])
        slate: list[int | None] = [None] * k
        for j, weight in enumerate(position_weights(k)):
            for c in left:
                p = provider[c]
                if p < 0 or self.exposure[p] + weight <= caps[p] + TOLERANCE:
                    slate[j] = c
                    left.remove(c)
                    if p >= 0:
                        self.exposure[p] += weight
                    break
        for j, weight in enumerate(position_weights(k)):
            if slate[j] is None:
                c = slate[j] = left.pop(0)
                if provider[c] >= 0:
                    self.exposure[provider[c]] += weight
        return [c for c in slate if c is not None]


def offline_tfrom(
    gains: list[list[float]],
    providers: list[list[int]],
    sizes: Sequence[int],
    serving: Sequence[int],
    k: int,
    *,
    fairness: str = "uniform",
    strictness: float = 1.0,
    worst_off_first: bool = True,
) -> np.ndarray:
    """Columns of all slates, ``(U, k)``; provider -1 is not known."""
    quality = [0.0] * len(sizes)
    for row, codes in zip(gains, providers, strict=True):
        for g, p in zip(row, codes, strict=True):
            if p >= 0:
                quality[p] += g
    caps = fair_exposure(sizes, quality, fairness, len(gains), strictness)
    discounts = [1 / math.log2(j + 2) for j in range(k)]
    left = [sorted(range(len(row)), key=lambda c, row=row: -row[c]) for row in gains]
    ideal = [
        sum(row[c] * d for c, d in zip(best, discounts, strict=False))
        for row, best in zip(gains, left, strict=True)
    ]
    exposure = [0.0] * len(sizes)
    ndcg = [0.0] * len(gains)
    slates: list[list[int | None]] = [[None] * k for _ in gains]
    weights = position_weights(k)
    for j in range(k):
        for u in sorted(serving, key=lambda u: ndcg[u] if worst_off_first else -ndcg[u]):
            for c in left[u]:
                p = providers[u][c]
                if p < 0 or exposure[p] + weights[j] <= caps[p] + TOLERANCE:
                    slates[u][j] = c
                    left[u].remove(c)
                    if p >= 0:
                        exposure[p] += weights[j]
                    if ideal[u] > 0:
                        ndcg[u] += gains[u][c] * discounts[j] / ideal[u]
                    break
    for j in range(k):
        for u in serving:
            if slates[u][j] is None:
                least = min(left[u], key=lambda c: exposure[providers[u][c]])
                slates[u][j] = least
                left[u].remove(least)
                exposure[providers[u][least]] += weights[j]
    return np.array(slates, np.intp).reshape(len(gains), k)


def fair_exposure(
    sizes: Sequence[int], quality: list[float], fairness: str, served: int, strictness: float
) -> list[float]:
    """What each provider may have of the exposure of that many slates."""
    if strictness == 0:
        return [math.inf] * len(sizes)
    due = quality if fairness == "quality" and sum(quality) > 0 else sizes
    return [d / sum(due) * served / strictness for d in due]


def position_weights(k: int) -> list[float]:
    """Share of a slate's exposure that each position hands out."""
    discounts = [1 / math.log2(j + 2) for j in range(k)]
    return [d / sum(discounts) for d in discounts]
