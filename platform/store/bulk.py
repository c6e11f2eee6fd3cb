"""Writing many rows at once, the same on both databases."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

Value = TypeVar("Value")

CHUNK = 500
"""Values in one ``IN (...)``: both databases bound the parameters of a statement."""


def upsert(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; where the primary key exists, replace all but when the row was made."""
    if not rows:
        return
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    key = [column.name for column in table.primary_key]
    kept = (*key, "created_at")
    given = {name: statement.excluded[name] for name in rows[0] if name not in kept}
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=given), rows)


def chunks(values: Iterable[Value], size: int = CHUNK) -> Iterator[list[Value]]:
    """Cut into lists of at most ``size``."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
