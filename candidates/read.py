"""Reading data sets: RecBole's atomic files, CSV and Parquet."""

from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from ..errors import InvalidValue, NotReady
from .dataset import Dataset
from .models import recbole_folder
from .read_frames import build_dataset
from .table_files import missing_column, one_text, read_atomic, read_csv, read_parquet, split_values


class RecBoleMapping(BaseModel):
    """Which columns of a ``.item`` file say what; their names without the type after the colon."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None = None
    year: str | None = None
    topics: str | None = None


class TableMapping(BaseModel):
    """Where the columns of CSV or Parquet files are.

    Attributes:
        name: Name of the data set.
        interactions: File with one row per interaction.
        users: File with one row per user, if there is one.
        items: File with one row per item, if there is one.
        user: Column of user ids, in ``interactions`` and ``users``.
        item: Column of item ids, in ``interactions`` and ``items``.
        rating: Column of ratings; every interaction counts 1 where None.
        timestamp: Column of Unix seconds; the order of rows counts where None.
        user_attributes: Columns of ``users`` to keep; all where None.
        item_attributes: Columns of ``items`` to keep; all where None.
        title: Column of titles in ``items``.
        year: Column of years in ``items``.
        topics: Column of topics in ``items``.
        topics_separator: What stands between topics.
        separator: What stands between columns of a CSV file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    interactions: Path
    users: Path | None = None
    items: Path | None = None
    user: str = "user"
    item: str = "item"
    rating: str | None = "rating"
    timestamp: str | None = "timestamp"
    user_attributes: tuple[str, ...] | None = None
    item_attributes: tuple[str, ...] | None = None
    title: str | None = None
    year: str | None = None
    topics: str | None = None
    topics_separator: str = Field(default="|", min_length=1)
    separator: str = Field(default=",", min_length=1)


def movielens_100k() -> Dataset:
    """MovieLens-100K out of the installed RecBole, which is not imported.

    GroupLens forbids to pass the data on; it is read where it is. The genre ``unknown`` and a
    year that is not a number count as missing.

    Raises:
        NotReady: RecBole is not installed, or without its example data.
    """
    folder = recbole_folder() / "dataset_example" / "ml-100k"
    if not folder.is_dir():
        raise NotReady(
            "the installed RecBole has no example data",
            field=str(folder),
            mend="Install recbole 1.2.1 from its wheel.",
        )
    return read_recbole(
        folder, RecBoleMapping(title="movie_title", year="release_year", topics="class")
    )


def read_recbole(folder: Path, mapping: RecBoleMapping | None = None) -> Dataset:
    """Read ``X.inter`` and, where present, ``X.user`` and ``X.item`` of a folder named ``X``.

    Raises:
        InvalidValue: There is no ``.inter`` file, or a value cannot be used.
        EmptyData: It has no rows.
        MissingColumn: ``user_id``, ``item_id`` or a mapped column is absent.
    """
    name = folder.name
    path = folder / f"{name}.inter"
    if not path.is_file():
        raise InvalidValue(
            f"no file {path}",
            field="folder",
            mend="Give a folder X that holds X.inter, as RecBole expects.",
        )
    interactions = read_atomic(path).rename(columns={"user_id": "user", "item_id": "item"})
    items = _optional(folder / f"{name}.item", "item")
    if items is not None and mapping is not None:
        items = _rename(items, mapping, folder / f"{name}.item")
    return build_dataset(name, interactions, _optional(folder / f"{name}.user", "user"), items)


def read_tables(mapping: TableMapping) -> Dataset:
    """Read CSV (or TSV, with ``separator``) and Parquet files.

    Raises:
        InvalidValue: A file is absent or unreadable, or a value cannot be used.
        EmptyData: There are no interactions.
        MissingColumn: A mapped column is absent.
    """
    wanted = {"user": mapping.user, "item": mapping.item}
    wanted |= {"rating": mapping.rating} if mapping.rating else {}
    wanted |= {"timestamp": mapping.timestamp} if mapping.timestamp else {}
    interactions = _pick(_read_table(mapping.interactions, mapping), wanted, mapping.interactions)
    users = items = None
    if mapping.users is not None:
        frame = _read_table(mapping.users, mapping)
        kept = frame.columns if mapping.user_attributes is None else mapping.user_attributes
        columns = {c: c for c in kept if c != mapping.user} | {"user": mapping.user}
        users = _pick(frame, columns, mapping.users)
    if mapping.items is not None:
        frame = _read_table(mapping.items, mapping)
        kept = frame.columns if mapping.item_attributes is None else mapping.item_attributes
        named = {"title": mapping.title, "year": mapping.year, "topics": mapping.topics}
        taken = {mapping.item, *named.values()}
        columns = {c: c for c in kept if c not in taken} | {"item": mapping.item}
        columns |= {name: column for name, column in named.items() if column}
        items = _pick(frame, columns, mapping.items)
        if mapping.topics:
            items["topics"] = split_values(items["topics"], mapping.topics_separator)
    return build_dataset(mapping.name, interactions, users, items)


def _optional(path: Path, key: str) -> pd.DataFrame | None:
    return read_atomic(path).rename(columns={f"{key}_id": key}) if path.is_file() else None


def _rename(items: pd.DataFrame, mapping: RecBoleMapping, path: Path) -> pd.DataFrame:
    """Give the mapped columns their usual names; a title of several words is one text again."""
    named = {"title": mapping.title, "year": mapping.year, "topics": mapping.topics}
    columns = {column: name for name, column in named.items() if column}
    for column in columns:
        if column not in items:
            raise missing_column(column, items, path)
    items = items.rename(columns=columns)
    if mapping.title:
        items["title"] = items["title"].map(one_text)
    return items


def _read_table(path: Path, mapping: TableMapping) -> pd.DataFrame:
    if not path.is_file():
        raise InvalidValue(f"no file {path}", field="path", mend="Check the path.")
    return read_parquet(path) if path.suffix == ".parquet" else read_csv(path, mapping.separator)


def _pick(frame: pd.DataFrame, columns: dict[str, str], path: Path) -> pd.DataFrame:
    for column in columns.values():
        if column not in frame:
            raise missing_column(column, frame, path)
    return pd.DataFrame({name: frame[column] for name, column in columns.items()})
