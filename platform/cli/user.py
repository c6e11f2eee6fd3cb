"""``fairloop user``: what is on record about one user, shown and erased."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ...errors import InvalidValue
from ..records import PreferencesRecord
from ..store.erasure import erase_user, user_data
from ..store.preferences import get_preferences, withdraw_consent
from .context import opened
from .output import Json, show

app = typer.Typer(
    help="What is on record about one user.", no_args_is_help=True, add_completion=False
)

UserId = Annotated[str, typer.Argument(help="Public id of the user.")]

LEFT = (
    "Imported data sets and candidate versions on disk still hold this user's interactions: import "
    "the data without them and fit again to be rid of those."
)


@app.command("show")
def show_user(user: UserId, as_json: Json = False) -> None:
    """Everything on record about a user; with --json every row, else how many."""
    with opened() as house, house.database.reading() as session:
        found = user_data(session, user)
        kept = get_preferences(session, user)
    show(found, as_json, lambda console: _render(console, found, kept))


@app.command()
def withdraw(user: UserId, as_json: Json = False) -> None:
    """Take back a user's consent to keep preferences, and delete them."""
    with opened() as house, house.database.session() as session:
        withdrawn = withdraw_consent(session, user)
        kept = get_preferences(session, user)
    said = "Consent withdrawn." if withdrawn else "There was no consent to withdraw."
    show(kept, as_json, lambda console: console.print(said))


@app.command()
def erase(
    user: UserId,
    yes: Annotated[bool, typer.Option("--yes", help="Needed: it cannot be undone.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is on record about a user; slates stay, under the id of nobody."""
    if not yes:
        raise InvalidValue(
            "erasing cannot be undone", field="--yes", mend="Add --yes if you mean it."
        )
    with opened() as house, house.database.session() as session:
        counts = erase_user(session, user)
    result: dict[str, Any] = {"erased": counts, "left": LEFT}

    def render(console: Console) -> None:
        console.print(_counts("Erased", counts))
        console.print(LEFT)

    show(result, as_json, render)


def _render(
    console: Console, found: dict[str, list[dict[str, Any]]], kept: PreferencesRecord
) -> None:
    console.print(_counts("On record", {name: len(rows) for name, rows in found.items()}))
    consent = "allowed" if kept.consent else "not allowed"
    console.print(f"Keeping preferences is {consent}; kept: {kept.refinement or 'nothing'}.")


def _counts(title: str, counts: dict[str, int]) -> Table:
    table = Table(title=title)
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, n in counts.items():
        table.add_row(name, f"{n:,}")
    return table
