"""Expected exposure under Plackett-Luce policies, for all users of a batch.

Position by position, an item is drawn in proportion to exp(score) from those left (Luce 1959,
Plackett 1975). Three ways lead to the expectation of the exposure:

- *enumerated*: exact, by the sets of items above; up to 12 items;
- *integrated*: any number of items, to about 1e-9;
- *sampled*: rankings drawn by the Gumbel trick (Yellott 1977), with a standard error; the only one
  that also serves metrics that are not linear in exposure (``policies.expectation``).
"""

import numpy as np
from scipy.special import loggamma, logsumexp

from ..arrays import FloatArray, IntArray
from ..errors import InvalidValue
from .exposure import position_discount
from .policies import Expected

MAX_ENUMERATED = 12
_ENUMERATED_BY_DEFAULT = 8
_ACCURACY = 1e-10
_CELLS_AT_ONCE = 1_000_000


def plackett_luce_exposures(
    scores: FloatArray, k: int, discount: FloatArray | None = None
) -> FloatArray:
    """Expected exposure of every candidate, without sampling.

    Args:
        scores: Log weights (scores / temperature), shape ``(U, N)``; −inf where there is no
            candidate.
        k: Positions shown.
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.

    Returns:
        Shape ``(U, N)``; rows sum to the discounts of the positions filled.
    """
    few = scores.shape[-1] <= _ENUMERATED_BY_DEFAULT
    return (enumerated_exposures if few else integrated_exposures)(scores, k, discount)


def enumerated_exposures(
    scores: FloatArray, k: int, discount: FloatArray | None = None
) -> FloatArray:
    """The same by enumeration, exact, for at most 12 candidates. O(2^N · N · U).

    Sums over the 2^N sets that can fill the first positions in place of the N! rankings: which
    items stand above matters, their order does not.
    """
    weights = _checked(scores, k, discount)
    n_users, n = scores.shape
    if n > MAX_ENUMERATED:
        raise InvalidValue(
            f"{n} items are too many to enumerate",
            field="scores",
            mend="Use integrated_exposures, or sampled_exposures.",
        )
    reached = np.zeros((2**n, n_users))
    reached[0] = 1.0
    exposure = np.zeros((n, n_users))
    by_item = scores.T
    for above in range(2**n - 1):
        left = np.flatnonzero([not above >> item & 1 for item in range(n)])
        position = n - len(left)
        if position >= len(weights):
            continue
        chosen = reached[above] * _softmax(by_item[left])
        exposure[left] += chosen * weights[position]
        for item, chance in zip(left, chosen, strict=True):
            reached[above | (1 << int(item))] += chance
    return exposure.T


def integrated_exposures(
    scores: FloatArray, k: int, discount: FloatArray | None = None
) -> FloatArray:
    """The same by quadrature, to about 1e-9, for any number of candidates.

    Let item i arrive at a time T_i, exponential with rate exp(score): the order of arrival is
    Plackett-Luce, and given T_i = t the others arrive before it independently. So the exposure is
    the integral over t of the density of T_i times the expected discount when the number of others
    that have arrived is a sum of independent coins. The trapezoidal rule in log t converges
    exponentially. The expectation without item i is a derivative of the one with all, so one
    backward pass gives all items at once, adding only what is positive.

    O(U · N · k · nodes), with some 50 to 150 nodes.
    """
    weights = _checked(scores, k, discount)
    n_users, n = scores.shape
    out = np.zeros(scores.shape)
    if not n:
        return out
    shown = min(len(weights), n)
    step = 2.0 * np.pi / _frequency(shown)
    scores = _closed_gaps(scores)
    low, high = _limits(scores, shown)
    n_nodes = np.ceil((high - low) / step).astype(np.int64) + 1
    block = max(1, _CELLS_AT_ONCE // (n * shown * int(n_nodes.max(initial=1))))
    for start in range(0, n_users, block):
        users = slice(start, start + block)
        nodes = low[users, None] + step * np.arange(int(n_nodes[users].max()))
        # Before the first node nobody has arrived yet: a geometric series of v_1 · rate.
        first = np.exp(scores[users] + low[users, None]) * (weights[0] / np.expm1(step))
        out[users] = step * (first + _integrate(scores[users], nodes, weights[:shown]))
    return out


def sampled_exposures(
    scores: FloatArray,
    k: int,
    n_samples: int,
    rng: np.random.Generator,
    discount: FloatArray | None = None,
) -> Expected:
    """The same by sampling rankings, with its standard error, both of shape ``(U, N)``.

    Args:
        scores: Log weights, shape ``(U, N)``; −inf where there is no candidate.
        k: Positions shown.
        n_samples: Rankings to draw for each user, at least 2.
        rng: Source of randomness.
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.
    """
    weights = _checked(scores, k, discount)
    if n_samples < 2:
        raise InvalidValue(f"n_samples is {n_samples}", field="n_samples", mend="Use at least 2.")
    weights = weights[: scores.shape[1]]
    total, squares = np.zeros(scores.shape), np.zeros(scores.shape)
    block = max(1, _CELLS_AT_ONCE // max(scores.shape[1], 1))
    for start in range(0, len(scores), block):
        users = slice(start, start + block)
        for _ in range(n_samples):
            columns = sampled_rankings(scores[users], len(weights), rng)
            filled = columns >= 0
            row, position = np.nonzero(filled)
            seen = weights[position]
            # A column stands in a ranking once, so plain indexing adds up.
            total[users][row, columns[filled]] += seen
            squares[users][row, columns[filled]] += seen**2
    mean = total / n_samples
    variance = np.maximum(squares / n_samples - mean**2, 0.0) / (n_samples - 1)
    return Expected(mean, np.sqrt(variance))


def sampled_rankings(scores: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """One ranking per user: columns of the first k positions, −1 where unused, ``(U, k)``."""
    keys = scores + rng.gumbel(size=scores.shape)
    shown = min(k, scores.shape[1])
    if shown < scores.shape[1]:
        top = np.argpartition(-keys, shown - 1, axis=1)[:, :shown]
        keys = np.take_along_axis(keys, top, axis=1)
    else:
        top = np.broadcast_to(np.arange(shown), keys.shape)
    order = np.argsort(-keys, axis=1)
    keys, top = np.take_along_axis(keys, order, axis=1), np.take_along_axis(top, order, axis=1)
    out = np.full((len(scores), k), -1)
    out[:, :shown] = np.where(np.isfinite(keys), top, -1)
    return out


def _integrate(scores: FloatArray, nodes: FloatArray, weights: FloatArray) -> FloatArray:
    """Sum over nodes of density · expected discount, shape ``(U, N)``.

    Args:
        scores: Shape ``(U, N)``.
        nodes: Logarithms of times, shape ``(U, Q)``.
        weights: Discounts, shape ``(k,)``.
    """
    n, k = scores.shape[1], len(weights)
    # Beyond e^6 expected arrivals, "not yet" is 0 to the last bit, and exp stays in range.
    arrivals = np.exp(np.minimum(scores.T[:, :, None] + nodes, 6.0)).reshape(n, -1)
    not_yet = np.exp(-arrivals)
    arrived = -np.expm1(-arrivals)

    # prefix[i, m]: chance that m of the items before i have arrived.
    prefix = np.zeros((n, k, arrivals.shape[1]))
    prefix[0, 0] = 1.0
    for i in range(n - 1):
        np.multiply(prefix[i], not_yet[i], out=prefix[i + 1])
        prefix[i + 1, 1:] += prefix[i, :-1] * arrived[i]

    # worth[m]: expected discount when m have arrived before and the items after i are still open.
    worth = np.repeat(weights[:, None], arrivals.shape[1], axis=1)
    density = arrivals * not_yet
    out = np.empty((n, len(scores)))
    for i in reversed(range(n)):
        expected = np.einsum("mb,mb->b", worth, prefix[i])
        out[i] = (density[i] * expected).reshape(len(scores), -1).sum(axis=1)
        carried = worth * not_yet[i]
        carried[:-1] += worth[1:] * arrived[i]
        worth = carried
    return out.T


def _limits(scores: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Logarithms of times between which a second item may arrive, shape ``(U,)``.

    Before the first, two arrivals are as rare as the accuracy; after the second, the k best have
    all arrived.
    """
    descending = -np.sort(-scores, axis=1)[:, :k]
    worst = np.where(np.isfinite(descending), descending, np.inf).min(axis=1)
    some = np.isfinite(worst)
    low = 0.5 * np.log(_ACCURACY) - np.where(some, np.asarray(logsumexp(scores, axis=1)), 0.0)
    high = np.log(np.log(k / _ACCURACY)) - np.where(some, worst, 0.0)
    return low, high


def _closed_gaps(scores: FloatArray, widest: float = 40.0) -> FloatArray:
    """Scores whose order is certain drawn together: beyond a gap of 40, chances are below 1e-17."""
    order = np.argsort(-scores, axis=1)
    descending = np.take_along_axis(scores, order, axis=1)
    there = np.isfinite(descending)
    drop = -np.diff(np.where(there, descending, 0.0), axis=1, prepend=0.0)
    drop[:, 1:] = np.minimum(drop[:, 1:], widest)
    drop[:, 0] = 0.0
    out = np.empty(scores.shape)
    np.put_along_axis(out, order, np.where(there, -np.cumsum(drop, axis=1), -np.inf), axis=1)
    return out


def _frequency(k: int) -> float:
    """Angular frequency at which the k-th arrival, seen in log time, has nothing left.

    With many alike candidates the time of the k-th arrival is gamma distributed, the narrowest
    case; the error of the trapezoidal rule is its Fourier transform at 2π / step.
    """
    grid = np.arange(8.0, 8.0 + 4.0 * np.sqrt(50.0 * k) + 40.0, 0.5)
    size = np.exp(loggamma(k + 1j * grid).real - loggamma(float(k)).real)
    return float(grid[np.argmax(size < _ACCURACY)])


def _softmax(log_weights: FloatArray) -> FloatArray:
    """Shares along the first axis; 0 where nothing is left."""
    peak = log_weights.max(axis=0)
    weight = np.exp(log_weights - np.where(np.isfinite(peak), peak, 0.0))
    total = weight.sum(axis=0)
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


def _checked(scores: FloatArray, k: int, discount: FloatArray | None) -> FloatArray:
    """The discount of each position shown, after a look at the scores."""
    if scores.ndim != 2:
        raise InvalidValue(f"scores must have shape (U, N), not {scores.shape}", field="scores")
    if np.isnan(scores).any() or (scores == np.inf).any():
        raise InvalidValue("a score is NaN or infinite", field="scores")
    weights = position_discount(k) if discount is None else discount
    if weights.shape != (k,):
        raise InvalidValue(f"{weights.shape} discounts for {k} positions", field="discount")
    return weights
