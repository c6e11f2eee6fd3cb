"""``fairloop chat``: recommendations refined in conversation."""

import sys
from typing import Annotated, Any

import typer
from rich.markup import escape

from ..recommender import Recommender, open_recommender
from ..records import Turn
from ..wording import make_explainer
from .context import opened
from .output import Json, out, show
from .recommend import render

app = typer.Typer(add_completion=False)


@app.command()
def chat(
    user: Annotated[str, typer.Argument(help="Public id of the user.")],
    say: Annotated[
        list[str] | None, typer.Option("--say", help="Say this instead of reading; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Talk until an empty line; each turn and what it changed is recorded."""
    with opened() as house:
        recommender = open_recommender(
            house.settings, house.database, make_explainer(house.settings)
        )
        conversation = recommender.start_conversation(user)
        turns = [
            _turn(recommender, conversation, text, quiet=as_json) for text in say or _lines(as_json)
        ]
    result: dict[str, Any] = {
        "conversation_id": conversation,
        "turns": [turn.model_dump(mode="json") for turn in turns],
    }
    show(result, as_json, lambda console: console.print(f"[dim]conversation {conversation}[/dim]"))


def _turn(recommender: Recommender, conversation: str, text: str, *, quiet: bool) -> Turn:
    turn = recommender.chat(conversation, text)
    if not quiet:
        out.print(escape(turn.reply))
        if turn.recommendation is not None:
            render(out, turn.recommendation)
    return turn


def _lines(as_json: bool) -> Any:
    """Lines from the terminal or a pipe, until an empty one or the end."""
    prompt = "> " if sys.stdin.isatty() and not as_json else ""
    while True:
        try:
            line = input(prompt).strip()
        except EOFError:
            return
        if not line:
            return
        yield line
