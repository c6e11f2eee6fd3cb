"""Writing data sets: RecBole's atomic files, and a sealed folder of our own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InvalidValue
from .dataset import Dataset
from .folders import write_folder_atomically
from .sealed_folder import read_sealed, seal

KIND = "dataset"
_MEND = "Import the data again with `fairloop data`."
_NAMES = {"year": "year:float", "topics": "topics:token_seq"}


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Store a data set as Parquet files and a manifest; an earlier folder is replaced at once.

    Raises:
        StorageFull: The disk is full; nothing is left behind.
    """

    def fill(target: Path) -> None:
        pd.DataFrame(
            {
                "user": dataset.user,
                "item": dataset.item,
                "rating": dataset.rating,
                "timestamp": dataset.timestamp,
            }
        ).to_parquet(target / "interactions.parquet", index=False)
        for name, ids, attributes in (
            ("users", dataset.user_ids, dataset.user_attributes),
            ("items", dataset.item_ids, dataset.item_attributes),
        ):
            frame = attributes.reset_index(drop=True)
            frame.insert(0, "_id", ids)
            frame.to_parquet(target / f"{name}.parquet", index=False)
        seal(
            target,
            {
                "kind": KIND,
                "format": 1,
                "name": dataset.name,
                "counts": dict(dataset.counts),
                "dataset": dataset.content_hash(),
            },
        )

    write_folder_atomically(folder, fill)


def load_dataset(folder: Path) -> Dataset:
    """Read what ``save_dataset`` wrote, every hash verified.

    Raises:
        ArtifactNotFound: There is no data set in the folder.
        CorruptArtifact: A file differs from its hash.
    """
    manifest = read_sealed(folder, KIND, _MEND)
    interactions = pd.read_parquet(folder / "interactions.parquet")
    users = pd.read_parquet(folder / "users.parquet")
    items = pd.read_parquet(folder / "items.parquet")
    if "topics" in items:
        items["topics"] = pd.Series([tuple(t) for t in items["topics"]], dtype=object)
    return Dataset(
        name=manifest["name"],
        user_ids=users["_id"].to_numpy(dtype=str),
        item_ids=items["_id"].to_numpy(dtype=str),
        user=interactions["user"].to_numpy(),
        item=interactions["item"].to_numpy(),
        rating=interactions["rating"].to_numpy(),
        timestamp=interactions["timestamp"].to_numpy(),
        user_attributes=users.drop(columns="_id"),
        item_attributes=items.drop(columns="_id"),
        counts=manifest["counts"],
    )


def write_recbole(dataset: Dataset, folder: Path) -> None:
    """Write ``X.inter``, ``X.user`` and ``X.item`` into the folder ``X``, as RecBole reads them.

    ``read_recbole`` with the same names reads them back. Topics are separated by a space there, so
    a space inside a topic becomes an underscore.

    Raises:
        InvalidValue: An id or a value holds a tab or a line break, which the format cannot hold.
        StorageFull: The disk is full; nothing is left behind.
    """
    ids = {"user": dataset.user_ids, "item": dataset.item_ids}
    interactions = pd.DataFrame(
        {
            "user_id:token": ids["user"][dataset.user],
            "item_id:token": ids["item"][dataset.item],
            "rating:float": dataset.rating,
            "timestamp:float": dataset.timestamp,
        }
    )

    def fill(target: Path) -> None:
        name = folder.name
        _write(interactions, target / f"{name}.inter")
        _write(_table("user_id", ids["user"], dataset.user_attributes), target / f"{name}.user")
        _write(_table("item_id", ids["item"], dataset.item_attributes), target / f"{name}.item")

    write_folder_atomically(folder, fill)


def _table(key: str, ids: np.ndarray, attributes: pd.DataFrame) -> pd.DataFrame:
    columns: dict[str, Any] = {f"{key}:token": ids}
    for name in attributes.columns:
        header = _NAMES.get(str(name), f"{name}:token")
        values = attributes[name]
        if name == "topics":
            values = [" ".join(t.replace(" ", "_") for t in topics) for topics in values]
        columns[header] = values
    return pd.DataFrame(columns)


def _write(frame: pd.DataFrame, path: Path) -> None:
    for header in frame.columns:
        column = frame[header]
        if column.dtype == object and column.dropna().astype(str).str.contains("[\t\n\r]").any():
            raise InvalidValue(
                f"{header} holds a tab or a line break",
                field=str(header),
                mend="Replace it: the atomic files are separated by tabs.",
            )
    # No quoting: RecBole would read the quotes as part of the value.
    lines = ["\t".join(map(str, frame.columns))]
    lines += ["\t".join(map(_cell, row)) for row in frame.itertuples(index=False, name=None)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return json.dumps(int(value) if value.is_integer() else value)
    return str(value)
