"""From tables of interactions, users and items to a checked data set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..arrays import IntArray
from ..errors import EmptyData, InvalidValue, MissingColumn
from .dataset import Dataset

UNKNOWN_TOPICS = frozenset({"unknown", "(no genres listed)"})
"""Topic words that say "not known": they are dropped, and the item counts as without topics."""


def build_dataset(
    name: str,
    interactions: pd.DataFrame,
    users: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
) -> Dataset:
    """Check the tables and number users and items.

    Users and items stand in the order of their attribute table, then those that only occur in
    interactions in the order of their first one. Of a pair that occurs several times the latest
    interaction stays (the last listed one among equal times).

    Args:
        name: Name of the data set.
        interactions: Columns ``user``, ``item``, and optionally ``rating`` (1 where the column is
            absent) and ``timestamp`` (0, so that the order of rows is the order in time).
        users: Column ``user``, one row per user, and attributes.
        items: Column ``item``, one row per item, and attributes; ``title``, ``year`` and
            ``topics`` (tuples or None) are understood.

    Raises:
        EmptyData: There is no interaction.
        MissingColumn: ``user`` or ``item`` is absent.
        InvalidValue: A rating or time is not a finite number, or an id is empty or repeated.
    """
    for column in ("user", "item"):
        if column not in interactions:
            raise MissingColumn(f"the interactions have no column {column!r}", field=column)
    if interactions.empty:
        raise EmptyData(
            f"{name} holds no interaction", field="interactions", mend="Give at least one row."
        )
    user_ids = _ids(interactions, users, "user")
    item_ids = _ids(interactions, items, "item")
    table = pd.DataFrame(
        {
            "user": user_ids.get_indexer(pd.Index(interactions["user"].astype(str))),
            "item": item_ids.get_indexer(pd.Index(interactions["item"].astype(str))),
            "rating": _numbers(interactions, "rating", default=1.0),
            "timestamp": _numbers(interactions, "timestamp", default=0.0),
        }
    )
    kept = _latest_of_each_pair(table)
    user_attributes = _attributes(users, "user", user_ids)
    item_attributes = _item_columns(_attributes(items, "item", item_ids))
    return Dataset(
        name=name,
        user_ids=user_ids.to_numpy(dtype=str),
        item_ids=item_ids.to_numpy(dtype=str),
        user=table["user"].to_numpy()[kept],
        item=table["item"].to_numpy()[kept],
        rating=table["rating"].to_numpy()[kept],
        timestamp=table["timestamp"].to_numpy()[kept],
        user_attributes=user_attributes,
        item_attributes=item_attributes,
        counts={
            "rows": len(table),
            "duplicates": len(table) - len(kept),
            "users_without_interactions": _unused(len(user_ids), table["user"]),
            "items_without_interactions": _unused(len(item_ids), table["item"]),
            "users_without_attributes": _unlisted(user_ids, users, "user"),
            "items_without_attributes": _unlisted(item_ids, items, "item"),
            **_missing(user_attributes, "user"),
            **_missing(item_attributes, "item"),
        },
    )


def _ids(interactions: pd.DataFrame, attributes: pd.DataFrame | None, key: str) -> pd.Index:
    """All ids: those of the attribute table first, then the others as they occur."""
    met = _checked_ids(interactions[key], key, "interactions")
    if attributes is None:
        return pd.Index(met.unique())
    if key not in attributes:
        raise MissingColumn(f"the {key} attributes have no column {key!r}", field=key)
    listed = _checked_ids(attributes[key], key, f"{key} attributes")
    if listed.duplicated().any():
        row = int(np.flatnonzero(listed.duplicated())[0])
        raise InvalidValue(
            f"{key} {listed.iloc[row]!r} is listed twice, again in data row {row + 1}",
            field=key,
            mend="Keep one row per id.",
        )
    return pd.Index(pd.concat([listed, met]).unique())


def _checked_ids(column: pd.Series, key: str, table: str) -> pd.Series:
    text = column.astype(str)
    empty = column.isna().to_numpy() | (text.str.strip() == "").to_numpy()
    if empty.any():
        raise InvalidValue(
            f"empty {key} id in data row {int(np.flatnonzero(empty)[0]) + 1} of the {table}",
            field=key,
            mend="Give each row an id or leave the row out.",
        )
    return text


def _numbers(table: pd.DataFrame, column: str, default: float) -> np.ndarray:
    if column not in table:
        return np.full(len(table), default)
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InvalidValue(
            f"{column} {str(table[column].iloc[bad[0]])!r} in data row {bad[0] + 1} is not a "
            f"finite number ({len(bad)} such rows)",
            field=column,
            mend="Correct the rows or leave them out.",
        )
    return values


def _latest_of_each_pair(table: pd.DataFrame) -> IntArray:
    """Row numbers to keep, ascending."""
    by_time = table.sort_values("timestamp", kind="stable")
    return np.sort(by_time.drop_duplicates(["user", "item"], keep="last").index.to_numpy())


def _attributes(frame: pd.DataFrame | None, key: str, ids: pd.Index) -> pd.DataFrame:
    """One row per id; rows of None where an id is not in the attribute table."""
    if frame is None:
        return pd.DataFrame(index=range(len(ids)))
    indexed = frame.set_index(frame[key].astype(str)).drop(columns=key)
    return indexed.reindex(ids).reset_index(drop=True)


def _item_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Year as a number and topics as tuples, whatever they were read as."""
    frame = frame.copy()
    if "year" in frame:
        frame["year"] = pd.to_numeric(frame["year"], errors="coerce").astype(float)
    if "topics" in frame:
        frame["topics"] = pd.Series([_topics(value) for value in frame["topics"]], dtype=object)
    return frame


def _topics(value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    known = (str(topic).strip() for topic in value)
    return tuple(dict.fromkeys(t for t in known if t and t.lower() not in UNKNOWN_TOPICS))


def _unused(n_ids: int, used: pd.Series) -> int:
    return n_ids - used.nunique()


def _unlisted(ids: pd.Index, frame: pd.DataFrame | None, key: str) -> int:
    return 0 if frame is None else len(ids.difference(pd.Index(frame[key].astype(str))))


def _missing(frame: pd.DataFrame, kind: str) -> dict[str, int]:
    counts = {str(column): int(frame[column].isna().sum()) for column in frame.columns}
    if "topics" in frame:
        counts["topics"] = sum(not topics for topics in frame["topics"])
    return {f"{kind}_{column}_missing": count for column, count in counts.items() if count}
