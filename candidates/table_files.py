"""Tables as people have them: Parquet, CSV, TSV and RecBole's atomic files.

Text stays text ("007" and "NA" are ids); only an empty cell is missing.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..errors import EmptyData, InvalidValue, MissingColumn

_TEXT = "utf-8-sig"  # UTF-8, with or without the mark that spreadsheets put first
_KINDS = frozenset({"token", "token_seq", "float", "float_seq"})

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "user": ("user", "user_id", "userid", "uid", "customer", "customer_id"),
    "item": ("item", "item_id", "itemid", "iid", "movie_id", "movieid", "product_id", "sku"),
    "score": ("score", "scores", "prediction", "predicted", "pred", "rating"),
    "rating": ("rating", "ratings", "stars", "label"),
    "timestamp": ("timestamp", "time"),
    "title": ("title", "movie_title", "name"),
    "year": ("year", "release_year"),
    "topics": ("topics", "topic", "genres", "genre", "categories", "category", "class"),
}
"""What a column is usually called, the likeliest name first; upper and lower case are alike."""


def read_table(path: Path, topics_separator: str = "|") -> pd.DataFrame:
    """Read a table whatever its format.

    ``.parquet`` and ``.pq`` are Parquet. Anything else is text, separated by what its header is
    separated by: tab, semicolon or comma. RecBole's types (``user_id:token``) are taken off the
    columns' names, and cells of a ``_seq`` column become tuples.

    Args:
        path: The file.
        topics_separator: What stands between the values of a cell with several.

    Raises:
        InvalidValue: The file is absent or cannot be read.
        EmptyData: It is empty.
    """
    if not path.is_file():
        raise InvalidValue(f"no file {path}", field="path", mend="Check the path.")
    if path.suffix in (".parquet", ".pq"):
        return read_parquet(path)
    header = _first_line(path)
    separator = next((sign for sign in "\t;" if sign in header), ",")
    return _untyped(read_csv(path, separator))


def read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file as it is.

    Raises:
        InvalidValue: It cannot be read.
    """
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors derive from these
        raise InvalidValue(f"{path} is not a Parquet file: {error}", field="path") from error


def read_csv(path: Path, separator: str) -> pd.DataFrame:
    """All columns as text; only an empty cell is missing ("NA" may be an id).

    Raises:
        EmptyData: There is not even a header.
        InvalidValue: It cannot be read.
    """
    try:
        frame = pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, na_values=[""], encoding=_TEXT
        )
    except pd.errors.EmptyDataError as error:
        raise EmptyData(f"{path} is empty", field="path", mend="Give a file with rows.") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path} cannot be read: {error}", field="path") from error
    return frame.where(frame.notna(), None)


def read_atomic(path: Path) -> pd.DataFrame:
    """A RecBole file: tab-separated, with a type after the colon of each column's name."""
    return _untyped(read_csv(path, "\t"))


def split_values(column: pd.Series, separator: str) -> pd.Series:
    """Text to tuples; a cell that holds a list already stays one."""

    def split(value: object) -> tuple[str, ...] | None:
        if value is None or isinstance(value, float):
            return None
        if isinstance(value, str):
            return tuple(part for part in value.split(separator) if part)
        return tuple(str(part) for part in value)  # pyright: ignore  # a list cell of Parquet

    return pd.Series([split(value) for value in column], dtype=object, index=column.index)


def one_text(value: object) -> object:
    """A title that was read as several words is one text again."""
    return " ".join(value) if isinstance(value, tuple) else value


def missing_column(column: str, frame: pd.DataFrame, path: Path) -> MissingColumn:
    """The error for a column that a file lacks."""
    return MissingColumn(
        f"{path.name} has no column {column!r}",
        field=column,
        mend=f"It has {', '.join(map(str, frame.columns))}: correct the file or the mapping.",
    )


def find_column(frame: pd.DataFrame, what: str, path: Path, named: str | None = None) -> str | None:
    """The column that says ``what``: the one that was named, or one with a usual name.

    Args:
        frame: The table.
        what: A key of ``USUAL_NAMES``.
        path: Where the table is from, for the error.
        named: What the caller calls it, if they say.

    Returns:
        Its name in ``frame``; None where none was named and none has a usual name.

    Raises:
        MissingColumn: The named column is absent.
    """
    if named is not None:
        if named not in frame:
            raise missing_column(named, frame, path)
        return named
    by_name = {str(name).strip().lower().replace(" ", "_"): str(name) for name in frame.columns}
    return next((by_name[usual] for usual in USUAL_NAMES[what] if usual in by_name), None)


def require_column(frame: pd.DataFrame, what: str, path: Path, named: str | None = None) -> str:
    """Like `find_column`, for a column that must be there.

    Raises:
        MissingColumn: It is absent.
    """
    found = find_column(frame, what, path, named)
    if found is None:
        raise MissingColumn(
            f"{path.name} has no column that reads like {what!r}",
            field=what,
            mend=f"It has {', '.join(map(str, frame.columns))}: say which one it is "
            f"(--column {what}=NAME on the command line).",
        )
    return found


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding=_TEXT) as lines:
            return lines.readline()
    except UnicodeDecodeError as error:
        raise InvalidValue(f"{path} cannot be read: {error}", field="path") from error


def _untyped(frame: pd.DataFrame) -> pd.DataFrame:
    """Take RecBole's types off the names, and split the cells of sequences at their spaces."""
    columns: dict[str, pd.Series] = {}
    for header in frame.columns:
        name, _, kind = str(header).partition(":")
        column = frame[header]
        if kind not in _KINDS:
            columns[str(header)] = column
        else:
            columns[name] = split_values(column, " ") if kind.endswith("_seq") else column
    return pd.DataFrame(columns)
