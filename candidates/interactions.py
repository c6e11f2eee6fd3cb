"""The interactions of one split, grouped by user."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Interactions:
    """``R`` interactions, sorted by user and then by time (oldest first).

    Attributes:
        user: User indices, shape ``(R,)``.
        item: Item indices, shape ``(R,)``.
        rating: Ratings, shape ``(R,)``.
        timestamp: Unix seconds, shape ``(R,)``.
        indptr: Rows ``indptr[u]:indptr[u + 1]`` belong to user ``u``; shape ``(U + 1,)``.
        n_items: Size of the catalogue ``I``.
    """

    user: IntArray
    item: IntArray
    rating: FloatArray
    timestamp: FloatArray
    indptr: IntArray
    n_items: int

    @classmethod
    def build(
        cls,
        user: IntArray,
        item: IntArray,
        rating: FloatArray,
        timestamp: FloatArray,
        n_users: int,
        n_items: int,
    ) -> "Interactions":
        """Sort the rows and index them by user; rows equal in time keep their order."""
        order = np.lexsort((timestamp, user))
        counts = np.bincount(user, minlength=n_users)
        indptr = np.concatenate([[0], np.cumsum(counts)])
        return cls(user[order], item[order], rating[order], timestamp[order], indptr, n_items)

    @property
    def n_users(self) -> int:
        """Number of users ``U``, with or without interactions."""
        return len(self.indptr) - 1

    def __len__(self) -> int:
        return len(self.user)

    def items_of(self, user: int) -> IntArray:
        """Items of one user, oldest first."""
        return self.item[self.indptr[user] : self.indptr[user + 1]]

    def ratings_of(self, user: int) -> FloatArray:
        """Ratings of one user, aligned with ``items_of``."""
        return self.rating[self.indptr[user] : self.indptr[user + 1]]

    def counts_per_item(self) -> IntArray:
        """Interactions per item, shape ``(I,)``."""
        return np.bincount(self.item, minlength=self.n_items)

    def counts_per_user(self) -> IntArray:
        """Interactions per user, shape ``(U,)``."""
        return np.diff(self.indptr)

    def matrix(self) -> sp.csr_matrix:
        """Ones where user and item met, shape ``(U, I)``, float32."""
        ones = np.ones(len(self), dtype=np.float32)
        return sp.csr_matrix((ones, (self.user, self.item)), shape=(self.n_users, self.n_items))

    def contains(self, users: IntArray, items: IntArray) -> BoolArray:
        """Which of each user's listed items are among their interactions.

        Args:
            users: User indices, shape ``(U',)``.
            items: Item indices, shape ``(U', k)``; ``PAD`` is never contained.

        Returns:
            Shape ``(U', k)``.
        """
        keys = np.sort(self.user.astype(np.int64) * self.n_items + self.item)
        wanted = users.astype(np.int64)[:, None] * self.n_items + items
        place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        found = keys[place] == wanted if len(keys) else np.zeros(items.shape, dtype=bool)
        return found & (items >= 0)

    def plus(self, other: "Interactions") -> "Interactions":
        """Both splits together."""
        return Interactions.build(
            np.concatenate([self.user, other.user]),
            np.concatenate([self.item, other.item]),
            np.concatenate([self.rating, other.rating]),
            np.concatenate([self.timestamp, other.timestamp]),
            self.n_users,
            self.n_items,
        )
