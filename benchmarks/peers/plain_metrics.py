"""Metrics one user at a time, in the words of their definitions: peers and oracles."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np

Wanted = list[set[int]]


def held_out(held_users: np.ndarray, held_items: np.ndarray, n_users: int) -> Wanted:
    """The held-out items of each user."""
    wanted: Wanted = [set() for _ in range(n_users)]
    for user, item in zip(held_users.tolist(), held_items.tolist(), strict=True):
        wanted[user].add(item)
    return wanted


def ndcg(lists: np.ndarray, wanted: Wanted) -> list[float]:
    out = []
    for ranked, relevant in zip(lists.tolist(), wanted, strict=True):
        gained = sum(1 / math.log2(j + 2) for j, item in enumerate(ranked) if item in relevant)
        ideal = sum(1 / math.log2(j + 2) for j in range(min(len(relevant), len(ranked))))
        out.append(gained / ideal if relevant else math.nan)
    return out


def recall(lists: np.ndarray, wanted: Wanted) -> list[float]:
    out = []
    for ranked, relevant in zip(lists.tolist(), wanted, strict=True):
        found = sum(item in relevant for item in ranked)
        out.append(found / len(relevant) if relevant else math.nan)
    return out


def precision(lists: np.ndarray, wanted: Wanted) -> list[float]:
    return [
        sum(item in relevant for item in ranked) / len(ranked) if relevant else math.nan
        for ranked, relevant in zip(lists.tolist(), wanted, strict=True)
    ]


def hit(lists: np.ndarray, wanted: Wanted) -> list[float]:
    return [
        float(any(item in relevant for item in ranked)) if relevant else math.nan
        for ranked, relevant in zip(lists.tolist(), wanted, strict=True)
    ]


def reciprocal_rank(lists: np.ndarray, wanted: Wanted) -> list[float]:
    out = []
    for ranked, relevant in zip(lists.tolist(), wanted, strict=True):
        first = next((j for j, item in enumerate(ranked) if item in relevant), None)
        value = 0.0 if first is None else 1 / (first + 1)
        out.append(value if relevant else math.nan)
    return out


def average_precision(lists: np.ndarray, wanted: Wanted) -> list[float]:
    out = []
    for ranked, relevant in zip(lists.tolist(), wanted, strict=True):
        found, total = 0, 0.0
        for j, item in enumerate(ranked):
            if item in relevant:
                found += 1
                total += found / (j + 1)
        out.append(total / min(len(relevant), len(ranked)) if relevant else math.nan)
    return out


def intra_list_jaccard(lists: np.ndarray, topics: np.ndarray) -> list[float]:
    sets = [frozenset(np.flatnonzero(row).tolist()) for row in topics]
    out = []
    for ranked in lists.tolist():
        distances = [
            1 - len(sets[a] & sets[b]) / len(sets[a] | sets[b]) if sets[a] | sets[b] else 0.0
            for a, b in combinations([item for item in ranked if item >= 0], 2)
        ]
        out.append(sum(distances) / len(distances) if distances else math.nan)
    return out


def novelty(lists: np.ndarray, popularity: np.ndarray, n_users: int) -> list[float]:
    return [
        float(np.mean([-math.log2(max(popularity[item], 1) / n_users) for item in ranked]))
        for ranked in lists
    ]


def calibration_kl(p: np.ndarray, lists: np.ndarray, topics: np.ndarray) -> list[float]:
    out = []
    for wanted, ranked in zip(p, lists, strict=True):
        shown = sum(topics[item] / max(topics[item].sum(), 1) for item in ranked)
        q = shown / shown.sum()
        smooth = 0.99 * q + 0.01 * wanted
        out.append(sum(a * math.log(a / b) for a, b in zip(wanted, smooth, strict=True) if a > 0))
    return out


def group_exposure(lists: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    out = np.zeros((len(lists), n_groups))
    for user, ranked in enumerate(lists.tolist()):
        for j, item in enumerate(ranked):
            if item >= 0 and codes[item] >= 0:
                out[user, codes[item]] += 1 / math.log2(j + 2)
    return out


def awrf(lists: np.ndarray, codes: np.ndarray, target: np.ndarray) -> list[float]:
    out = []
    for row in group_exposure(lists, codes, len(target)):
        out.append(1 - 0.5 * sum(abs(a / row.sum() - b) for a, b in zip(row, target, strict=True)))
    return out


def gini(lists: np.ndarray, n_items: int) -> float:
    count = dict.fromkeys(range(n_items), 0)
    for ranked in lists.tolist():
        for item in ranked:
            count[item] += 1
    ordered = sorted(count.values())
    weighted = sum((2 * i - n_items - 1) * x for i, x in enumerate(ordered, start=1))
    return weighted / (n_items * sum(ordered))


def coverage(lists: np.ndarray, n_items: int) -> float:
    shown: set[int] = set()
    for ranked in lists.tolist():
        shown.update(ranked)
    return len(shown) / n_items


def by_group(
    metric: Callable[[np.ndarray], float], codes: np.ndarray, n_groups: int
) -> list[float]:
    """A metric of each group: a plain mask."""
    return [metric(codes == g) if (codes == g).any() else math.nan for g in range(n_groups)]


def bootstrap_means(columns: np.ndarray, n_replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Percentile intervals of the columns' means, one replicate at a time."""
    n = len(columns)
    means = [columns[rng.integers(0, n, n)].mean(axis=0) for _ in range(n_replicates)]
    return np.quantile(means, [0.025, 0.975], axis=0)


def gap_p_value(
    values: np.ndarray,
    codes: np.ndarray,
    n_groups: int,
    n_permutations: int,
    rng: np.random.Generator,
) -> float:
    """Studentised permutation test of the largest pairwise difference, one shuffle at a time."""

    def largest(labels: np.ndarray) -> float:
        parts = [values[labels == g] for g in range(n_groups)]
        errors = [p.var() / (len(p) - 1) for p in parts]
        return max(
            abs(parts[a].mean() - parts[b].mean()) / math.sqrt(errors[a] + errors[b])
            for a, b in combinations(range(n_groups), 2)
        )

    observed = largest(codes)
    as_large = sum(largest(rng.permutation(codes)) >= observed for _ in range(n_permutations))
    return (1 + as_large) / (1 + n_permutations)


def plackett_luce_samples(
    scores: np.ndarray, k: int, n_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Mean exposure over rankings drawn position by position, one user at a time."""
    out = np.zeros(scores.shape)
    for user, row in enumerate(scores):
        weights = np.exp(row - row.max())
        for _ in range(n_samples):
            order = rng.choice(len(row), size=k, replace=False, p=weights / weights.sum())
            out[user, order] += 1 / np.log2(np.arange(2, k + 2))
    return out / n_samples
