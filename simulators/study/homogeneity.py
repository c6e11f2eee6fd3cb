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

_ROWS = 1024


def most_alike(interactions: Interactions, users: IntArray) -> IntArray:
    """For each of the users, the row of the other one who is most like them.

    Alike is the cosine between sets of items interacted with. Of equally similar users the first
    is taken. O(U² + Σ_i n_i²), in blocks of rows.

    Args:
        interactions: What tells who is like whom.
        users: User indices, at least two, shape ``(U,)``.

    Returns:
        Rows into ``users``, shape ``(U,)``; nobody is their own.
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
    return closest


def strangers(n_users: int, rng: np.random.Generator) -> IntArray:
    """For each user a random other one, each of them once; shape ``(U,)``."""
    order = rng.permutation(n_users)
    partner = np.empty(n_users, np.int64)
    partner[order] = np.roll(order, 1)
    return partner


def mean_overlap(row: IntArray, item: IntArray, partner: IntArray, n_items: int) -> float:
    """Mean Jaccard index |A ∩ B| / |A ∪ B| of each user's items with their partner's.

    O(n log n) in the number of entries.

    Args:
        row: Who has an item, shape ``(n,)``; an entry may be repeated.
        item: Which item, shape ``(n,)``.
        partner: Row of each user's partner, shape ``(U,)``.
        n_items: Size of the catalogue.

    Returns:
        In [0, 1]; NaN without any pair. Pairs of which one has nothing are left out.
    """
    entries = np.unique(row.astype(np.int64) * n_items + item)
    owner = entries // n_items
    size = np.bincount(owner, minlength=len(partner))
    mirrored = partner[owner] * n_items + entries % n_items
    shared = owner[np.isin(mirrored, entries)]
    common = np.bincount(shared, minlength=len(partner))
    pair = (size > 0) & (size[partner] > 0)
    overlap = common[pair] / (size + size[partner] - common)[pair]
    return float(overlap.mean()) if pair.any() else float("nan")


def total_variation(p: FloatArray, q: FloatArray) -> float:
    """Half the sum of |p − q|: the largest difference of the probability of any event.

    In [0, 1]; NaN where either is not known.
    """
    return float(0.5 * np.abs(p - q).sum())
