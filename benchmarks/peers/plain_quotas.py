"""FA*IR and the DetGreedy family as one would write them first: one user at a time, from scores."""

import math
from collections.abc import Callable

import numpy as np
from scipy.stats import binom

MISSING = -1


def each_user(
    rank: Callable[[np.ndarray, np.ndarray], list[int]], scores: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Columns of every user's slate, ``(U, k)``."""
    return np.array([rank(s, c) for s, c in zip(scores, codes, strict=True)])


def adjusted_table(
    k: int, p: float, alpha: float, tolerance: float = 1e-10
) -> tuple[np.ndarray, float]:
    """FA*IR's adjusted table by bisection of the significance, and its fail probability."""
    low, high = 0.0, alpha
    while high - low > tolerance:
        middle = (low + high) / 2
        if fail_probability(quantiles(k, p, middle), p) <= alpha:
            low = middle
        else:
            high = middle
    table = quantiles(k, p, low)
    return table, fail_probability(table, p)


def quantiles(k: int, p: float, significance: float) -> np.ndarray:
    """Inverse of the binomial distribution function at every prefix length."""
    return np.maximum(binom.ppf(significance, np.arange(1, k + 1), p), 0).astype(int)


def fail_probability(table: np.ndarray, p: float) -> float:
    """Law of the protected count, position by position, without the failures."""
    law = np.array([1.0])
    for minimum in table:
        law = np.convolve(law, [1 - p, p])
        law[:minimum] = 0.0
    return 1.0 - float(law.sum())


def fa_ir(scores: np.ndarray, codes: np.ndarray, minima: np.ndarray, k: int) -> list[int]:
    """Merge the groups' queues by score, unless a protected group is short.

    ``codes`` holds 0 for unprotected candidates, 1 to P for protected groups; ``minima`` is
    ``(k, P)``.
    """
    queues = _queues(scores, codes, range(minima.shape[1] + 1))
    counts = [0] * len(queues)
    slate = []
    for i in range(k):
        group = next((g for g in queues if g and queues[g] and counts[g] < minima[i, g - 1]), None)
        if group is None:
            group = max((g for g in queues if queues[g]), key=lambda g: scores[queues[g][0]])
        slate.append(queues[group].pop(0))
        counts[group] += 1
    return slate


def det(
    method: str,
    scores: np.ndarray,
    codes: np.ndarray,
    shares: np.ndarray,
    k: int,
    strength: float = 1.0,
) -> list[int]:
    """DetGreedy, DetCons and DetRelaxed of Geyik et al.; ``MISSING`` ones are not counted."""
    groups = range(len(shares))
    queues = _queues(scores, codes, [*groups, MISSING])
    counts = dict.fromkeys(queues, 0)
    upper = [1 - strength * (1 - share) for share in shares]
    slate = []

    def score(group: int) -> float:
        return scores[queues[group][0]] if queues[group] else -math.inf

    while len(slate) < k:
        length = sum(counts[g] for g in groups) + 1
        left = [g for g in groups if queues[g]]
        short = [g for g in left if counts[g] < _floor(strength * shares[g] * length)]
        open_to = [g for g in left if counts[g] < _ceil(upper[g] * length)]
        if not short and open_to and method != "det-greedy":
            due = {g: round(_ceil(upper[g] * length) / upper[g], 9) for g in open_to}
            if method == "det-relaxed":
                due = {g: math.ceil(d) for g, d in due.items()}
            soonest = min(due.values())
            open_to = [g for g in open_to if due[g] == soonest]
        chosen = max(short or open_to or left or [MISSING], key=score)
        if not short and score(MISSING) > score(chosen):
            chosen = MISSING
        counts[chosen] += 1
        slate.append(queues[chosen].pop(0))
    return slate


def det_const_sort(
    scores: np.ndarray, codes: np.ndarray, shares: np.ndarray, k: int, strength: float = 1.0
) -> list[int]:
    """DetConstSort of Geyik et al. for one user, with ``1 − strength`` of the places free."""
    groups = range(len(shares))
    queues = _queues(scores, codes, [*groups, MISSING])
    n_known = sum(len(queues[g]) for g in groups)
    counts = dict.fromkeys(groups, 0)
    ranked: list[tuple[int, float]] = []  # candidates with their deadlines
    reached = dict.fromkeys([*groups, "free"], 0)

    def head(group: int | str) -> float:
        if group == "free":
            return max((head(g) for g in groups), default=-math.inf)
        return scores[queues[group][0]] if queues[group] else -math.inf

    def append(group: int | str, deadline: float) -> None:
        if group == "free":
            group, deadline = max(groups, key=head), math.inf
        ranked.append((queues[group].pop(0), deadline))
        counts[group] += 1
        at = len(ranked) - 1
        while (
            at > 0
            and ranked[at - 1][1] >= at + 1
            and scores[ranked[at - 1][0]] < scores[ranked[at][0]]
        ):
            ranked[at - 1], ranked[at] = ranked[at], ranked[at - 1]
            at -= 1

    length, slowest = 0, min((s for s in strength * shares if s > 1e-12), default=1.0)
    while len(ranked) < min(k, n_known) and length < k / slowest + 1:
        length += 1
        minima = {g: _floor(strength * shares[g] * length) for g in groups}
        minima["free"] = _floor((1 - strength) * length)
        risen = [g for g in reached if minima[g] > reached[g]]
        reached = minima
        while risen and len(ranked) < min(k, n_known):
            open_to = [g for g in risen if head(g) > -math.inf]
            open_to = [g for g in open_to if g == "free" or counts[g] < minima[g]]
            if not open_to:
                break
            best = max(open_to, key=head)
            risen.remove(best)
            append(best, length)
    while len(ranked) < min(k, n_known):
        append("free", math.inf)
    return _with_unknown(scores, ranked, queues[MISSING], k)


def _with_unknown(
    scores: np.ndarray, ranked: list[tuple[int, float]], unknown: list[int], k: int
) -> list[int]:
    slate: list[int] = []
    at = 0
    while len(slate) < k:
        known = ranked[at] if at < len(ranked) else None
        is_due = known is not None and known[1] == at + 1
        if unknown and (known is None or (not is_due and scores[unknown[0]] > scores[known[0]])):
            slate.append(unknown.pop(0))
        else:
            slate.append(known[0])
            at += 1
    return slate


def _queues(scores: np.ndarray, codes: np.ndarray, groups) -> dict[int, list[int]]:
    queues: dict[int, list[int]] = {g: [] for g in groups}
    for column in np.argsort(-scores, kind="stable").tolist():
        queues[int(codes[column])].append(column)
    return queues


def _floor(x: float) -> int:
    return math.floor(x + 1e-9)


def _ceil(x: float) -> int:
    return math.ceil(x - 1e-9)
