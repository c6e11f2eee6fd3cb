"""``fairloop db``: the schema of the SQL store."""

from typing import Any

import typer
from rich.console import Console

from ..db import migrate
from ..home import Home
from ..settings import load_settings
from .output import Json, show

app = typer.Typer(help="The schema of the SQL store.", no_args_is_help=True, add_completion=False)


@app.command()
def upgrade(as_json: Json = False) -> None:
    """Bring the database to the schema that this version needs."""
    settings = load_settings()
    Home.of(settings).ensure()
    before = migrate.current(settings.url)
    migrate.upgrade(settings.url)
    _state(as_json, before)


@app.command()
def current(as_json: Json = False) -> None:
    """Show at which schema version the database is."""
    _state(as_json, migrate.current(load_settings().url))


def _state(as_json: bool, before: str | None) -> None:
    now = migrate.current(load_settings().url)
    result: dict[str, Any] = {"before": before, "current": now, "needed": migrate.HEAD}

    def render(console: Console) -> None:
        console.print(f"schema {now or 'none'}, this version needs {migrate.HEAD}")

    show(result, as_json, render)
