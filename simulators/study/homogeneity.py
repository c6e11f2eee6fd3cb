"""Do users come to consume the same? Pairs of users, and the overlap of their items.

Sources:
    Chaney, Stewart & Engelhardt 2018, "How algorithmic confounding in recommendation systems
    increases homogeneity and decreases utility" (RecSys): the mean Jaccard index of what two users
    consumed, over pairs of each user with the one most like them.
"""

import numpy as np
import scipy.sparse as sp

from ...arrays import FloatArray, IntArray
from ...candidates.interactions import Interactions

STRANGERS = 10
"""Random others that a user is compared with."""

_ROWS = 1024


def most_alike(interactions: Interactions, users: IntArray) -> IntArray:
    """Pairs of each user with the other one who is most like them.

    Alike is the cosine between sets of items interacted with. Of equally similar users the first
    is taken. O(U² + Σ_i n_i²), in blocks of rows.

    Args:
        interactions: What tells who is like whom.
        users: User indices, at least two, shape ``(U,)``.

    Returns:
        Rows into ``users`` of both, shape ``(2, U)``; nobody is paired with themselves.
    """
    taste = interactions.matrix()[users]
    norms = np.sqrt(np.asarray(taste.sum(axis=1)).ravel())
    scaled = sp.diags_array(1.0 / np.maximum(norms, 1.0)) @ taste
    closest = np.empty(len(users), np.int64)
    for start in range(0, len(users), _ROWS):
        stop = min(start + _ROWS, len(users))
        cosine = (scaled[start:stop] @ scaled.T).toarray()
        cosine[np.arange(stop - start), np.arange(start, stop)] = -1.0
        closest[start:stop] = cosine.argmax(axis=1)
    return np.stack([np.arange(len(users)), closest])


def strangers(n_users: int, rng: np.random.Generator) -> IntArray:
    """Random pairs of users: each with ``STRANGERS`` others, or with all others where fewer.

    Returns:
        Rows of both, shape ``(2, P)``; nobody is paired with themselves, and no one twice with
        the same.
    """
    order = rng.permutation(n_users)
    steps = np.arange(1, min(STRANGERS, n_users - 1) + 1)
    partner = order[(np.arange(n_users) + steps[:, None]) % n_users]
    return np.stack([np.tile(order, len(steps)), partner.ravel()])


def mean_overlap(row: IntArray, item: IntArray, pairs: IntArray, shape: tuple[int, int]) -> float:
    """Mean Jaccard index |A ∩ B| / |A ∪ B| of the items of two users, over pairs of them.

    O(n) in the entries, and in the sum of both users' items over the pairs.

    Args:
        row: Who has an item, shape ``(n,)``; an entry may be repeated.
        item: Which item, shape ``(n,)``.
        pairs: Rows of the two users of each pair, shape ``(2, P)``.
        shape: Number of users and of items.

    Returns:
        In [0, 1]; NaN without any pair. Pairs of which one has nothing are left out.
    """
    owned = sp.coo_array((np.ones(len(row), np.float32), (row, item)), shape=shape).tocsr()
    owned.data[:] = 1.0  # what was repeated is summed up
    size = np.diff(owned.indptr)
    one, other = pairs[:, (size[pairs] > 0).all(axis=0)]
    if len(one) == 0:
        return float("nan")
    common = np.asarray((owned[one] * owned[other]).sum(axis=1))
    return float((common / (size[one] + size[other] - common)).mean())


def total_variation(p: FloatArray, q: FloatArray) -> float:
    """Half the sum of |p − q|: the largest difference of the probability of any event.

    In [0, 1]; NaN where either is not known.
    """
    return float(0.5 * np.abs(p - q).sum())
