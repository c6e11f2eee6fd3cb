"""Which candidates a greedy slate can be filled from, without trying them all."""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray

CERTAIN = 1.0
"""Share of the strength of the distance term at which no candidate that matters is left out."""

ROUNDING = np.float32(1e-6)
"""Relative margin of the comparisons: several times what float32 can round away."""


def cut_off(scores: FloatArray, strength: FloatArray, k: int, share: float) -> FloatArray:
    """Score below which a candidate is left out of the shortlist, shape ``(U,)``.

    A candidate gains its score plus ``strength`` times a mean distance in [0, 1]. Whatever was
    chosen so far, one of the ``k`` best by score is still there, and gains at least the k-th best
    score (plus ``strength``, where that is negative). So nobody whose score is lower by more than
    ``|strength|`` is ever chosen: with ``share`` = 1 the shortlist is certain to hold every slate.
    With less it is shorter, and `holds` tells afterwards whether it did.

    Args:
        scores: Shape ``(U, N)``, with at least ``k`` candidates that are not -inf.
        strength: Shape ``(U,)``.
        k: Slate length.
        share: Of ``|strength|`` by which a score may fall short of the k-th best.
    """
    best = _at_most_kth_best(scores, k)
    size = np.abs(strength)
    # Twice the margin of `holds`, so that a slate without a distance term never fails it.
    with np.errstate(invalid="ignore"):
        cut = best - np.float32(share) * size - 2 * ROUNDING * (np.abs(best) + size)
    return np.where(np.isfinite(best), cut, np.float32(-np.inf))


def holds(weakest: FloatArray, strength: FloatArray, cut: FloatArray) -> BoolArray:
    """Whether a slate filled from a shortlist is the slate of all candidates, shape ``(U,)``.

    It is where even the weakest choice gained more than anyone left out can: the cut-off plus the
    largest distance term there is.

    Args:
        weakest: Smallest gain of a choice after the first position, shape ``(U,)``.
        strength: Shape ``(U,)``.
        cut: The cut-off of the shortlist, shape ``(U,)``.
    """
    reach = np.maximum(strength, np.float32(0.0))
    with np.errstate(invalid="ignore"):  # a cut-off of -inf leaves nobody out, and is not compared
        return np.isneginf(cut) | (weakest >= cut + reach + ROUNDING * (np.abs(cut) + reach))


def _at_most_kth_best(scores: FloatArray, k: int) -> FloatArray:
    """The k-th best score of each row or a little less, shape ``(U,)``.

    Folding a row in two keeps the better one of each pair: the k-th best of the pairs is beaten by
    k candidates, and the row to be partitioned is half as long.
    """
    while scores.shape[1] >= 3 * k:
        half = scores.shape[1] // 2
        folded = np.maximum(scores[:, :half], scores[:, half : 2 * half])
        if scores.shape[1] % 2:
            np.maximum(folded[:, 0], scores[:, -1], out=folded[:, 0])
        scores = folded
    return np.partition(scores, scores.shape[1] - k, axis=1)[:, -k]


def shortlists(scores: FloatArray, cut: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
    """The candidates at or above their user's cut-off, by column within a user.

    Returns:
        Flat cells of ``scores`` of all users one after the other; where each user's begin, and
        how many they are, both ``(U,)``.
    """
    cells = np.flatnonzero(scores >= cut[:, None])
    count = np.bincount(cells // scores.shape[1], minlength=len(scores))
    return cells, np.cumsum(count) - count, count
