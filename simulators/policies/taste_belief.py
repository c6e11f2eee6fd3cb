"""What clicks and ratings tell of hidden tastes: exact Bayes on a grid, a candidate at a time.

Of user u and candidate i the hidden taste h ~ N(0, 1) is not known (`known_taste`); everything else
is, the effects of satiation, fatigue and drift s at each visit included. So a look at i brings

    a click with probability  σ(a(h) + s),         a(h) = a₀ + a₁ h
    satisfaction of mean      m(h) = σ(w(h) + s'),  w(h) the log-odds of the clipped rating at h

Under the position model the clicks of a slate are independent given the tastes: position j is
looked at with a probability q_j of its own. With y a click and z the satisfaction with it, the
likelihood of what was seen of i at position j is

    (1 − q_j σ(a(h) + s))^(1 − y) · (q_j σ(a(h) + s) · p(z | m(h)))^y

and tastes are independent a priori, so the posterior of each candidate is its own: prior times
the likelihoods of the positions at which it stood. Nothing is approximated but by the grid.

Satisfaction is uniform on m ± ν min(m, 1 − m) (`dynamics.noisy_satisfaction`), which has a sharp
edge. A likelihood at the nodes alone would lose true values between two of them, so it is averaged
over each node's cell. The means that could have given z are an interval, because m ± ν min(m, 1 −
m) both grow with m:

    least  = z / (1 + ν)            where that is at most 1/2, else  1 − (1 − z) / (1 − ν)
    most   = z / (1 − ν)            where that is at most 1/2, else  1 − (1 − z) / (1 + ν)

A cell of means [m₁, m₂] then has likelihood |[m₁, m₂] ∩ interval| / (m₂ − m₁) / (2 ν min(m, 1 − m))
with the m in the middle of what is left of it.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from ...arrays import BoolArray, FloatArray, IntArray
from ..known_taste import KnownTaste

NODES = 21
REACH = 3.5
"""The grid covers ± so many standard deviations; its outermost cells reach to ±∞."""

_FAR = 6.0  # where those end for the arithmetic
_LEAST_NOISE = 1e-3  # a grid cannot resolve less
_ROUNDING = 1e-4  # of satisfaction, as it was logged and as it is computed here
_SMALLEST = 1e-12  # likelihood of what is impossible but for rounding
_CELLS = 1 << 20  # numbers of one temporary array


class Grid(NamedTuple):
    """Cells of a standard normal.

    Attributes:
        nodes: Middle of each, shape ``(H,)``.
        edges: Shape ``(H + 1,)``.
        mass: Prior probability, shape ``(H,)``.
    """

    nodes: FloatArray
    edges: FloatArray
    mass: FloatArray

    @classmethod
    def of(cls, nodes: int = NODES) -> "Grid":
        """Equal cells within ±`REACH`."""
        middles = np.linspace(-REACH, REACH, nodes)
        inner = (middles[1:] + middles[:-1]) / 2.0
        mass = np.diff(ndtr(np.concatenate([[-np.inf], inner, [np.inf]])))
        edges = np.concatenate([[-_FAR], inner, [_FAR]])
        return cls(*(a.astype(np.float32) for a in (middles, edges, mass)))


class Expectation(NamedTuple):
    """Of the reward of one look at each candidate, under the posterior; each ``(R, N)``.

    Attributes:
        now: Mean, as the user is now.
        rested: Mean, once nothing has been shown or clicked for long.
    """

    now: FloatArray
    rested: FloatArray


class Seen(NamedTuple):
    """What one slate of ``R`` users showed.

    Attributes:
        columns: Shape ``(R, k)``.
        shift: What the user's state added to the log-odds of a click and of satisfaction when it
            was shown, shape ``(2, R, k)``.
        clicks: Shape ``(R, k)``.
        satisfaction: Shape ``(R, k)``; NaN where not clicked or not rated.
    """

    columns: IntArray
    shift: FloatArray
    clicks: BoolArray
    satisfaction: FloatArray


class TasteBelief:
    """The posterior of every user's hidden taste for every candidate.

    Takes ``4 U N H`` bytes; what is computed of it is done for some users at a time.

    Args:
        known: What is known before anybody was met.
        looks: Probability that each position is looked at, shape ``(k,)``.
        noise: Half-width of the noise of satisfaction, as a share of the room to 0 or 1.
        grid: Cells of hidden taste, ``H`` of them.

    Attributes:
        mass: Probability of each cell, shape ``(U, N, H)``.
    """

    def __init__(
        self, known: KnownTaste, looks: FloatArray, noise: float, grid: Grid | None = None
    ) -> None:
        self._known, self._looks = known, looks
        self._noise = max(noise, _LEAST_NOISE)
        self._grid = Grid.of() if grid is None else grid
        self.mass = np.empty((*known.appeal.shape, len(self._grid.nodes)), np.float32)
        self.forget(np.arange(len(known.users)))

    def forget(self, rows: IntArray) -> None:
        """Back to the prior."""
        self.mass[rows] = self._grid.mass

    def expect(self, rows: IntArray, shift: FloatArray) -> Expectation:
        """What a look at each candidate brings.

        Args:
            rows: Users, shape ``(R,)``.
            shift: What their state adds to the log-odds, shape ``(2, R, N)``.
        """
        found = Expectation(*(np.empty(shift.shape[1:], np.float32) for _ in range(2)))
        step = max(1, _CELLS // self.mass[0].size)
        for first in range(0, len(rows), step):
            part = slice(first, first + step)
            at = rows[part]
            mass, known = self.mass[at], self._known.take(at)
            worth = known.worth.mean_at(self._grid.nodes).astype(np.float32)
            now = self._attraction(known.appeal, shift[0, part]) * _moved(worth, shift[1, part])
            rested = self._attraction(known.appeal, np.float32(0.0)) * worth
            found.now[part] = np.einsum("unh,unh->un", mass, now)
            found.rested[part] = np.einsum("unh,unh->un", mass, rested)
        return found

    def learn(self, rows: IntArray, seen: Seen) -> None:
        """Take in a slate of each of these users.

        Args:
            rows: Distinct users, shape ``(R,)``.
            seen: What they were shown, and what they did.
        """
        at = rows[:, None], seen.columns
        appeal = self._attraction(self._known.appeal[at], seen.shift[0])
        clicked = self._looks[:, None] * appeal
        likelihood = np.where(seen.clicks[:, :, None], clicked, 1.0 - clicked)
        worth = self._known.worth.take(at).mean_at(self._grid.edges)
        means = _moved(worth.astype(np.float32), seen.shift[1])
        rated = seen.clicks & np.isfinite(seen.satisfaction)
        of_rating = rating_likelihood(seen.satisfaction[rated], means[rated], self._noise)
        likelihood[rated] *= of_rating
        mass = self.mass[at] * np.maximum(likelihood, _SMALLEST)
        self.mass[at] = mass / mass.sum(axis=2, keepdims=True)

    def _attraction(self, appeal: FloatArray, shift: FloatArray | np.float32) -> FloatArray:
        """σ(appeal + shift) at each node, ``(…)`` to ``(…, H)``: one exponential a candidate."""
        at_zero = np.exp(-np.clip(appeal + shift, -_LARGEST, _LARGEST))
        by_taste = np.exp(-np.float32(self._known.appeal_slope) * self._grid.nodes)
        return 1.0 / (1.0 + at_zero[..., None] * by_taste)


_LARGEST = np.float32(60.0)


def _moved(probability: FloatArray, shift: FloatArray) -> FloatArray:
    """σ(logit(probability) + shift), ``(…, H)`` and ``(…)`` to ``(…, H)``."""
    against = np.exp(-np.clip(shift, -_LARGEST, _LARGEST))
    return 1.0 / (1.0 + (1.0 / probability - 1.0) * against[..., None])


def rating_likelihood(rating: FloatArray, means: FloatArray, noise: float) -> FloatArray:
    """Density of a satisfaction, averaged over cells of mean satisfaction.

    Args:
        rating: What was seen, in [0, 1], shape ``(R,)``.
        means: Mean satisfaction at the edges of the cells, ascending, shape ``(R, H + 1)``.
        noise: Half-width as a share of the room to 0 or 1, in (0, 1].

    Returns:
        Shape ``(R, H)``.
    """
    z = rating[:, None].astype(np.float64)
    least = np.where(z <= (1.0 + noise) / 2.0, z / (1.0 + noise), 1.0 - _over(1.0 - z, noise))
    most = np.where(z <= (1.0 - noise) / 2.0, _over(z, noise), 1.0 - (1.0 - z) / (1.0 + noise))
    low, high = means[:, :-1] - _ROUNDING, means[:, 1:] + _ROUNDING
    from_, to = np.maximum(low, least), np.minimum(high, most)
    share = np.maximum(to - from_, 0.0) / (high - low)
    middle = (from_ + to) / 2.0
    return share / (2.0 * noise * np.clip(np.minimum(middle, 1.0 - middle), _SMALLEST, None))


def _over(value: FloatArray, noise: float) -> FloatArray:
    """``value / (1 − noise)``, at most 1/2."""
    return np.minimum(value / max(1.0 - noise, _SMALLEST), 0.5)
