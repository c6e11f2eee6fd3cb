"""What an audit is given, checked once, and the per-user values that its figures rest on."""

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...errors import EmptyData, InvalidValue
from ...metrics.accuracy import ndcg, recall, relevance_of
from ...metrics.diversity import intra_list_jaccard
from ...metrics.exposure import group_exposure, list_exposure, position_discount
from ...metrics.lists import sum_by
from ...metrics.popularity import mean_popularity, novelty, profile_popularity
from .models import AuditInputs


class SlateView:
    """The slates of an audit, seen user by user: row ``r`` stands for ``user_index[r]``."""

    def __init__(self, inputs: AuditInputs) -> None:
        require_usable(inputs)
        self.inputs = inputs
        self.user_index, self.row = np.unique(inputs.users, return_inverse=True)
        self.n_users = len(self.user_index)
        self.n_slates, self.k = inputs.slates.shape
        self.slates_per_user = np.bincount(self.row, minlength=self.n_users)

    @property
    def filled(self) -> BoolArray:
        """Positions that hold an item, shape ``(S, k)``."""
        return self.inputs.slates >= 0

    def per_user_sum(self, values: FloatArray, slates: BoolArray | None = None) -> FloatArray:
        """Sum of a per-slate value over each user's slates, shape ``(U,)``."""
        used = np.isfinite(values) if slates is None else np.isfinite(values) & slates
        return sum_by(self.row[used], values[used], self.n_users)

    def per_user_mean(self, values: FloatArray) -> FloatArray:
        """Mean of a per-slate value over each user's slates; NaN for a user without a value."""
        known = np.bincount(self.row[np.isfinite(values)], minlength=self.n_users)
        total = self.per_user_sum(values)
        return np.divide(total, known, out=np.full(self.n_users, np.nan), where=known > 0)

    def measures(self) -> dict[str, FloatArray]:
        """Per-user NDCG, recall, intra-list distance, popularity and novelty, each ``(U,)``."""
        given, catalogue = self.inputs, self.inputs.catalogue
        relevance, n_relevant = relevance_of(
            given.slates,
            given.users,
            given.held_out_users,
            given.held_out_items,
            catalogue.n_items,
        )
        popularity = catalogue.popularity.astype(np.float64)
        n_known_users = max((len(g.codes) for g in given.user_groups.values()), default=0)
        n_known_users = max(n_known_users, len(np.unique(given.profile_users)), self.n_users)
        per_slate = {
            "ndcg": ndcg(relevance, n_relevant),
            "recall": recall(relevance, n_relevant),
            "ild": intra_list_jaccard(given.slates, catalogue.topics),
            "popularity": mean_popularity(given.slates, popularity),
            "novelty": novelty(given.slates, popularity, n_known_users),
        }
        return {name: self.per_user_mean(values) for name, values in per_slate.items()}

    def profile(self) -> FloatArray:
        """Mean popularity of each user's training interactions, shape ``(U,)``, NaN without."""
        given = self.inputs
        size = 1 + int(max(given.profile_users.max(initial=0), self.user_index.max()))
        popularity = given.catalogue.popularity.astype(np.float64)
        return profile_popularity(given.profile_users, given.profile_items, popularity, size)[
            self.user_index
        ]

    def exposure_by_group(self, groups: Groups, slates: BoolArray | None = None) -> FloatArray:
        """Exposure that each user's slates hand to each item group, shape ``(U, G)``."""
        n = len(groups.names)
        per_slate = group_exposure(self.inputs.slates, groups.codes, n)
        columns = [self.per_user_sum(per_slate[:, g], slates) for g in range(n)]
        return np.column_stack(columns) if columns else np.zeros((self.n_users, 0))

    def exposure(self, slates: BoolArray | None = None) -> FloatArray:
        """All exposure that each user's slates hand out, shape ``(U,)``."""
        return self.per_user_sum(list_exposure(self.inputs.slates), slates)

    def entries(self) -> tuple[IntArray, IntArray, FloatArray]:
        """User row, item and exposure of every filled position, each of shape ``(E,)``."""
        filled = self.filled
        row = np.broadcast_to(self.row[:, None], filled.shape)[filled]
        weight = np.broadcast_to(position_discount(self.k), filled.shape)[filled]
        return row, self.inputs.slates[filled], weight

    def codes(self, groups: Groups) -> IntArray:
        """Group code of each audited user, shape ``(U,)``."""
        return groups.codes[self.user_index]


def require_usable(inputs: AuditInputs) -> None:
    """Refuse inputs whose parts do not fit together.

    Raises:
        EmptyData: There is no slate, or no slate holds an item.
        InvalidValue: A shape, an index or a group code is out of range.
    """
    if inputs.slates.size == 0 or (inputs.slates < 0).all():
        raise EmptyData(
            "there is no recorded recommendation to audit",
            field="slates",
            mend="Recommend something first, or widen the period.",
        )
    if inputs.slates.ndim != 2 or inputs.users.shape != inputs.slates.shape[:1]:
        raise InvalidValue(
            f"slates {inputs.slates.shape} and users {inputs.users.shape} do not pair up",
            field="users",
        )
    n_items = inputs.catalogue.n_items
    highest = int(inputs.users.max())
    for attribute, groups in inputs.user_groups.items():
        _require_codes(groups, f"user_groups.{attribute}")
        if highest >= len(groups.codes):
            raise InvalidValue(
                f"user {highest} has no row among {len(groups.codes)}",
                field=f"user_groups.{attribute}",
            )
    for attribute, groups in inputs.catalogue.groups.items():
        _require_codes(groups, f"catalogue.groups.{attribute}")
        if len(groups.codes) != n_items:
            raise InvalidValue(
                f"{len(groups.codes)} codes for {n_items} items",
                field=f"catalogue.groups.{attribute}",
            )
    for name, users, items in (
        ("held_out_items", inputs.held_out_users, inputs.held_out_items),
        ("profile_items", inputs.profile_users, inputs.profile_items),
    ):
        if users.shape != items.shape:
            raise InvalidValue(f"{users.shape} users for {items.shape} items", field=name)
        if items.size and not 0 <= int(items.min()) <= int(items.max()) < n_items:
            raise InvalidValue(f"an item index lies outside 0…{n_items - 1}", field=name)
        if users.size and int(users.min()) < 0:
            raise InvalidValue("a user index is negative", field=name)
    if int(inputs.users.min()) < 0:
        raise InvalidValue("a user index is negative", field="users")


def _require_codes(groups: Groups, where: str) -> None:
    codes = groups.codes
    if codes.size and not MISSING <= int(codes.min()) <= int(codes.max()) < len(groups.names):
        raise InvalidValue(
            f"a code lies outside {MISSING}…{len(groups.names) - 1}",
            field=where,
            mend="Give one name per code.",
        )
