"""What repetition costs: fatigue with items and satiation with topics, from users seen again.

P(click) = θ_position · σ(z_item + δ − Σ_c φ_c · x_c), with examination and the items' log-odds as
fitted before and the covariates x of ``history``; δ brings the items' level, fitted with repetition
mixed in, to that of rested users. The φ and δ maximise the likelihood (Fisher scoring), with errors
that let a user's rows depend on each other (sandwich: Huber 1967; clusters: Liang & Zeger 1986).

Users differ in taste, and here they do not: who did not click at first likes an item less than
others. Showings therefore seem to cost a little more than they do, and clicks less.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ...arrays import BoolArray, FloatArray, IntArray
from .click_table import sums

MIN_CLICKS = 20
"""Clicks on impressions with a history below which a covariate is left out."""
_LARGEST = 20.0


@dataclass(frozen=True, slots=True)
class Repeats:
    """Effects of the covariates of ``history.COVARIATES``.

    Attributes:
        effect: Click log-odds lost per unit of each, shape ``(3,)``; NaN where left out.
        error: Standard errors, shape ``(3,)``.
        level: δ: what the items' log-odds gain for rested users.
        rows: Impressions with a history, of each kind, shape ``(3,)``.
        clicks: Clicks on them, shape ``(3,)``.
    """

    effect: FloatArray
    error: FloatArray
    level: float
    rows: IntArray
    clicks: IntArray


def fit_repeats(
    covariates: FloatArray,
    clicked: BoolArray,
    examination: FloatArray,
    log_odds: FloatArray,
    user: IntArray,
) -> Repeats:
    """Fit the effects; O(R) per step, about ten steps.

    Args:
        covariates: From ``History.walk``, shape ``(R, 3)``.
        clicked: Shape ``(R,)``.
        examination: Of each row's position, shape ``(R,)``.
        log_odds: Of each row's item, shape ``(R,)``.
        user: Shape ``(R,)``.
    """
    rows = (covariates > 0).sum(axis=0)
    clicks = (covariates[clicked] > 0).sum(axis=0)
    used = clicks >= MIN_CLICKS
    x = np.concatenate([np.ones((len(clicked), 1)), -covariates[:, used]], axis=1)
    at = np.zeros(x.shape[1])
    value = _log_likelihood(x @ at + log_odds, clicked, examination)
    for _ in range(50):
        score, information = _scores(x, x @ at + log_odds, clicked, examination)
        move = np.linalg.solve(information + 1e-9 * np.eye(len(at)), score.sum(axis=0))
        new = _log_likelihood(x @ (at + move) + log_odds, clicked, examination)
        for _ in range(20):
            if new >= value - 1e-9:
                break
            move = move * 0.5
            new = _log_likelihood(x @ (at + move) + log_odds, clicked, examination)
        at, value = np.clip(at + move, -_LARGEST, _LARGEST), new
        if np.abs(move).max() < 1e-6:
            break
    score, information = _scores(x, x @ at + log_odds, clicked, examination)
    of_users = np.stack([sums(user, int(user.max()) + 1, column) for column in score.T], axis=1)
    bread = np.linalg.inv(information + 1e-9 * np.eye(len(at)))
    errors = np.sqrt(np.diag(bread @ (of_users.T @ of_users) @ bread))
    effect, error = np.full(3, np.nan), np.full(3, np.inf)
    effect[used], error[used] = at[1:], errors[1:]
    return Repeats(effect, error, float(at[0]), rows, clicks)


def _log_likelihood(z: FloatArray, clicked: BoolArray, theta: FloatArray) -> float:
    p = np.clip(theta * expit(z), 1e-12, 1.0 - 1e-12)
    return float(np.where(clicked, np.log(p), np.log1p(-p)).sum())


def _scores(
    x: FloatArray, z: FloatArray, clicked: BoolArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Each row's score ``(R, P)``, and the expected information ``(P, P)``."""
    gamma = expit(z)
    p = np.minimum(theta * gamma, 1.0 - 1e-12)
    ratio = (1.0 - gamma) / (1.0 - p)
    slope = (clicked - p) * ratio
    return x * slope[:, None], (x * (p * (1.0 - gamma) * ratio)[:, None]).T @ x
