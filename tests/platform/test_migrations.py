"""The migrations and the models say the same, on both databases."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from fairloop.errors import NotMigrated, NotReady
from fairloop.platform.db import migrate
from fairloop.platform.db.engine import open_database
from fairloop.platform.db.tables import metadata

ROOT = Path(migrate.__file__).parents[2]


def tables_of(url: str) -> set[str]:
    database = open_database(url)
    try:
        return set(sa.inspect(database.engine).get_table_names())
    finally:
        database.close()


def test_an_upgraded_database_has_exactly_the_models_schema(empty_url: str) -> None:
    assert migrate.upgrade(empty_url) == migrate.HEAD
    database = open_database(empty_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        inspector = sa.inspect(connection)
        for table in metadata.tables.values():
            # Alembic compares neither checks nor partial indices.
            wanted = {str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            assert {c["name"] for c in inspector.get_check_constraints(table.name)} == wanted
            indices = {index["name"] for index in inspector.get_indexes(table.name)}
            assert indices >= {index.name for index in table.indexes}
    database.close()


def test_upgrade_twice_changes_nothing_and_downgrade_leaves_nothing(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    assert migrate.upgrade(empty_url) == migrate.HEAD
    assert migrate.downgrade(empty_url) == "empty"
    assert tables_of(empty_url) == {"alembic_version"}
    assert migrate.upgrade(empty_url) == migrate.HEAD


def test_a_database_that_is_not_migrated_names_the_command(empty_url: str) -> None:
    database = open_database(empty_url)
    with pytest.raises(NotMigrated, match="fairloop db upgrade") as caught:
        migrate.require_migrated(database)
    assert caught.value.field == "FAIRLOOP_DATABASE_URL"
    migrate.upgrade(empty_url)
    migrate.require_migrated(database)
    database.close()


def test_asking_does_not_make_a_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert migrate.current(url) is None
    with pytest.raises(NotMigrated):
        migrate.require_migrated(open_database(url))
    assert list(tmp_path.iterdir()) == []


def test_upgrade_makes_the_folder_of_the_sqlite_file(tmp_path: Path) -> None:
    migrate.upgrade(f"sqlite:///{tmp_path / 'home' / 'fairloop.db'}")
    assert (tmp_path / "home" / "fairloop.db").exists()


def test_a_failed_upgrade_leaves_the_database_as_it_was(empty_url: str) -> None:
    database = open_database(empty_url)
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE audits (id INTEGER)"))  # the last one it makes
    with pytest.raises(sa.exc.DatabaseError):
        migrate.upgrade(empty_url)
    assert tables_of(empty_url) == {"audits"}
    assert migrate.current(empty_url) is None
    database.close()


@pytest.mark.postgres
def test_a_server_that_is_gone_is_a_named_error(new_postgres_url: Callable[[], str]) -> None:
    nowhere = new_postgres_url().replace("host=", "host=/nonexistent")
    with pytest.raises(NotReady, match="cannot be reached"):
        migrate.require_migrated(open_database(nowhere))


def test_the_developers_alembic_command_finds_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLOOP_HOME", str(tmp_path))
    for command in (["upgrade", "head"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "alembic", *command], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
