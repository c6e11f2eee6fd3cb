"""The tables behind a top-N file: scored pairs, pairs, and attributes, under our own names."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..arrays import FloatArray
from ..errors import EmptyData, InvalidValue
from .table_files import (
    USUAL_NAMES,
    find_column,
    one_text,
    read_table,
    require_column,
    split_values,
)


class TopNFiles(BaseModel):
    """Where top-N lists are, and what else is known.

    Attributes:
        lists: One row per user and item, with a score; in any order.
        items: One row per item: topics, year, title, and columns that groups are made of.
        users: One row per user: columns that groups are made of.
        relevant: Held-out pairs of user and item, perhaps with a rating.
        history: Pairs of user and item from before: popularity, activity and profiles.
        columns: What a file calls the columns, by the keys of `USUAL_NAMES`; those not named are
            recognised by their usual names.
        topics_separator: What stands between the topics of an item.
        relevant_from: The least rating that counts as relevant; every pair where None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lists: Path
    items: Path | None = None
    users: Path | None = None
    relevant: Path | None = None
    history: Path | None = None
    columns: Mapping[str, str] = {}
    topics_separator: str = Field(default="|", min_length=1)
    relevant_from: float | None = None

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: Mapping[str, str]) -> Mapping[str, str]:
        unknown = sorted(set(columns) - set(USUAL_NAMES))
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is none of {', '.join(USUAL_NAMES)}")
        return columns


def scored_pairs(files: TopNFiles) -> pd.DataFrame:
    """The lists as ``user``, ``item``, ``score``; every score finite, no pair twice."""
    frame = read_table(files.lists)
    pairs = _picked_pairs(frame, files.lists, files)
    named = files.columns.get("score")
    score = frame[require_column(frame, "score", files.lists, named)]
    pairs["score"] = _numbers(score, "score", files.lists)
    twice = pairs.duplicated(["user", "item"]).to_numpy()
    if twice.any():
        row = int(twice.argmax())
        user, item = pairs["user"].iloc[row], pairs["item"].iloc[row]
        raise InvalidValue(
            f"user {user!r} has item {item!r} twice in {files.lists.name}, again in data row "
            f"{row + 1} ({int(twice.sum()):,} such rows)",
            field="item",
            mend="Keep one row per user and item.",
        )
    return pairs


def relevant_pairs(path: Path, files: TopNFiles) -> pd.DataFrame:
    """Held-out pairs with their ``rating``, where there is one, but for those rated too low."""
    frame = read_table(path)
    pairs = _picked_pairs(frame, path, files)
    find = find_column if files.relevant_from is None else require_column
    column = find(frame, "rating", path, _told(frame, "rating", files))
    if column is None:
        return pairs
    pairs["rating"] = _numbers(frame[column], "rating", path)
    if files.relevant_from is None:
        return pairs
    kept = pairs[pairs["rating"] >= files.relevant_from]
    if kept.empty:
        raise EmptyData(
            f"no pair of {path.name} is rated {files.relevant_from:g} or better",
            field="relevant_from",
            mend="Use a lower rating, or count every pair.",
        )
    return kept.reset_index(drop=True)


def pairs_of(path: Path, files: TopNFiles) -> pd.DataFrame:
    """The users and items of a file, row by row."""
    return _picked_pairs(read_table(path), path, files)


def _picked_pairs(frame: pd.DataFrame, path: Path, files: TopNFiles) -> pd.DataFrame:
    if frame.empty:
        raise EmptyData(f"{path.name} holds no row", field="path", mend="Give at least one row.")
    return pd.DataFrame({key: _ids(frame, key, path, files) for key in ("user", "item")})


def attributes(path: Path, key: str, files: TopNFiles) -> pd.DataFrame:
    """A table of users or items: its ids under ``key``, every other column as it is."""
    frame = read_table(path)
    ids = _ids(frame, key, path, files)
    others = frame.drop(columns=[require_column(frame, key, path, _told(frame, key, files))])
    return others.drop(columns=key, errors="ignore").assign(**{key: ids})


def item_attributes(path: Path, files: TopNFiles) -> pd.DataFrame:
    """The items, with ``title``, ``year`` and ``topics`` under these names beside their own."""
    items = attributes(path, "item", files)
    for what in ("title", "year", "topics"):
        column = find_column(items, what, path, files.columns.get(what))
        if column is not None:
            items[what] = items[column]
    if "title" in items:
        items["title"] = items["title"].map(one_text)
    if "topics" in items:
        items["topics"] = split_values(items["topics"], files.topics_separator)
    return items


def _told(frame: pd.DataFrame, key: str, files: TopNFiles) -> str | None:
    """What the caller calls a column, if this file calls it so too; the lists' names bind first."""
    named = files.columns.get(key)
    return named if named in frame else None


def _ids(frame: pd.DataFrame, key: str, path: Path, files: TopNFiles) -> pd.Series:
    """A column of ids as text; whole numbers that were stored as floats lose their ``.0``."""
    named = files.columns.get(key) if path == files.lists else _told(frame, key, files)
    column = frame[require_column(frame, key, path, named)]
    empty = column.isna().to_numpy()
    if empty.any():
        raise InvalidValue(
            f"empty {key} id in data row {int(empty.argmax()) + 1} of {path.name} "
            f"({int(empty.sum()):,} such rows)",
            field=key,
            mend="Give each row an id, or leave the row out.",
        )
    if pd.api.types.is_float_dtype(column) and bool((column % 1 == 0).all()):
        column = column.astype(np.int64)
    return column.astype(str)


def _numbers(column: pd.Series, what: str, path: Path) -> FloatArray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(bad.argmax())
        raise InvalidValue(
            f"{what} {str(column.iloc[row])!r} in data row {row + 1} of {path.name} is not a "
            f"finite number ({int(bad.sum()):,} such rows)",
            field=what,
            mend="Correct the rows or leave them out.",
        )
    return values
