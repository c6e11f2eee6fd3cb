"""Bringing a database to the schema that this code needs.

The migrations stand in ``fairloop.migrations`` and are found through the package, so that they run
from an installed wheel as well as from a checkout.
"""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from ... import migrations
from ...errors import NotMigrated
from .engine import Database, named_error, open_database, sqlite_file_is_missing

COMMAND = "fairloop db upgrade"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


HEAD = str(ScriptDirectory.from_config(_config()).get_current_head())
"""The revision that this code needs."""


def upgrade(url: str, revision: str = "head") -> str:
    """Migrate up to ``revision`` and return where the database now stands.

    All steps are one transaction: an upgrade that fails leaves the database as it was.

    Raises:
        StorageFull: The disk is full; the database is as it was.
        NotReady: The database cannot be reached.
    """
    if sqlite_file_is_missing(url):
        Path(str(make_url(url).database)).parent.mkdir(parents=True, exist_ok=True)
    _run(url, lambda config: command.upgrade(config, revision))
    return current(url) or "empty"


def downgrade(url: str, revision: str = "base") -> str:
    """Migrate down to ``revision`` and return where the database now stands."""
    _run(url, lambda config: command.downgrade(config, revision))
    return current(url) or "empty"


def current(url: str) -> str | None:
    """The revision of the database; None where it was never migrated."""
    if sqlite_file_is_missing(url):
        return None
    database = open_database(url)
    try:
        return _revision_of(database)
    finally:
        database.close()


def require_migrated(database: Database) -> None:
    """Refuse a database whose schema is not the one this code needs.

    Raises:
        NotMigrated: It was never migrated, or stands at another revision.
        NotReady: It cannot be reached.
    """
    url = database.engine.url.render_as_string(hide_password=False)
    found = None if sqlite_file_is_missing(url) else _revision_of(database)
    if found != HEAD:
        raise NotMigrated(
            f"the database is at revision {found or 'none'}, this version needs {HEAD}",
            field="FAIRLOOP_DATABASE_URL",
            mend=f"Run `{COMMAND}`.",
        )


def _revision_of(database: Database) -> str | None:
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise named_error(error) from error


def _run(url: str, step: Callable[[Config], None]) -> None:
    database = open_database(url)
    config = _config()
    try:
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            step(config)
    except OperationalError as error:
        raise named_error(error) from error
    finally:
        database.close()
