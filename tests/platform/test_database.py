"""Transactions keep all or nothing, times are UTC, and ids sort by when they were made."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from fairloop.errors import NotReady, StorageFull
from fairloop.platform.db.base import new_ids, utc_now
from fairloop.platform.db.engine import Database, open_database
from fairloop.platform.db.tables import Event, Item, User
from sqlalchemy.exc import IntegrityError, StatementError


def count(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_an_error_in_the_middle_undoes_everything(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.session() as session:
        session.add(User(id="u1", attributes={}))
        session.flush()
        _ = 1 / 0
    assert count(database, User) == 0


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.add(Event(user_id="nobody", item_id="nothing", kind="click", occurred_at=utc_now()))
    assert count(database, Event) == 0


def test_a_time_comes_back_as_the_same_moment_in_utc(database: Database) -> None:
    noon_in_india = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with database.session() as session:
        session.add(User(id="u", attributes={}, created_at=noon_in_india))
    with database.reading() as session:
        stored = session.get_one(User, "u").created_at
    assert stored == datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
    assert stored.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.session() as session:
        session.add(User(id="u", attributes={}, created_at=datetime(2026, 1, 31)))


def test_nan_is_not_json(database: Database) -> None:
    with pytest.raises((ValueError, StatementError)), database.session() as session:
        session.add(User(id="u", attributes={"age": float("nan")}))
    assert count(database, User) == 0


def test_ids_are_version_7_distinct_and_sorted() -> None:
    ids = new_ids(5000) + new_ids(1)
    assert sorted(set(ids)) == ids
    assert {UUID(key).version for key in ids} == {7}
    assert {UUID(key).variant for key in ids} == {"specified in RFC 4122"}


def test_a_full_disk_is_named_and_nothing_is_kept(sqlite_database: Database) -> None:
    with sqlite_database.session() as session:
        session.add(User(id="before", attributes={}))
    engine = sqlite_database.engine

    @sa.event.listens_for(engine, "begin")
    def no_more_pages(connection: sa.Connection) -> None:
        # SQLite itself answers SQLITE_FULL here, as it does when the disk refuses a page.
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageFull, match="disk"), sqlite_database.session() as session:
        session.add_all(Item(id=f"i{n}", title="x" * 1000, attributes={}) for n in range(100))
    sa.event.remove(engine, "begin", no_more_pages)
    assert count(sqlite_database, Item) == 0
    assert count(sqlite_database, User) == 1


def test_a_writer_waits_for_the_one_before(sqlite_database: Database) -> None:
    other = open_database(sqlite_database.engine.url.render_as_string())
    with sqlite_database.session() as first:
        first.add(User(id="first", attributes={}))
        first.flush()
        with other.reading() as reader:  # does not wait, and sees what is committed
            assert reader.get(User, "first") is None
        with other.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                connection.connection.driver_connection.execute("BEGIN IMMEDIATE")
    other.close()


def test_sqlite_runs_in_wal_mode(sqlite_database: Database) -> None:
    with sqlite_database.reading() as session:
        assert session.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert session.scalar(sa.text("PRAGMA busy_timeout")) == 10_000


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}")
    with pytest.raises(NotReady, match="cannot be opened"), database.reading() as session:
        session.execute(sa.text("SELECT 1"))
    database.close()
