"""How many of the held-out items a list holds, and how high it ranks them.

Relevance is always held out data, never a model's own score. A user without a held-out item
cannot be judged: the value is NaN, and averages leave it out (``numpy.nanmean``).
"""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .exposure import position_discount, rbp_discount
from .lists import distinct, require_lists


def relevance_of(
    lists: IntArray,
    users: IntArray,
    held_users: IntArray,
    held_items: IntArray,
    n_items: int,
) -> tuple[BoolArray, IntArray]:
    """Which positions hold a held-out item of their user.

    Args:
        lists: Item indices, shape ``(S, k)``; a user may have several lists.
        users: User index of each list, shape ``(S,)``.
        held_users: User index of each held-out pair, shape ``(P,)``.
        held_items: Item index of each held-out pair, shape ``(P,)``; repeated pairs count once.
        n_items: Number of items ``I`` in the catalogue.

    Returns:
        Relevance, shape ``(S, k)``, and the number of held-out items of each list's user,
        shape ``(S,)``.
    """
    valid = require_lists(lists, n_items)
    if users.shape != lists.shape[:1] or held_users.shape != held_items.shape:
        raise InvalidValue("users and items must pair up", field="users")
    pairs = distinct(held_users.astype(np.int64) * n_items + held_items)
    wanted = users.astype(np.int64)[:, None] * n_items + lists
    found = np.zeros(lists.shape, dtype=np.bool_)
    if len(pairs):
        place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        found = (pairs[place] == wanted) & valid
    n_users = int(max(users.max(initial=-1), held_users.max(initial=-1))) + 1
    n_relevant = np.bincount(pairs // n_items, minlength=n_users)[users]
    return found, n_relevant


def precision(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """Relevant positions / k, shape ``(U,)``."""
    return judged(relevance.sum(axis=1) / relevance.shape[1], n_relevant)


def recall(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """Relevant positions / held-out items of the user, shape ``(U,)``."""
    return judged(relevance.sum(axis=1) / np.maximum(n_relevant, 1), n_relevant)


def hit(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """1 where any position is relevant, else 0, shape ``(U,)``."""
    return judged((relevance.sum(axis=1) > 0).astype(np.float64), n_relevant)


def reciprocal_rank(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """1 / position of the first relevant item, 0 without one, shape ``(U,)``."""
    first = relevance.argmax(axis=1) + 1
    return judged(np.where(relevance.any(axis=1), 1.0 / first, 0.0), n_relevant)


def average_precision(relevance: BoolArray, n_relevant: IntArray) -> FloatArray:
    """Mean precision at the relevant positions, over min(held-out items, k), shape ``(U,)``.

    The divisor is RecBole's; where a user has more held-out items than positions, dividing by
    all of them (as trec_eval does) gives a smaller number.
    """
    reachable = np.clip(n_relevant, 1, relevance.shape[1])
    return judged(precision_at_hits(relevance) / reachable, n_relevant)


def precision_at_hits(relevance: BoolArray) -> FloatArray:
    """Sum of Precision@j over the relevant positions j, shape ``(U,)``."""
    precision_at = np.cumsum(relevance, axis=1) / np.arange(1, relevance.shape[1] + 1)
    return np.where(relevance, precision_at, 0.0).sum(axis=1)


def rank_biased_precision(
    relevance: BoolArray, n_relevant: IntArray, patience: float = 0.85
) -> FloatArray:
    """(1 − p) Σ_j rel_j p^(j − 1), shape ``(U,)`` (Moffat & Zobel 2008).

    What a reader finds who goes on from each position to the next with probability p. A list of k
    relevant items has 1 − p^k, not 1.

    Args:
        relevance: Shape ``(U, k)``.
        n_relevant: Held-out items of each user, shape ``(U,)``.
        patience: Probability p of going on; LensKit's default unless given.
    """
    weights = rbp_discount(relevance.shape[1], patience)
    return judged((1.0 - patience) * (relevance @ weights), n_relevant)


def ndcg(
    relevance: BoolArray, n_relevant: IntArray, discount: FloatArray | None = None
) -> FloatArray:
    """Normalised discounted cumulative gain of binary relevance (Järvelin & Kekäläinen 2002).

    The ideal list has min(held-out items, k) relevant positions at its top, as in RecBole.

    Args:
        relevance: Shape ``(U, k)``.
        n_relevant: Held-out items of each user, shape ``(U,)``.
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.

    Returns:
        Values in [0, 1], shape ``(U,)``; NaN where a user has no held-out item.
    """
    k = relevance.shape[1]
    weights = position_discount(k) if discount is None else discount
    ideal = np.concatenate([[0.0], np.cumsum(weights)])[np.minimum(n_relevant, k)]
    return judged(relevance @ weights / np.where(ideal > 0, ideal, 1.0), n_relevant)


def graded_ndcg(
    gains: FloatArray, ideal_gains: FloatArray, discount: FloatArray | None = None
) -> FloatArray:
    """NDCG of graded relevance (Järvelin & Kekäläinen 2002).

    Args:
        gains: Gain of the item at each position, shape ``(U, k)``, not negative.
        ideal_gains: Gains of all held-out items of each user, in any order, shape ``(U, m)``,
            padded with 0.
        discount: Weight of each position, shape ``(k,)``; 1/log2(j + 1) unless given.

    Returns:
        Shape ``(U,)``; NaN where the user's held-out gains are all 0.
    """
    k = gains.shape[1]
    weights = position_discount(k) if discount is None else discount
    best = -np.sort(-ideal_gains, axis=1)[:, :k]
    ideal = best @ weights[: best.shape[1]]
    out = np.full(len(gains), np.nan)
    return np.divide(gains @ weights, ideal, out=out, where=ideal > 0)


def alpha_ndcg(aspects: BoolArray, candidate_aspects: BoolArray, alpha: float = 0.5) -> FloatArray:
    """NDCG with a gain that shrinks as a topic repeats (Clarke et al. 2008).

    A position's gain is the sum over its topics of (1 − α)^(times the topic was seen above).
    The ideal order is built greedily, as in the paper, since the exact one is NP-hard.

    Args:
        aspects: Relevant topics of the item at each position, shape ``(U, k, T)``; all False
            where the item is not relevant.
        candidate_aspects: The same for everything that could have been ranked, ``(U, N, T)``.
        alpha: Probability that a topic already seen brings nothing more, in [0, 1].

    Returns:
        Shape ``(U,)``; NaN where no candidate has a relevant topic. Above 1 only where the
        greedy ideal falls short of the list itself.
    """
    if not 0.0 <= alpha <= 1.0:
        raise InvalidValue(f"alpha is {alpha}", field="alpha", mend="Use a value in [0, 1].")
    n_users, k, n_topics = aspects.shape
    weights = position_discount(k)
    stay = 1.0 - alpha
    above = np.cumsum(aspects, axis=1) - aspects
    gained = (np.where(aspects, stay**above, 0.0).sum(axis=2)) @ weights

    seen = np.zeros((n_users, n_topics))
    free = np.ones(candidate_aspects.shape[:2], dtype=np.bool_)
    ideal = np.zeros(n_users)
    rows = np.arange(n_users)
    for position in range(min(k, candidate_aspects.shape[1])):
        gains = np.einsum("unt,ut->un", candidate_aspects, stay**seen)
        best = np.where(free, gains, -1.0).argmax(axis=1)
        ideal += gains[rows, best] * weights[position]
        seen += candidate_aspects[rows, best]
        free[rows, best] = False
    return np.divide(gained, ideal, out=np.full(n_users, np.nan), where=ideal > 0)


def judged(values: FloatArray, n_relevant: IntArray) -> FloatArray:
    """NaN for users without a held-out item."""
    return np.where(n_relevant > 0, values, np.nan)
