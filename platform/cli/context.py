"""What a command opens before it starts: settings, home folder, database."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass

from ..db.engine import Database, open_database
from ..db.migrate import require_migrated, upgrade
from ..home import Home
from ..settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened home folder."""

    settings: Settings
    home: Home
    database: Database


@contextlib.contextmanager
def opened(*, create: bool = False) -> Generator[Opened]:
    """Open the home folder that the settings name, and close its database afterwards.

    Args:
        create: Make the folder and its database where they are missing: for the commands a
            newcomer starts with. An existing database is never migrated without being asked.

    Raises:
        NotMigrated: The database is missing or at another version.
    """
    settings = load_settings()
    home = Home.of(settings)
    if create:
        home.ensure()
        if settings.database_url is None and not home.database.exists():
            upgrade(settings.url)
    database = open_database(settings.url)
    try:
        require_migrated(database)
        yield Opened(settings, home, database)
    finally:
        database.close()
