"""Connections and transactions."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from ...errors import NotReady, StorageFull

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite writer waits for the one before it."""

_POSTGRES_DISK_FULL = "53100"
_WRITES = "fairloop_writes"


@dataclass(frozen=True, slots=True)
class Database:
    """One database; use it with ``with database.session() as session``.

    Attributes:
        engine: The SQLAlchemy engine.
    """

    engine: Engine

    @contextmanager
    def session(self) -> Generator[Session]:
        """One transaction that writes: committed at the end, undone whole on any error.

        Raises:
            StorageFull: The disk refused a write; the transaction left nothing behind.
            NotReady: The database cannot be reached.
        """
        with self._transaction(self.engine.execution_options(**{_WRITES: True})) as session:
            yield session

    @contextmanager
    def reading(self) -> Generator[Session]:
        """One transaction that only reads, and waits for no writer.

        Raises:
            NotReady: The database cannot be reached.
        """
        with self._transaction(self.engine) as session:
            yield session

    @contextmanager
    def _transaction(self, engine: Engine) -> Generator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            raise named_error(error) from error

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """A database by its SQLAlchemy URL; nothing is connected or made before the first use."""
    engine = create_engine(url, json_serializer=_strict_json, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


def sqlite_file_is_missing(url: str) -> bool:
    """Whether the URL names a SQLite file that is not there; connecting would make it."""
    parsed = make_url(url)
    named = parsed.database not in (None, "", ":memory:")
    return (
        parsed.get_backend_name() == "sqlite" and named and not Path(str(parsed.database)).exists()
    )


def named_error(error: OperationalError) -> Exception:
    """The error of ours that a failure of the database means; itself where none fits."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
            return _storage_full()
        if code is not None and code & 0xFF == sqlite3.SQLITE_CANTOPEN:
            return _unreachable("the SQLite file cannot be opened")
        return error
    if getattr(cause, "sqlstate", None) == _POSTGRES_DISK_FULL:
        return _storage_full()
    if error.connection_invalidated or error.statement is None:
        return _unreachable("the database server cannot be reached")
    return error


def _storage_full() -> StorageFull:
    return StorageFull(
        "the disk of the database is full; the transaction was undone whole",
        field="FAIRLOOP_DATABASE_URL",
        mend="Free some space and repeat the request.",
    )


def _unreachable(message: str) -> NotReady:
    return NotReady(
        message,
        field="FAIRLOOP_DATABASE_URL",
        mend="Check that it exists, that it runs and that this user may open it.",
    )


def _strict_json(value: Any) -> str:
    # PostgreSQL refuses NaN in JSON and SQLite would keep it: neither shall differ.
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def _set_up_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # Python's driver starts transactions late and ends them around DDL; we begin them ourselves.
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", f"busy_timeout = {BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer fails at once when another wrote in between: writers queue here.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
