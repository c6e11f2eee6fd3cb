"""Databases for the platform's tests: SQLite in a file, and a private PostgreSQL cluster."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from fairloop.platform.db import migrate
from fairloop.platform.db.engine import Database, open_database

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


def _binary(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(installed[0]) if installed else shutil.which(name)


def _unprivileged() -> tuple[list[str], int] | None:
    """How to run as somebody other than root, since initdb refuses root; None if impossible."""
    if os.getuid() != 0:
        return [], os.getuid()
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        return None
    runuser = shutil.which("runuser")
    return None if runuser is None else ([runuser, "-u", "postgres", "--"], account.pw_uid)


def _unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI must test PostgreSQL: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Folder of the socket of a PostgreSQL server of our own, gone after the tests."""
    initdb, pg_ctl, account = _binary("initdb"), _binary("pg_ctl"), _unprivileged()
    if initdb is None or pg_ctl is None:
        _unavailable("initdb and pg_ctl are not installed")
    if account is None:
        _unavailable("running as root without a postgres account to start the server as")
    assert initdb and pg_ctl and account
    prefix, uid = account
    folder = Path(tempfile.mkdtemp(prefix="fl-pg-"))  # short: a socket's path has 107 characters
    os.chown(folder, uid, -1)
    data = str(folder / "data")

    def call(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, capture_output=True, cwd=folder)

    try:
        call(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        call(pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield str(folder)
        call(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_postgres_url(postgres_server: str) -> Callable[[], str]:
    """Makes an empty database in the server and returns its URL."""
    number = count()

    def make() -> str:
        name = f"test_{next(number)}"
        admin = f"postgresql+psycopg://postgres@/postgres?host={postgres_server}"
        engine = sa.create_engine(admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"postgresql+psycopg://postgres@/{name}?host={postgres_server}"

    return make


@pytest.fixture(params=["sqlite", POSTGRES])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table, once for each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fairloop.db'}"
    return request.getfixturevalue("new_postgres_url")()


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """A migrated database, once for each kind of database."""
    migrate.upgrade(empty_url)
    opened = open_database(empty_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database."""
    url = f"sqlite:///{tmp_path / 'one.db'}"
    migrate.upgrade(url)
    opened = open_database(url)
    yield opened
    opened.close()
