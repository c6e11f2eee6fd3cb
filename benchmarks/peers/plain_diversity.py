"""The re-rankers for variety again, one user at a time in plain numpy.

Written as one would write them first, without waste: each step is vectorised over the candidates
of the user. ``relevance`` is (U, N), ``members`` (U, N, A) tells with 0 or 1 which aspects a
candidate has, ``wanted`` (U, A) is what the user should be shown of each; all give columns (U, k).
"""

import math

import numpy as np

from benchmarks.peers.plain_loops import jaccard


def dpp_kernel(relevance: np.ndarray, similarity: np.ndarray, theta: float) -> np.ndarray:
    """One user's kernel as in the paper, from relevance (N,) and similarity (N, N)."""
    quality = np.exp(theta / (2.0 * (1.0 - theta)) * relevance)
    return quality[:, None] * similarity * quality


def dpp_map(kernel: np.ndarray, k: int, tolerance: float = 1e-10) -> list[int]:
    """Chen, Zhang & Zhou's algorithm for one user, on a kernel (N, N)."""
    factors = np.zeros((k, len(kernel)))
    residual = np.diag(kernel).copy()
    chosen: list[int] = []
    for j in range(k):
        best = int(np.argmax(residual))
        if residual[best] <= tolerance:
            raise ValueError(f"rank {j} is below k={k}")
        chosen.append(best)
        row = kernel[best] - factors[:j, best] @ factors[:j]
        factors[j] = row / math.sqrt(residual[best])
        residual -= factors[j] ** 2
        residual[chosen] = -np.inf
    return chosen


def dpp(
    relevance: np.ndarray, topics: np.ndarray, theta: float, shrinkage: float, k: int
) -> np.ndarray:
    """From topics (U, N, T), with a kernel made for each user."""
    slates = []
    for row, row_topics in zip(relevance, topics, strict=True):
        similarity = (1.0 - shrinkage) * (1.0 - jaccard(row_topics))
        np.fill_diagonal(similarity, 1.0)
        slates.append(dpp_map(dpp_kernel(row, similarity, theta), k))
    return np.array(slates)


def share_of_aspect(relevance: np.ndarray, members: np.ndarray) -> np.ndarray:
    """One user's P(item | aspect): relevance over that of all with the aspect, (N, A)."""
    mass = relevance[:, None] * members
    total = mass.sum(axis=0)
    return mass / np.where(total > 0, total, 1.0)


def grade_in_aspect(relevance: np.ndarray, members: np.ndarray) -> np.ndarray:
    """One user's (2^r − 1)/2, with r relative to the aspect's most relevant item, (N, A)."""
    graded = relevance[:, None] * members
    largest = graded.max(axis=0)
    return (2.0 ** (graded / np.where(largest > 0, largest, 1.0)) - 1.0) / 2.0


def xquad(
    relevance: np.ndarray,
    members: np.ndarray,
    wanted: np.ndarray,
    strength: float,
    coverage: str,
    k: int,
) -> np.ndarray:
    """(1 − λ) P(i|u) + λ Σ P(a|u) P(i|a) Π (1 − P(j|a))."""
    slates = []
    for base, member, aspects in zip(relevance, members, wanted, strict=True):
        if coverage == "shares":
            covers = share_of_aspect(base, member)
            base = base / base.sum()
        else:
            covers = grade_in_aspect(base, member) if coverage == "relevance" else member
        chosen: list[int] = []
        for _ in range(k):
            if coverage == "smooth":
                novelty = 1.0 - covers[chosen].mean(axis=0) if chosen else np.ones(len(aspects))
            else:
                novelty = np.prod(1.0 - covers[chosen], axis=0)
            gain = (1.0 - strength) * base + strength * (covers @ (aspects * novelty))
            gain[chosen] = -np.inf
            chosen.append(int(np.argmax(gain)))
        slates.append(chosen)
    return np.array(slates)


def pm2(
    relevance: np.ndarray,
    members: np.ndarray,
    wanted: np.ndarray,
    strength: float,
    focus: float,
    k: int,
) -> np.ndarray:
    """(1 − strength) P(i|u) + strength · PM-2, whose quotients are scaled to sum to 1."""
    slates = []
    for base, member, votes in zip(relevance, members, wanted, strict=True):
        covers = share_of_aspect(base, member)
        base = base / base.sum()
        seats = np.zeros(len(votes))
        chosen: list[int] = []
        for _ in range(k):
            quotient = votes / (2.0 * seats + 1.0)
            weight = (1.0 - focus) * quotient
            turn = int(np.argmax(quotient))
            weight[turn] = focus * quotient[turn]
            if weight.sum() > 0:
                weight /= weight.sum()
            gain = (1.0 - strength) * base + strength * (covers @ weight)
            gain[chosen] = -np.inf
            best = int(np.argmax(gain))
            chosen.append(best)
            if covers[best].sum() > 0:
                seats += covers[best] / covers[best].sum()
        slates.append(chosen)
    return np.array(slates)


def calibrated(
    relevance: np.ndarray,
    members: np.ndarray,
    wanted: np.ndarray,
    strength: float,
    alpha: float,
    k: int,
) -> np.ndarray:
    """Steck's greedy algorithm: each candidate's KL(p ‖ q) with the slate so far, every time."""
    slates = []
    for base, member, p in zip(relevance, members, wanted, strict=True):
        spread = member / np.maximum(member.sum(axis=1, keepdims=True), 1.0)
        present = np.flatnonzero(p)
        summed = np.zeros(len(p))
        chosen: list[int] = []
        for _ in range(k):
            total = summed + spread
            mass = total.sum(axis=1, keepdims=True)
            q = (total / np.where(mass > 0, mass, 1.0))[:, present]
            smooth = (1.0 - alpha) * q + alpha * p[present]
            divergence = (p[present] * np.log(p[present] / smooth)).sum(axis=1)
            gain = (1.0 - strength) * base - strength * divergence
            gain[chosen] = -np.inf
            best = int(np.argmax(gain))
            chosen.append(best)
            summed += spread[best]
        slates.append(chosen)
    return np.array(slates)


def calibrated_objective(
    relevance: np.ndarray,
    member: np.ndarray,
    p: np.ndarray,
    strength: float,
    alpha: float,
) -> float:
    """(1 − λ) Σ relevance − λ KL(p ‖ q) of one slate: relevance (k,), member (k, A), p (A,)."""
    total = (member / np.maximum(member.sum(axis=1, keepdims=True), 1.0)).sum(axis=0)
    q = total / max(float(total.sum()), 1.0)
    present = p > 0
    smooth = ((1.0 - alpha) * q + alpha * p)[present]
    divergence = float((p[present] * np.log(p[present] / smooth)).sum())
    return (1.0 - strength) * float(relevance.sum()) - strength * divergence
