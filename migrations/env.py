"""Alembic's entry: it loads this file by its path, not as a part of the package."""

from fairloop.platform.db.environment import (  # pyright: ignore[reportMissingImports] - pyright does not see through the editable install, and a relative import has no package here
    run,  # pyright: ignore[reportUnknownVariableType] - for the same reason
)

run()
