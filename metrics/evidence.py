"""What one method showed, and what is known to judge it by: the input of every metric by name."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..errors import InvalidValue
from .accuracy import relevance_of
from .exposure import exposure_matrix, group_exposure
from .intersections import GroupsLike, require_codes
from .item_statistics import shown_matrix
from .lists import require_lists

T = TypeVar("T")


@dataclass(frozen=True)
class Evidence:
    """One list per user, and whatever else is known; a metric says which fields it needs.

    Attributes:
        lists: Item indices, shape ``(U, k)``, best first, ``PAD`` where unused.
        n_items: Items of the catalogue, ``I``.
        held_users: Row in ``lists`` of each held-out pair, shape ``(P,)``.
        held_items: Item index of each held-out pair, shape ``(P,)``; each pair once.
        held_grades: Grade of each held-out pair, above 0, such as a rating, shape ``(P,)``.
        topics: Topic membership of items, shape ``(I, T)``.
        embeddings: Item embeddings, shape ``(I, d)``.
        popularity: Training interactions of each item, shape ``(I,)``.
        n_train_users: Users in the training data, for novelty.
        long_tail: Items that count as long tail, shape ``(I,)``.
        item_groups: Groups of items, ``I`` codes, such as providers.
        target: Wanted share of each item group, shape ``(G,)``, sums to 1.
        profile_topics: Share of each topic in each user's history, shape ``(U, T)``.
        profile_popularity: Mean popularity of each user's history, shape ``(U,)``.
    """

    lists: IntArray
    n_items: int
    held_users: IntArray | None = None
    held_items: IntArray | None = None
    held_grades: FloatArray | None = None
    topics: BoolArray | None = None
    embeddings: FloatArray | None = None
    popularity: FloatArray | None = None
    n_train_users: int | None = None
    long_tail: BoolArray | None = None
    item_groups: GroupsLike | None = None
    target: FloatArray | None = None
    profile_topics: FloatArray | None = None
    profile_popularity: FloatArray | None = None

    def __post_init__(self) -> None:
        require_lists(self.lists, self.n_items)
        n_users = len(self.lists)
        for name, rows in (
            ("topics", self.n_items),
            ("embeddings", self.n_items),
            ("popularity", self.n_items),
            ("long_tail", self.n_items),
            ("profile_topics", n_users),
            ("profile_popularity", n_users),
        ):
            given = getattr(self, name)
            if given is not None and len(given) != rows:
                raise InvalidValue(f"{len(given)} rows, not {rows}", field=name)
        if self.item_groups is not None:
            require_codes(self.item_groups)
            if len(self.item_groups.codes) != self.n_items:
                raise InvalidValue(
                    f"{len(self.item_groups.codes)} codes for {self.n_items} items",
                    field="item_groups",
                )
        if self.held_users is not None and self.held_items is not None:
            self._require_pairs(self.held_users, self.held_items)

    def _require_pairs(self, users: IntArray, items: IntArray) -> None:
        grades = self.held_grades
        if users.shape != items.shape or (grades is not None and grades.shape != users.shape):
            raise InvalidValue("held-out users, items and grades must pair up", field="held_items")
        if len(users) and (users.min() < 0 or users.max() >= len(self.lists)):
            raise InvalidValue(
                "a held-out pair has no list",
                field="held_users",
                mend="Give the row of `lists` that belongs to the pair's user.",
            )
        if len(items) and (items.min() < 0 or items.max() >= self.n_items):
            raise InvalidValue("a held-out item lies outside the catalogue", field="held_items")
        if grades is not None and not (np.isfinite(grades).all() and (grades > 0).all()):
            raise InvalidValue("a grade is not above 0", field="held_grades")

    def known(self, field: str) -> bool:
        """Whether a field was given."""
        return getattr(self, field) is not None

    # Each of the properties below serves several metrics, and is computed once.

    @cached_property
    def _judged(self) -> tuple[BoolArray, IntArray]:
        users, items = given(self.held_users), given(self.held_items)
        rows = np.arange(len(self.lists))
        return relevance_of(self.lists, rows, users, items, self.n_items)

    @property
    def relevance(self) -> BoolArray:
        """Whether each position holds a held-out item of its user, shape ``(U, k)``."""
        return self._judged[0]

    @property
    def n_relevant(self) -> IntArray:
        """Held-out items of each user, shape ``(U,)``."""
        return self._judged[1]

    @cached_property
    def held(self) -> sp.csr_array:
        """Held-out pairs as 1, shape ``(U, I)``."""
        n_pairs = len(given(self.held_users))
        return self._by_pair(np.ones(n_pairs))

    @cached_property
    def _graded(self) -> sp.csr_array:
        return self._by_pair(given(self.held_grades))

    def _by_pair(self, amounts: FloatArray) -> sp.csr_array:
        """Amounts of the held-out pairs, a repeated pair once, shape ``(U, I)``."""
        users, items = given(self.held_users), given(self.held_items)
        pairs, first = np.unique(users.astype(np.int64) * self.n_items + items, return_index=True)
        where = (pairs // self.n_items, pairs % self.n_items)
        return sp.csr_array((amounts[first], where), shape=(len(self.lists), self.n_items))

    @cached_property
    def grades(self) -> FloatArray:
        """Grade of the item at each position, 0 where it is not held out, shape ``(U, k)``."""
        rows = np.arange(len(self.lists))[:, None]
        looked_up = self._graded[rows, np.where(self.lists >= 0, self.lists, 0)]
        return np.where(self.relevance, np.asarray(looked_up.toarray()), 0.0)

    @cached_property
    def ideal_grades(self) -> FloatArray:
        """Grades of all held-out items of each user, padded with 0, shape ``(U, m)``."""
        return _padded(self._graded.indptr, self._graded.data, 0.0)

    @cached_property
    def held_out_items(self) -> IntArray:
        """Held-out items of each user, padded with -1, shape ``(U, m)``."""
        return _padded(self.held.indptr, self.held.indices.astype(np.int64), -1)

    @cached_property
    def shown(self) -> sp.csr_array:
        """How often each user is shown each item, shape ``(U, I)``."""
        return shown_matrix(self.lists, self.n_items)

    @cached_property
    def exposure(self) -> sp.csr_array:
        """Exposure that each user gives each item, shape ``(U, I)``."""
        return exposure_matrix(self.lists, self.n_items)

    @cached_property
    def exposure_by_group(self) -> FloatArray:
        """Exposure that each user gives each group of items, shape ``(U, G)``."""
        groups = given(self.item_groups)
        return group_exposure(self.lists, groups.codes, len(groups.names))

    @cached_property
    def group_sizes(self) -> IntArray:
        """Items of each group, shape ``(G,)``."""
        groups = given(self.item_groups)
        return np.bincount(groups.codes[groups.codes != MISSING], minlength=len(groups.names))


def given(value: T | None) -> T:
    """The value of a field that must have been given.

    Raises:
        InvalidValue: It was not.
    """
    if value is None:
        raise InvalidValue(
            "a field of the evidence that this metric needs is not given",
            field="evidence",
            mend="See the metric's `needs`.",
        )
    return value


def _padded(indptr: IntArray, values: np.ndarray, fill: float) -> np.ndarray:
    """Rows of a sparse matrix as a rectangle."""
    sizes = np.diff(indptr)
    width = max(int(sizes.max(initial=0)), 1)
    out = np.full((len(sizes), width), fill, dtype=values.dtype)
    out[np.arange(width) < sizes[:, None]] = values
    return out
