"""DetConstSort (Geyik, Ambler & Kenthapadi, KDD 2019), for many users at once."""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from .queues import GroupQueues

NEVER = np.iinfo(np.intp).max
"""Deadline of a candidate that no minimum asks for."""


Rises = list[tuple[int, dict[int, int]]]
"""Prefix lengths at which minima rise, ascending, each with the groups and what they rise to."""


def minimum_rises(shares: FloatArray, strength: float, k: int) -> Rises:
    """When ⌊s p_g j⌋ rises for each group, and ⌊(1 − s) j⌋ for the free places.

    Args:
        shares: Target share of each group, shape ``(G,)``.
        strength: s, in [0, 1].
        k: Slate length; k rises of each are enough to fill any slate.

    Returns:
        The free places, where they rise, are group ``G`` and come last.
    """
    rises: dict[int, dict[int, int]] = {}
    rates = np.append(strength * shares, 1.0 - strength)
    for group in np.flatnonzero(rates > 1e-12).tolist():
        for minimum in range(1, k + 1):
            length = int(np.ceil(minimum / rates[group] - 1e-9))
            rises.setdefault(length, {})[group] = minimum
    return sorted(rises.items())


def const_sort(queues: GroupQueues, rises: Rises, k: int) -> IntArray:
    """Meet minima as they rise, and let better candidates rise as far as deadlines allow.

    Whenever the minimum of a group rises at length j, its best candidate is appended with the
    deadline j, the best one first where several groups rise. An appended candidate then climbs over
    worse ones, as long as none of those is pushed below its deadline. Where the free places rise,
    the best candidate of any group is appended without a deadline; it counts for its group. Without
    free places this is the paper's algorithm.

    Args:
        queues: One for each group, then one for items of none. They are emptied.
        rises: See `minimum_rises`.
        k: Slate length.

    Returns:
        Places in the base order, shape ``(U, k)``. O(U · k · (G + k)).
    """
    n_users, n_groups = len(queues.heads), queues.heads.shape[1] - 1
    lists = _Lists(n_users, k, queues.none)
    for length, minima in rises:
        if lists.full.all():
            break
        _append_risen(lists, queues, length, minima)
    while not lists.full.all():  # groups have run out, or have no share
        users = np.flatnonzero(~lists.full)
        heads = queues.heads[users, :n_groups]
        empty = heads.min(axis=1) == queues.none
        lists.size[users[empty]] = k  # what is missing is for items of no group
        users, chosen = users[~empty], heads[~empty].argmin(axis=1)
        lists.append(users, queues.take(chosen, users), np.full(len(users), NEVER))
    return _with_unknown(lists, queues)


def _append_risen(
    lists: "_Lists", queues: GroupQueues, length: int, minima: dict[int, int]
) -> None:
    """Append a candidate of each group whose minimum rises, the best candidate first."""
    free = queues.heads.shape[1] - 1
    groups = np.array(list(minima), np.intp)
    waiting = np.ones((len(queues.heads), len(groups)), np.bool_)
    for _ in minima:
        best = queues.heads[:, :free].min(axis=1)
        keys = np.where(groups == free, best[:, None], queues.heads[:, groups])
        met = (groups != free) & (queues.taken[:, groups] >= list(minima.values()))
        keys[met | ~waiting | lists.full[:, None]] = queues.none
        users = np.flatnonzero(keys.min(axis=1) < queues.none)
        chosen = keys[users].argmin(axis=1)  # of equal ones the group's own, not the free place
        waiting[users, chosen] = False
        anyone = groups[chosen] == free
        of = np.where(anyone, queues.heads[users, :free].argmin(axis=1), groups[chosen])
        lists.append(users, queues.take(of, users), np.where(anyone, NEVER, length))


class _Lists:
    """Partial rankings: places in the base order with their deadlines (positions from 1)."""

    def __init__(self, n_users: int, k: int, none: int) -> None:
        self.places = np.full((n_users, k), none, np.intp)
        self.deadlines = np.full((n_users, k), NEVER, np.intp)
        self.size = np.zeros(n_users, np.intp)
        self._k = k

    @property
    def full(self) -> BoolArray:
        """Users with k candidates, shape ``(U,)``."""
        return self.size >= self._k

    def append(self, users: IntArray, places: IntArray, deadlines: IntArray) -> None:
        """Add one candidate to each user's list and let it climb."""
        at = self.size[users]
        self.places[users, at] = places
        self.deadlines[users, at] = deadlines
        self.size[users] += 1
        while True:
            above = np.maximum(at - 1, 0)
            climbs = (at > 0) & (self.places[users, above] > self.places[users, at])
            # The one above would move to position `at` + 1, counted from 1.
            climbs &= self.deadlines[users, above] > at
            users, at, above = users[climbs], at[climbs], above[climbs]
            if not len(users):
                return
            for values in (self.places, self.deadlines):
                values[users, at], values[users, above] = values[users, above], values[users, at]
            at = above


def _with_unknown(lists: _Lists, queues: GroupQueues) -> IntArray:
    """Let items of no group in where they are better than an item that is not due."""
    unknown = queues.heads.shape[1] - 1
    if not queues.left[:, unknown].any():
        return lists.places
    n_users, k = lists.places.shape
    users = np.arange(n_users)
    places = np.empty_like(lists.places)
    at = np.zeros(n_users, np.intp)
    for i in range(k):
        known = lists.places[users, at]
        due = lists.deadlines[users, at] == at + 1
        other = ~due & (queues.heads[:, unknown] < known)
        places[:, i] = known
        places[other, i] = queues.take(np.full(other.sum(), unknown), np.flatnonzero(other))
        at += ~other
    return places
