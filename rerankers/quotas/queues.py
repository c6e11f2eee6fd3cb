"""Each user's candidates in one queue per group: what every quota algorithm draws from."""

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray, IntArray

BLOCK = 1024
"""Users worked on together: enough to spread the cost of a step, few enough to bound memory."""


class GroupQueues:
    """The candidates of a block of users, best first within each group.

    Candidates are known by their place in the base order, so that comparing two of them never
    depends on the size of scores and has no ties.

    Attributes:
        heads: Place of each group's best candidate that is left, shape ``(U, G)``; ``none`` where
            the group has run out.
        taken: Candidates taken from each group, shape ``(U, G)``.
        none: A number above every place.
    """

    def __init__(self, codes: IntArray, n_groups: int) -> None:
        """Sort candidates into queues, O(U · N log N).

        Args:
            codes: Group of the candidate at each place of the base order, shape ``(U, N)``;
                ``MISSING`` at places that are in no queue.
            n_groups: ``G``.
        """
        n_users, self.none = codes.shape
        # The smallest type that holds them is sorted fastest.
        key = np.where(codes == MISSING, n_groups, codes).astype(np.min_scalar_type(n_groups))
        self._places = np.argsort(key, axis=1, kind="stable")
        self._users = np.arange(n_users)
        flat = key + self._users[:, None] * (n_groups + 1)
        sizes = np.bincount(flat.ravel(), minlength=n_users * (n_groups + 1))
        ends = np.cumsum(sizes.reshape(n_users, n_groups + 1), axis=1)[:, :n_groups]
        self._ends = ends
        self._starts = np.concatenate([np.zeros((n_users, 1), np.intp), ends[:, :-1]], axis=1)
        self.taken = np.zeros((n_users, n_groups), np.intp)
        self.heads = self._head(self._users[:, None], np.arange(n_groups))

    @property
    def left(self) -> BoolArray:
        """Which groups still have candidates, shape ``(U, G)``."""
        return self.heads < self.none

    def take(self, groups: IntArray, users: IntArray | None = None) -> IntArray:
        """Remove the best candidate of one group per user.

        Args:
            groups: One group for each of the users, with a candidate left.
            users: Rows that take one; all where None.

        Returns:
            Places of the candidates, shaped as ``groups``.
        """
        rows = self._users if users is None else users
        places = self.heads[rows, groups]
        self.taken[rows, groups] += 1
        self.heads[rows, groups] = self._head(rows, groups)
        return places

    def _head(self, users: IntArray, groups: IntArray) -> IntArray:
        at = self._starts[users, groups] + self.taken[users, groups]
        places = self._places[users, np.minimum(at, self.none - 1)]
        return np.where(at < self._ends[users, groups], places, self.none)


def floors(shares: FloatArray, lengths: IntArray) -> IntArray:
    """⌊share · length⌋ for each length and share, shape ``(len(lengths), len(shares))``.

    A product that is a whole number but for rounding counts as that number.
    """
    return np.floor(lengths[:, None] * shares + 1e-9).astype(np.intp)


def ceilings(shares: FloatArray, lengths: IntArray) -> IntArray:
    """⌈share · length⌉, as `floors`."""
    return np.ceil(lengths[:, None] * shares - 1e-9).astype(np.intp)
