"""How probable it is that independent normal draws end in a given order at the top.

For draws ``x_i ~ N(m_i, s_i²)``, the probability that ``x_a > x_b > … > x_z`` and all others lie
below ``x_z`` is a chain of one-dimensional integrals:

    H_z(x) = ∫_{−∞}^x φ_z(y) · Π_others Φ_j(y) dy,   H_b(x) = ∫_{−∞}^x φ_b(y) H_c(y) dy,   …

and ``H_a(∞)`` is the answer. There is no closed form, but the integrands are smooth: on panels one
standard deviation wide, Gauss-Legendre rules of 16 nodes leave a relative error below 1e-10.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre
from scipy.special import ndtr

from ...arrays import BoolArray, FloatArray, IntArray

NODES = 16
"""Nodes of a panel."""

EDGE = 8.5
"""Standard deviations beyond which a normal density counts as 0 (2e-17 lies outside)."""

NOTHING = 1e-40
"""Where the others all lie below with a smaller probability than this, nothing is integrated."""

SEARCH = 32
"""Points at which that place is looked for."""

CELLS = 2**15
"""Users times nodes that are worked on together, so that they stay in the processor's cache."""


def order_probability(mean: FloatArray, spread: FloatArray, columns: IntArray) -> FloatArray:
    """Probability that the largest draws are these columns, in this order.

    O(U · N · M) with M nodes: 16 for each smallest standard deviation in the part of the line that
    matters, a few hundred as a rule.

    Args:
        mean: Shape ``(U, N)``; −inf where a column is not drawn.
        spread: Standard deviations, positive, shape ``(U, N)``.
        columns: Shape ``(U, k)``, k ≥ 1, no column twice, each with a finite mean.

    Returns:
        Shape ``(U,)``, in [0, 1].
    """
    field = _Field.of(mean, spread, columns)
    result = np.zeros(len(mean))
    counts = field.panel_counts().sum(axis=1)
    # Rounded up, so that there are few different numbers; a panel too many has no width. The
    # number depends on the user alone, and with it the last bit of the result.
    counts = -(-counts // 8) * 8
    for count in np.unique(counts[counts > 0]).tolist():
        rows = np.flatnonzero(counts == count)
        size = max(CELLS // (count * NODES), 1)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            result[part] = _chain(field.take(part), count)
    return np.minimum(result, 1.0)


class _Field(NamedTuple):
    """The drawn columns, the others, and the stretches of the line where something happens."""

    mean: FloatArray  # of the ordered columns, (U, k)
    spread: FloatArray
    other_mean: FloatArray  # of the other columns, highest upper edge first, (U, N); −inf if none
    other_spread: FloatArray
    low: FloatArray  # stretches, disjoint and ascending, (U, k); some may be empty
    high: FloatArray
    width: FloatArray  # of a panel at most, (U,)

    @classmethod
    def of(cls, mean: FloatArray, spread: FloatArray, columns: IntArray) -> "_Field":
        m, s = (np.take_along_axis(a, columns, axis=1) for a in (mean, spread))
        rest = mean.copy()
        np.put_along_axis(rest, columns, -np.inf, axis=1)
        reach = np.argsort(-(rest + EDGE * spread), axis=1, kind="stable")
        others, scale = (np.take_along_axis(a, reach, axis=1) for a in (rest, spread))
        top = m[:, 0] + EDGE * s[:, 0]
        bottom = np.maximum((others - EDGE * scale).max(axis=1), m[:, -1] - EDGE * s[:, -1])
        bottom = _raised(bottom, np.maximum(top, bottom), others, scale)
        low, high = _union(
            np.clip(m - EDGE * s, bottom[:, None], top[:, None]),
            np.clip(m + EDGE * s, bottom[:, None], top[:, None]),
        )
        matter = others + EDGE * scale > bottom[:, None]
        narrowest = np.where(matter, scale, np.inf).min(axis=1)
        return cls(m, s, others, scale, low, high, np.minimum(narrowest, s.min(axis=1)))

    def take(self, rows: IntArray) -> "_Field":
        return _Field(*(array[rows] for array in self))

    def panel_counts(self) -> IntArray:
        """Panels of each stretch, shape ``(U, k)``."""
        return np.ceil((self.high - self.low) / self.width[:, None]).astype(np.intp)


def _raised(
    bottom: FloatArray, top: FloatArray, others: FloatArray, spread: FloatArray
) -> FloatArray:
    """The bottom, moved up as far as all others lie below with next to no probability."""
    points = np.linspace(bottom, top, SEARCH, axis=1)
    idle = all_below(points, others, spread) < NOTHING
    last = np.maximum(idle.sum(axis=1) - 1, 0)  # it grows with the point
    return points[np.arange(len(points)), last]


def all_below(points: FloatArray, mean: FloatArray, spread: FloatArray) -> FloatArray:
    """Π_j Φ((point − m_j)/s_j), shape ``(U, M)``.

    Args:
        points: Shape ``(U, M)``, ascending.
        mean: Highest ``mean + EDGE · spread`` first, shape ``(U, N)``; −inf for none.
        spread: Shape ``(U, N)``.
    """
    product = np.ones_like(points)
    for m, s in zip(mean.T[:, :, None], spread.T[:, :, None], strict=True):
        # From the edge on the factor is 1, for this column and for all that follow.
        stop = int((points < m + EDGE * s).sum(axis=1).max(initial=0))
        if stop == 0:
            break
        product[:, :stop] *= ndtr((points[:, :stop] - m) / s)
    return product


def _union(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The same points of the line as disjoint intervals in ascending order."""
    order = np.argsort(low, axis=1, kind="stable")
    low, high = (np.take_along_axis(a, order, axis=1) for a in (low, high))
    covered = np.maximum.accumulate(high, axis=1)
    start = low.copy()
    start[:, 1:] = np.maximum(low[:, 1:], covered[:, :-1])
    return start, np.maximum(high, start)


def _chain(field: _Field, count: int) -> FloatArray:
    """The integrals, innermost first, on ``count`` panels per user; shape ``(U,)``."""
    left, half = _panels(field, count)
    points = (left + half)[:, :, None] + half[:, :, None] * _NODES
    n_users = len(points)
    flat = points.reshape(n_users, -1)
    # The last of the order lies below all before it: further up nobody asks for the others.
    reach = (field.mean + EDGE * field.spread).min(axis=1, keepdims=True)
    stop = int((flat < reach).sum(axis=1).max())
    inner = np.ones_like(flat)
    inner[:, :stop] = all_below(flat[:, :stop], field.other_mean, field.other_spread)
    inner = inner.reshape(points.shape)
    total = np.zeros((n_users, count))
    for column in range(field.mean.shape[1] - 1, -1, -1):
        m, s = field.mean[:, column, None, None], field.spread[:, column, None, None]
        density = np.exp(-0.5 * ((points - m) / s) ** 2) / (s * np.sqrt(2.0 * np.pi))
        scaled = inner * density * half[:, :, None]
        total = np.cumsum(scaled @ _WEIGHTS, axis=1)
        before = np.concatenate([np.zeros((n_users, 1)), total[:, :-1]], axis=1)
        inner = before[:, :, None] + scaled @ _PRIMITIVE.T
    return total[:, -1]


def _panels(field: _Field, count: int) -> tuple[FloatArray, FloatArray]:
    """Left end and half width of each panel, shape ``(U, count)``; those too many have no width."""
    counts = field.panel_counts()
    last = np.cumsum(counts, axis=1)
    panel = np.arange(count)
    stretch = (panel[None, :, None] >= last[:, None, :]).sum(axis=2)
    used: BoolArray = stretch < counts.shape[1]
    stretch = np.minimum(stretch, counts.shape[1] - 1)

    pick = np.arange(len(counts))[:, None], stretch
    width = np.where(used, ((field.high - field.low) / np.maximum(counts, 1))[pick], 0.0)
    place = np.where(used, panel - (last - counts)[pick], 0)
    left = np.where(used, field.low[pick] + place * width, field.high[:, -1:])
    return left, width / 2


def _rule() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [−1, 1], and the matrix that integrates from −1.

    Row q of the matrix gives ``∫_{−1}^{x_q} f`` from the values of f at the nodes.
    """
    nodes, weights = legendre.leggauss(NODES)
    basis = np.eye(NODES)
    primitives = [legendre.legval(nodes, legendre.legint(b, lbnd=-1.0)) for b in basis]
    matrix = np.stack(primitives, axis=1) @ np.linalg.inv(legendre.legvander(nodes, NODES - 1))
    return nodes, weights, matrix


_NODES, _WEIGHTS, _PRIMITIVE = _rule()
