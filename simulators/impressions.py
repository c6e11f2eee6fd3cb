"""Impression logs: what was shown to whom, where on the page, and what came of it.

One row is one item shown at one position. ``fairloop simulate`` writes this schema, and
``fairloop calibrate`` reads it. The columns of the table, which are the fields of
``ImpressionLog`` too:

========================= ======= ======================================================
column                    type    meaning
========================= ======= ======================================================
``item``                  text    id of the item that was shown
``position``              int32   where it stood; the first is 1
``clicked``               bool    whether it was clicked
``slate``                 int64   rows with one number were shown together
``user``                  text    who saw it: a person, a session or a context
``day``                   double  days since the start of the log; whole in simulations
``visit``                 int32   the user's visit, from 0; slates of one session share it
``satisfaction``          float   in [0, 1]; missing where not clicked or not rated
``dwell``                 float   minutes; missing where not clicked
``score``                 double  what the logging policy ranked the item by
``propensity_item``       double  probability with which the policy put this item here
``propensity_slate``      double  probability with which it chose the whole slate
``examination``           float   probability that the position was looked at (simulations)
``click_probability``     float   exact probability of the click (simulations)
========================= ======= ======================================================

The first four are always there. Where a source does not say which rows were shown together, every
row is a slate of its own. The schema's version stands in the Parquet file's metadata.
"""

import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..arrays import BoolArray, FloatArray, IntArray
from ..candidates.folders import named_storage_errors
from ..errors import EmptyData, InvalidValue

ArrowTable = Any
"""``pyarrow.Table``, which comes without types."""

VERSION = 1
"""Of the schema; a reader refuses files of a later one."""

REQUIRED = ("item", "position", "clicked", "slate")
OPTIONAL = (
    *("user", "day", "visit", "satisfaction", "dwell", "score"),
    *("propensity_item", "propensity_slate", "examination", "click_probability"),
)
_TEXT = pa.dictionary(pa.int32(), pa.string())
_TYPES = {
    "item": _TEXT,
    "position": pa.int32(),
    "clicked": pa.bool_(),
    "slate": pa.int64(),
    "user": _TEXT,
    "day": pa.float64(),
    "visit": pa.int32(),
    "satisfaction": pa.float32(),
    "dwell": pa.float32(),
    "score": pa.float64(),
    "propensity_item": pa.float64(),
    "propensity_slate": pa.float64(),
    "examination": pa.float32(),
    "click_probability": pa.float32(),
}
_VERSION_KEY = b"fairloop.impressions.version"


@dataclass(frozen=True, slots=True)
class ImpressionLog:
    """``R`` impressions; fields that the source does not have are None.

    Attributes:
        item_ids: Public ids of the items, strings, shape ``(I,)``; more may be listed than shown.
        item: Index into ``item_ids``, shape ``(R,)``.
        position: From 1, shape ``(R,)``.
        clicked: Shape ``(R,)``.
        slate: Rows with one number were shown together, shape ``(R,)``.
        user_ids: Public ids of the users, strings, shape ``(U,)``; None where nobody is named.
        user: Index into ``user_ids``, shape ``(R,)``.
        day: Days since the start of the log, shape ``(R,)``.
        visit: The user's visit, from 0, shape ``(R,)``; slates of one session share it.
        satisfaction: In [0, 1], NaN where not clicked or not rated, shape ``(R,)``.
        dwell: Minutes, NaN where not clicked, shape ``(R,)``.
        score: What the logging policy ranked the item by, shape ``(R,)``.
        propensity_item: Probability that the policy put this item at this position, ``(R,)``.
        propensity_slate: Probability that it chose this whole slate, shape ``(R,)``.
        examination: Probability that the position was looked at, shape ``(R,)``.
        click_probability: Probability of the click, examination included, shape ``(R,)``.
    """

    item_ids: np.ndarray
    item: IntArray
    position: IntArray
    clicked: BoolArray
    slate: IntArray
    user_ids: np.ndarray | None = None
    user: IntArray | None = None
    day: FloatArray | None = None
    visit: IntArray | None = None
    satisfaction: FloatArray | None = None
    dwell: FloatArray | None = None
    score: FloatArray | None = None
    propensity_item: FloatArray | None = None
    propensity_slate: FloatArray | None = None
    examination: FloatArray | None = None
    click_probability: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse columns of different lengths, and ids without rows or rows without ids."""
        for name in (*REQUIRED, *OPTIONAL):
            column = getattr(self, name)
            if column is not None and column.shape != self.item.shape:
                raise InvalidValue(
                    f"{column.shape} values for {self.item.shape} impressions", field=name
                )
        if (self.user is None) != (self.user_ids is None):
            raise InvalidValue("`user` and `user_ids` go together", field="user")

    def __len__(self) -> int:
        return len(self.item)

    @property
    def n_items(self) -> int:
        """Items that have an id, ``I``."""
        return len(self.item_ids)

    @property
    def n_positions(self) -> int:
        """The lowest position on any page, ``K``."""
        return int(self.position.max(initial=0))

    def take(self, rows: IntArray | BoolArray) -> "ImpressionLog":
        """Some of the rows; ids keep their numbers."""
        columns = {name: getattr(self, name) for name in (*REQUIRED, *OPTIONAL)}
        return replace(self, **{n: c[rows] for n, c in columns.items() if c is not None})

    def to_table(self) -> ArrowTable:
        """The log in its schema; columns that it does not have are left out."""
        present = [name for name in (*REQUIRED, *OPTIONAL) if getattr(self, name) is not None]
        columns = [self._column(name) for name in present]
        return pa.table(columns, schema=_schema(present))

    def to_frame(self) -> pd.DataFrame:
        """The log as a data frame, with the columns of the schema."""
        return self.to_table().to_pandas()

    def _column(self, name: str) -> Any:
        values = getattr(self, name)
        if name in ("item", "user"):
            ids = self.item_ids if name == "item" else self.user_ids
            return pa.DictionaryArray.from_arrays(
                pa.array(values.astype(np.int32)), pa.array(np.asarray(ids, object), pa.string())
            )
        return pa.array(values, type=_TYPES[name], from_pandas=True)  # NaN is missing


def from_table(table: ArrowTable) -> ImpressionLog:
    """A log out of a table in the schema, as ``ImpressionLog.to_table`` makes it.

    Raises:
        InvalidValue: A required column is absent, or the schema is of a later version.
    """
    version = (table.schema.metadata or {}).get(_VERSION_KEY)
    if version is None or int(version) > VERSION:
        raise InvalidValue(
            f"the log has schema version {version and version.decode()}, and {VERSION} is read",
            field="version",
            mend="Read it with `fairloop.simulators.calibration.read_log`, or a newer Fairloop.",
        )
    absent = [name for name in REQUIRED if name not in table.column_names]
    if absent:
        raise InvalidValue("the log lacks a required column", field=absent[0])
    values: dict[str, np.ndarray] = {}
    for name in (n for n in (*REQUIRED, *OPTIONAL) if n in table.column_names):
        column = table.column(name)
        if name in ("item", "user"):
            encoded = column.unify_dictionaries().combine_chunks()
            if isinstance(encoded, pa.ChunkedArray):  # no row at all
                encoded = pa.DictionaryArray.from_arrays(
                    pa.array([], pa.int32()), pa.array([], pa.string())
                )
            values[f"{name}_ids"] = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
            values[name] = encoded.indices.to_numpy(zero_copy_only=False)
        else:
            values[name] = column.to_numpy()
    return ImpressionLog(**values)


def write_impressions(path: Path, logs: Iterable[ImpressionLog]) -> int:
    """Write logs one after the other into one Parquet file, which appears whole or not at all.

    Args:
        path: The file; an earlier one is replaced.
        logs: Parts with the same columns; only one is held in memory at a time.

    Returns:
        Rows written.

    Raises:
        EmptyData: There was no log.
        StorageFull: The disk is full; nothing is left behind and an earlier file stays.
    """
    with named_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                rows = _write_parts(stream, logs)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return rows


def _write_parts(stream: BinaryIO, logs: Iterable[ImpressionLog]) -> int:
    """Write the parts as row groups; the writer is closed whatever happens between them."""
    rows = 0
    with ExitStack() as stack:
        writer = None
        for log in logs:
            table = log.to_table()
            if writer is None:
                writer = pq.ParquetWriter(stream, table.schema, compression="zstd")
                stack.enter_context(writer)
            writer.write_table(table)
            rows += len(log)
    if writer is None:
        raise EmptyData("there is no impression to write", field="logs")
    return rows


def read_impressions(path: Path) -> ImpressionLog:
    """Read what ``write_impressions`` wrote.

    For logs of other systems, with other column names or as CSV, see ``calibration.read_log``.

    Raises:
        InvalidValue: It is not a Parquet file in the schema.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InvalidValue(f"{path} is not a Parquet file: {error}", field="path") from error
    return from_table(table)


def is_in_schema(path: Path) -> bool:
    """Whether a Parquet file says that it is in this schema."""
    metadata = pq.read_schema(path).metadata or {}
    return _VERSION_KEY in metadata


def _schema(columns: Iterable[str]) -> Any:
    typed = [pa.field(name, _TYPES[name]) for name in columns]
    return pa.schema(typed, metadata={_VERSION_KEY: str(VERSION).encode()})
