"""The slate of the largest expected value at one visit, exactly, under each choice model.

Every candidate has log-odds ``x`` of a click once looked at, attraction ``a = sigmoid(x)``, and a
value ``v`` that one look at it brings in expectation (its satisfaction times ``a``, perhaps less a
price). Costs O(U · N log N), and O(U · N · k) for a cascade.

Sources:
    Hardy, Littlewood & Pólya 1934, "Inequalities": the rearrangement inequality.
    Kempe & Mahdian 2008, "A cascade model for externalities in sponsored search": sort by value
    over the chance of stopping, then choose by dynamic programming.
    Dinkelbach 1967, "On nonlinear fractional programming": a ratio of linear functions.
"""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ..choice import discount
from ..config import ChoiceConfig
from ..dynamics import sigmoid

_ROUNDS = 50  # Dinkelbach's rounds: he needs a handful
_SMALLEST_STOP = 1e-9


def best_slates(
    log_odds: FloatArray, value: FloatArray, valid: BoolArray, choice: ChoiceConfig, k: int
) -> IntArray:
    """The best slate of every user.

    Args:
        log_odds: Of a click once looked at, shape ``(U, N)``.
        value: Expected value of one look, shape ``(U, N)``; may be negative.
        valid: Columns that hold a candidate, at least ``k`` in each row, shape ``(U, N)``.
        choice: How a slate is looked at and chosen from.
        k: Slate length.

    Returns:
        Columns, top position first, shape ``(U, k)``.
    """
    if choice.model == "cascade":
        spread = choice.continue_after_skip - choice.continue_after_click
        reads_on = choice.continue_after_skip - spread * sigmoid(log_odds)
        return cascade_slates(reads_on, value, valid, k)
    if choice.model == "logit":
        odds = np.exp(log_odds.astype(np.float64))
        looks = discount(k, choice.position_bias).astype(np.float64)
        per_odds = value * (1.0 + odds) / odds  # value over attraction: that of a click
        return logit_slates(odds, per_odds, looks, float(np.exp(choice.no_click)), valid)
    return top(value, valid, k)


def top(value: FloatArray, valid: BoolArray, k: int) -> IntArray:
    """The ``k`` largest values, largest first: best where earlier positions are looked at more."""
    return np.argsort(np.where(valid, -value, np.inf), axis=1, kind="stable")[:, :k]


def cascade_slates(reads_on: FloatArray, value: FloatArray, valid: BoolArray, k: int) -> IntArray:
    """Maximise Σ_j value_j · Π_{i<j} reads_on_i over ordered slates of ``k``.

    Two neighbours are in the right order if value / (1 − reads_on) falls; which ones to choose is
    then a dynamic programme from the bottom: ``best[m]`` is what the best ``m`` of the candidates
    seen so far bring.

    Args:
        reads_on: Probability of reading on after a look, shape ``(U, N)``.
        value: Expected value of a look, shape ``(U, N)``.
        valid: Columns that hold a candidate, shape ``(U, N)``.
        k: Slate length.
    """
    n_users, n = value.shape
    ratio = value / np.maximum(1.0 - reads_on, _SMALLEST_STOP)
    order = np.argsort(np.where(valid, -ratio, np.inf), axis=1, kind="stable")
    v = np.take_along_axis(np.where(valid, value, -np.inf), order, axis=1).astype(np.float64)
    g = np.take_along_axis(reads_on, order, axis=1).astype(np.float64)
    best = np.full((n_users, k + 1), -np.inf)
    best[:, 0] = 0.0
    taken = np.zeros((n, n_users, k + 1), np.bool_)
    for i in range(n - 1, -1, -1):
        rest = np.full((n_users, k), -np.inf)  # where fewer than m - 1 candidates were seen
        np.multiply(g[:, i, None], best[:, :-1], out=rest, where=np.isfinite(best[:, :-1]))
        with_it = v[:, i, None] + rest
        taken[i, :, 1:] = with_it > best[:, 1:]
        best[:, 1:] = np.maximum(best[:, 1:], with_it)
    slate = np.empty((n_users, k), np.intp)
    left = np.full(n_users, k)
    users = np.arange(n_users)
    for i in range(n):
        takes = np.flatnonzero(taken[i, users, left])
        slate[takes, k - left[takes]] = order[takes, i]
        left[takes] -= 1
    return slate


def logit_slates(
    odds: FloatArray, worth: FloatArray, looks: FloatArray, nothing: float, valid: BoolArray
) -> IntArray:
    """Maximise Σ_j looks_j odds_j worth_j / (nothing + Σ_j looks_j odds_j).

    For a guess λ of the optimum, the slate that maximises Σ_j looks_j odds_j (worth_j − λ) is a
    sort; its own ratio is the next guess, which grows until the guess is the optimum.

    Args:
        odds: exp(log-odds), shape ``(U, N)``.
        worth: Value of each candidate once chosen, shape ``(U, N)``.
        looks: Factor of each position on the odds, falling, > 0, shape ``(k,)``.
        nothing: Odds of choosing nothing.
        valid: Columns that hold a candidate, shape ``(U, N)``.
    """
    guess = np.full(len(odds), -np.inf)
    slate = top(odds * worth, valid, len(looks))
    for _ in range(_ROUNDS):
        chosen = looks * np.take_along_axis(odds, slate, axis=1)
        gain = (chosen * np.take_along_axis(worth, slate, axis=1)).sum(axis=1)
        ratio = gain / (nothing + chosen.sum(axis=1))
        better = ratio > guess
        if not better.any():
            break
        guess = np.maximum(guess, ratio)
        slate[better] = top(odds * (worth - guess[:, None]), valid, len(looks))[better]
    return slate
