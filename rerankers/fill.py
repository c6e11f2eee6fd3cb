"""Filling slates greedily, for many users at once and for one alone, bit for bit the same."""

import numpy as np

from ..arrays import FloatArray, IntArray


def fill_slates(
    relevance: FloatArray, strength: FloatArray, distance: FloatArray, patterns: IntArray, k: int
) -> tuple[IntArray, FloatArray]:
    """Choose ``k`` candidates of each user, one position at a time; see `build_slates`.

    Users stand in columns: what differs between users is then a plain row vector to numpy, which
    costs nothing beside the arithmetic, whatever the number of candidates.

    Args:
        relevance: Scores of ``W`` candidates each, -inf where there is none, shape ``(W, R)``;
            overwritten.
        strength: Of the distance term, shape ``(R,)``.
        distance: Between topic sets, shape ``(P, P)``.
        patterns: Topic set of each candidate, shape ``(W, R)``.
        k: Slate length.

    Returns:
        Flat cells of the candidates chosen, shape ``(k, R)``, and the smallest gain with which one
        was chosen after the first position, shape ``(R,)``.
    """
    width, n = relevance.shape
    flat, flat_patterns, flat_distance = relevance.ravel(), patterns.ravel(), distance.ravel()
    users = np.arange(n)
    chosen = np.empty((k, n), np.intp)
    weakest = np.full(n, np.inf, np.float32)
    # The first of equal maxima has the highest rank.
    ranks = np.arange(width, 0, -1, dtype=np.min_scalar_type(width))[:, None]
    is_top, rank = np.empty((width, n), np.bool_), np.empty((width, n), ranks.dtype)
    summed, scratch = np.zeros((width, n), np.float32), np.empty((width, n), np.float32)
    pairs = np.empty((width, n), np.intp)
    gain = relevance
    for j in range(k):
        top = gain.max(axis=0)
        np.equal(gain, top, out=is_top)
        np.multiply(is_top, ranks, out=rank)
        cells = np.subtract(width, rank.max(axis=0), out=chosen[j])
        cells *= n
        cells += users
        if j > 0:
            np.minimum(weakest, top, out=weakest)
        if j + 1 == k:
            break
        flat[cells] = -np.inf
        best = flat_patterns.take(cells)
        best *= len(distance)
        np.add(patterns, best, out=pairs)
        # Pairs are right by construction; "clip" only spares numpy a buffered check.
        flat_distance.take(pairs, out=scratch, mode="clip")
        summed += scratch
        gain = np.multiply(summed, strength / (j + 1), out=scratch)
        gain += relevance
    return chosen, weakest


def fill_slate(
    relevance: FloatArray, strength: FloatArray, distance: FloatArray, patterns: IntArray, k: int
) -> IntArray:
    """The same for one user, with as few calls as it takes.

    Args:
        relevance: Scores, -inf where there is no candidate, shape ``(N,)``; overwritten.
        strength: Of the distance term, shape ``()``.
        distance: Between topic sets, shape ``(P, P)``.
        patterns: Topic set of each candidate, shape ``(N,)``.
        k: Slate length.

    Returns:
        The candidates chosen, shape ``(k,)``.
    """
    chosen = np.empty(k, np.intp)
    summed = np.zeros(len(relevance), np.float32)
    gain = relevance
    for j in range(k):
        best = gain.argmax()
        chosen[j] = best
        if j + 1 == k:
            break
        relevance[best] = -np.inf
        summed += distance[patterns[best]].take(patterns)
        gain = summed * (strength / (j + 1))
        gain += relevance
    return chosen
