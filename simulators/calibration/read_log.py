"""Reading impression logs of other systems: columns are recognised, and every row is checked."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.table_files import USUAL_NAMES as TABLE_NAMES
from ...candidates.table_files import missing_column, read_table
from ...errors import EmptyData, InvalidValue, MissingColumn
from ..impressions import ImpressionLog, is_in_schema, read_impressions

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "item": TABLE_NAMES["item"],
    "position": ("position", "rank", "slot", "pos"),
    "clicked": ("clicked", "click", "is_clicked", "is_click", "clicks", "reward"),
    "slate": ("slate", "slate_id", "impression_id", "request_id", "page_id", "list_id", "query_id"),
    "user": (*TABLE_NAMES["user"], "context", "context_id"),
    "timestamp": ("timestamp", "time", "datetime", "date"),
    "day": ("day",),
    "visit": ("visit", "visit_id", "session", "session_id"),
    "rating": ("rating", "ratings", "stars"),
    "satisfaction": ("satisfaction",),
    "dwell": ("dwell", "dwell_minutes"),
    "dwell_seconds": ("dwell_seconds", "dwell_time_seconds"),
    "score": ("score", "scores", "prediction"),
    "propensity_item": ("propensity_item", "propensity", "propensity_score", "pscore"),
    "propensity_slate": ("propensity_slate", "slate_propensity"),
}
"""What a column is usually called, the likeliest name first; upper and lower case are alike."""

LOWEST_POSITION = 1000
_YES = {"1", "1.0", "true", "t", "yes", "y"}
_NO = {"0", "0.0", "false", "f", "no", "n", ""}
_EPOCH_MILLISECONDS = 1e11  # as seconds that is the year 5138


def read_log(path: Path, columns: Mapping[str, str] | None = None) -> ImpressionLog:
    """Read a log: Parquet in the schema of ``impressions``, or any Parquet or text table.

    Ids are text. ``rating`` becomes satisfaction by its place between the file's lowest and
    highest. Without a column of slates, rows of one user at one time were shown together; without
    users or times, every row is a slate of its own.

    Args:
        path: The file.
        columns: What the file calls the columns, by the keys of ``USUAL_NAMES``; those not named
            are recognised by their usual names.

    Raises:
        InvalidValue: The file cannot be read, or a value is not what its column holds.
        EmptyData: There is no row.
        MissingColumn: ``item``, ``position`` or ``clicked`` is absent, or a named column is.
    """
    named = dict(columns or {})
    unknown = sorted(set(named) - set(USUAL_NAMES))
    if unknown:
        raise InvalidValue(
            f"{', '.join(unknown)} is no column of a log",
            field="columns",
            mend=f"Name one of {', '.join(USUAL_NAMES)}.",
        )
    if path.suffix in (".parquet", ".pq") and path.is_file() and not named and is_in_schema(path):
        log = read_impressions(path)
        if len(log) == 0:
            raise _empty(path)
        _check_positions(log.position, log.slate, path)
        return log
    return _Reader(read_table(path), path, named).log()


class _Reader:
    """A table, its name, and what its columns were said to be called."""

    def __init__(self, frame: pd.DataFrame, path: Path, named: Mapping[str, str]) -> None:
        if frame.empty:
            raise _empty(path)
        self._frame, self._path, self._named = frame, path, named
        self._by_name = {
            str(name).strip().lower().replace(" ", "_"): str(name) for name in frame.columns
        }

    def log(self) -> ImpressionLog:
        """Read every column that is there."""
        item_ids, item = self._ids("item")
        position = self._positions()
        user_ids, user = (None, None) if self._column("user") is None else self._ids("user")
        day = self._days()
        slate = self._slates(user, day)
        _check_positions(position, slate, self._path)
        return ImpressionLog(
            item_ids=item_ids,
            item=item,
            position=position,
            clicked=self._clicks(),
            slate=slate,
            user_ids=user_ids,
            user=user,
            day=day,
            visit=self._visits(user, day),
            satisfaction=self._satisfaction(),
            dwell=self._dwell(),
            score=self._numbers("score"),
            propensity_item=self._probabilities("propensity_item"),
            propensity_slate=self._probabilities("propensity_slate"),
        )

    def _column(self, what: str) -> pd.Series | None:
        if what in self._named:
            if self._named[what] not in self._frame:
                raise missing_column(self._named[what], self._frame, self._path)
            return self._frame[self._named[what]]
        names = USUAL_NAMES[what]
        found = next((self._by_name[name] for name in names if name in self._by_name), None)
        return None if found is None else self._frame[found]

    def _required(self, what: str) -> pd.Series:
        column = self._column(what)
        if column is None:
            raise MissingColumn(
                f"{self._path.name} has no column that reads like {what!r}",
                field=what,
                mend=f"It has {', '.join(map(str, self._frame.columns))}: say which one it is "
                f"(--column {what}=NAME on the command line).",
            )
        return column

    def _ids(self, what: str) -> tuple[np.ndarray, IntArray]:
        column = self._required(what)
        self._refuse(column.isna().to_numpy(), column, what, "is empty", "Give each row an id.")
        if pd.api.types.is_float_dtype(column) and bool((column % 1 == 0).all()):
            column = column.astype(np.int64)
        codes, ids = pd.factorize(column.astype(str), sort=True)
        return np.asarray(ids, dtype=np.str_), codes

    def _positions(self) -> IntArray:
        values = self._numbers("position", required=True)
        assert values is not None
        column = self._required("position")
        whole = values % 1 == 0
        self._refuse(~whole, column, "position", "is not a whole number", "Count 1, 2, 3 …")
        zero = values < 1
        self._refuse(
            zero, column, "position", "is below 1", "The first position is 1: add 1 to every one."
        )
        deep = values > LOWEST_POSITION
        self._refuse(
            deep, column, "position", f"is below position {LOWEST_POSITION}",
            "Keep the rows that were on the page.",
        )  # fmt: skip
        return values.astype(np.int32)

    def _clicks(self) -> BoolArray:
        column = self._required("clicked")
        text = column.astype(object).where(column.notna(), "").astype(str).str.strip().str.lower()
        yes = text.isin(_YES).to_numpy()
        self._refuse(
            ~yes & ~text.isin(_NO).to_numpy(), column, "clicked", "is neither 0 nor 1",
            "Write 1 for a click and 0 for none; a count of clicks counts as 1.",
        )  # fmt: skip
        return yes

    def _numbers(self, what: str, required: bool = False) -> FloatArray | None:
        column = self._required(what) if required else self._column(what)
        if column is None:
            return None
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
        said = column.notna().to_numpy() if not required else np.ones(len(column), bool)
        self._refuse(
            said & ~np.isfinite(values), column, what, "is not a finite number",
            "Correct the rows, or leave them out.",
        )  # fmt: skip
        return values

    def _probabilities(self, what: str) -> FloatArray | None:
        values, column = self._numbers(what), self._column(what)
        if values is None or column is None:
            return None
        bad = np.isfinite(values) & ((values <= 0) | (values > 1))
        self._refuse(bad, column, what, "is no probability above 0", "Correct the rows.")
        return values

    def _satisfaction(self) -> FloatArray | None:
        values, column = self._numbers("satisfaction"), self._column("satisfaction")
        if values is not None and column is not None:
            bad = (values < 0) | (values > 1)
            mend = "Scale it to [0, 1], or call the column `rating`."
            self._refuse(bad, column, "satisfaction", "is not in [0, 1]", mend)
            return values.astype(np.float32)
        rating = self._numbers("rating")
        if rating is None or not np.isfinite(rating).any():
            return None
        low, high = float(np.nanmin(rating)), float(np.nanmax(rating))
        if high <= low:
            return None
        return ((rating - low) / (high - low)).astype(np.float32)

    def _dwell(self) -> FloatArray | None:
        minutes = self._numbers("dwell")
        if minutes is None:
            seconds = self._numbers("dwell_seconds")
            minutes = None if seconds is None else seconds / 60.0
        return None if minutes is None else minutes.astype(np.float32)

    def _days(self) -> FloatArray | None:
        days = self._numbers("day", required=True) if self._column("day") is not None else None
        column = self._column("timestamp")
        if days is not None or column is None:
            return days
        seconds = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
        if not np.isfinite(seconds).all():
            parsed = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
            bad, mend = parsed.isna().to_numpy(), "Write Unix seconds, or 2026-01-31T18:00:00."
            self._refuse(bad, column, "timestamp", "is not a time", mend)
            seconds = (parsed - parsed.min()).dt.total_seconds().to_numpy()
        elif seconds.max() > _EPOCH_MILLISECONDS:
            seconds = seconds / 1000.0
        return (seconds - seconds.min()) / 86400.0

    def _slates(self, user: IntArray | None, day: FloatArray | None) -> IntArray:
        column = self._column("slate")
        if column is not None:
            empty = column.isna().to_numpy()
            self._refuse(empty, column, "slate", "is empty", "Give each row its slate.")
            return pd.factorize(column)[0]
        if user is None or day is None:
            return np.arange(len(self._frame))
        return pd.factorize(pd.MultiIndex.from_arrays([user, day]))[0]

    def _visits(self, user: IntArray | None, day: FloatArray | None) -> IntArray | None:
        """Numbers from 0 within each user, in the order of the first row or of time."""
        column = self._column("visit")
        if column is None or user is None:
            return None
        session = pd.factorize(pd.MultiIndex.from_arrays([user, column.astype(str)]))[0]
        rows = pd.DataFrame({"user": user, "session": session, "day": 0.0 if day is None else day})
        first = rows.groupby("session", sort=False).agg(user=("user", "first"), day=("day", "min"))
        first = first.reset_index().sort_values(["user", "day", "session"], kind="stable")
        number = first.groupby("user").cumcount()
        visit = np.empty(len(first), np.int32)
        visit[first["session"].to_numpy()] = number.to_numpy()
        return visit[session]

    def _refuse(self, bad: BoolArray, column: pd.Series, what: str, why: str, mend: str) -> None:
        if bad.any():
            row = int(bad.argmax())
            raise InvalidValue(
                f"{what} {str(column.iloc[row])!r} in data row {row + 1} of {self._path.name} "
                f"{why} ({int(bad.sum()):,} such rows)",
                field=what,
                mend=mend,
            )


def _check_positions(position: IntArray, slate: IntArray, path: Path) -> None:
    """Refuse two rows at one position of one slate."""
    keys = slate.astype(np.int64) * (LOWEST_POSITION + 1) + position
    order = np.argsort(keys, kind="stable")
    again = np.flatnonzero(np.diff(keys[order]) == 0)
    if len(again):
        row = int(order[again[0] + 1])
        raise InvalidValue(
            f"data row {row + 1} of {path.name} is a second item at position {position[row]} of "
            f"its slate ({len(again):,} such rows)",
            field="slate",
            mend="Give each slate its own id (--column slate=NAME), and each position one row.",
        )


def _empty(path: Path) -> EmptyData:
    return EmptyData(f"{path.name} holds no row", field="path", mend="Give at least one row.")
