"""Users, items and what passed between them, as arrays."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ..arrays import BoolArray, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue, UnknownItem, UnknownUser


def _no_counts() -> dict[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Interactions of users with items, and the attributes of both.

    A pair of user and item occurs once. Where they are known, ``item_attributes`` has the columns
    ``title`` (str), ``year`` (float, NaN where not known) and ``topics`` (tuple of str, empty
    where not known); every other column is as it was read.

    Attributes:
        name: Name of the data set, such as ``"ml-100k"``.
        user_ids: Public user ids, shape ``(U,)``, strings.
        item_ids: Public item ids, shape ``(I,)``, strings.
        user: User index of each interaction, shape ``(R,)``.
        item: Item index of each interaction, shape ``(R,)``.
        rating: Rating of each interaction, shape ``(R,)``, finite.
        timestamp: Unix seconds of each interaction, shape ``(R,)``.
        user_attributes: One row per user, in the order of ``user_ids``.
        item_attributes: One row per item, in the order of ``item_ids``.
        counts: What reading dropped or could not know, such as ``{"duplicates": 3}``.
    """

    name: str
    user_ids: np.ndarray
    item_ids: np.ndarray
    user: IntArray
    item: IntArray
    rating: FloatArray
    timestamp: FloatArray
    user_attributes: pd.DataFrame
    item_attributes: pd.DataFrame
    counts: Mapping[str, int] = field(default_factory=_no_counts)

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if len(self.user) == 0:
            raise EmptyData(
                f"data set {self.name!r} holds no interaction",
                field="interactions",
                mend="Give a file with at least one row of user, item, rating and timestamp.",
            )
        rows = {len(self.user), len(self.item), len(self.rating), len(self.timestamp)}
        if len(rows) != 1:
            raise InvalidValue(
                f"interaction columns differ in length: {rows}", field="interactions"
            )
        _check_index(self.user, len(self.user_ids), "user", UnknownUser)
        _check_index(self.item, len(self.item_ids), "item", UnknownItem)
        for name, column in (("rating", self.rating), ("timestamp", self.timestamp)):
            if not np.isfinite(column).all():
                raise InvalidValue(f"{name} holds NaN or infinity", field=name)
        if len(np.unique(self._pair_keys())) != len(self.user):
            raise InvalidValue(
                "a user and item pair occurs more than once",
                field="interactions",
                mend="Keep the last interaction of each pair.",
            )
        for frame, ids, name in (
            (self.user_attributes, self.user_ids, "user_attributes"),
            (self.item_attributes, self.item_ids, "item_attributes"),
        ):
            if len(frame) != len(ids):
                raise InvalidValue(f"{len(frame)} rows for {len(ids)} ids", field=name)

    @property
    def n_users(self) -> int:
        """Number of users ``U``."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items ``I``."""
        return len(self.item_ids)

    def __len__(self) -> int:
        """Number of interactions ``R``."""
        return len(self.user)

    def append(
        self, user: IntArray, item: IntArray, rating: FloatArray, timestamp: FloatArray
    ) -> "Dataset":
        """The data set with more interactions of known users and items.

        A pair that is there already, or earlier in the same batch, is ignored.

        Raises:
            UnknownUser: An index is outside ``user_ids``.
            UnknownItem: An index is outside ``item_ids``.
        """
        _check_index(user, self.n_users, "user", UnknownUser)
        _check_index(item, self.n_items, "item", UnknownItem)
        keys = user.astype(np.int64) * self.n_items + item
        new = ~np.isin(keys, self._pair_keys()) & _first_occurrence(keys)
        return replace(
            self,
            user=np.concatenate([self.user, user[new]]),
            item=np.concatenate([self.item, item[new]]),
            rating=np.concatenate([self.rating, rating[new]]),
            timestamp=np.concatenate([self.timestamp, timestamp[new]]),
        )

    def content_hash(self) -> str:
        """SHA-256 of the content, hexadecimal; independent of where it was read from."""
        digest = hashlib.sha256()
        for ids in (self.user_ids, self.item_ids):
            digest.update(json.dumps(ids.tolist()).encode())
        for index in (self.user, self.item):
            digest.update(np.ascontiguousarray(index, dtype="<i8").tobytes())
        for column in (self.rating, self.timestamp):
            digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
        for frame in (self.user_attributes, self.item_attributes):
            digest.update(str(frame.to_json(orient="split", double_precision=15)).encode())
        return digest.hexdigest()

    def _pair_keys(self) -> IntArray:
        return self.user.astype(np.int64) * self.n_items + self.item


def _first_occurrence(keys: IntArray) -> BoolArray:
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _check_index(
    index: IntArray, size: int, name: str, error: type[UnknownUser] | type[UnknownItem]
) -> None:
    if len(index) and not (int(index.min()) >= 0 and int(index.max()) < size):
        raise error(f"{name} index outside 0..{size - 1}", field=name)
