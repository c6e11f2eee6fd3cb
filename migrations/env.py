"""Run by Alembic: connects and applies the migrations in one transaction.

``fairloop db upgrade`` hands its connection over; the ``alembic`` command of a developer, with the
``alembic.ini`` at the root, connects to the database of the settings. Alembic loads this file by
its path and not as a part of the package, so its imports are absolute.
"""

from alembic import context
from fairloop.platform.db.engine import open_database
from fairloop.platform.db.tables import metadata
from fairloop.platform.settings import load_settings
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Apply what was asked for over an open connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,  # true of SQLite as well, since we begin its transactions
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def connect_and_migrate() -> None:
    """Apply what was asked for to the database of the settings."""
    database = open_database(load_settings().url)
    try:
        with database.engine.begin() as connection:
            migrate(connection)
    finally:
        database.close()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(url=load_settings().url, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    migrate(given)
else:
    connect_and_migrate()
