"""What Alembic runs: connects and applies the migrations in one transaction.

``fairloop db upgrade`` hands its connection over; the ``alembic`` command of a developer, with the
``alembic.ini`` at the root, connects to the database of the settings.
"""

from alembic import context
from sqlalchemy import Connection

from ..settings import load_settings
from .engine import open_database
from .tables import metadata


def run() -> None:
    """Apply the migrations that were asked for, or print their SQL in Alembic's offline mode."""
    given = context.config.attributes.get("connection")
    if context.is_offline_mode():
        context.configure(url=load_settings().url, target_metadata=metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
    elif given is not None:
        _migrate(given)
    else:
        _connect_and_migrate()


def _connect_and_migrate() -> None:
    database = open_database(load_settings().url)
    try:
        with database.engine.begin() as connection:
            _migrate(connection)
    finally:
        database.close()


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,  # true of SQLite as well, since we begin its transactions
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
