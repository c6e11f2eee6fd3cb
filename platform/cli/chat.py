"""``fairloop chat``: recommendations refined in conversation."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.markup import escape

from ..following import follow
from ..recommender import Recommender, open_recommender
from ..records import Recommendation, Turn
from ..store.recommendations import get_recommendation
from ..wording import make_explainer, make_rewording
from .context import opened
from .output import Json, out, show
from .recommend import render, render_text, render_title

app = typer.Typer(add_completion=False)


@app.command()
def chat(
    user: Annotated[str, typer.Argument(help="Public id of the user.")],
    say: Annotated[
        list[str] | None, typer.Option("--say", help="Say this instead of reading; repeatable.")
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(help="With --json: wait until the model has worded each explanation."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Talk until an empty line; each turn and what it changed is recorded.

    Answer and slate come at once; each explanation follows when the model has worded it and it
    passed the check.
    """
    with opened() as house, contextlib.ExitStack() as at_end:
        explainer = make_explainer(house.settings)
        later = make_rewording(house.settings, house.database, explainer)
        if later is not None:
            at_end.callback(later.close)
        recommender = open_recommender(house.settings, house.database, explainer, later)
        conversation = recommender.start_conversation(user)
        turns: list[Turn] = []
        for text in say or _lines(as_json):
            turn = recommender.chat(conversation, text)
            if not as_json:
                _print(recommender, turn)
            turns.append(_awaited(recommender, turn) if as_json and wait else turn)
        result: dict[str, Any] = {
            "conversation_id": conversation,
            "turns": [turn.model_dump(mode="json") for turn in turns],
        }
        # Before the end of the block, which may wait a moment for a text that is being worded.
        show(result, as_json, lambda out: out.print(f"[dim]conversation {conversation}[/dim]"))
        sys.stdout.flush()


def _print(recommender: Recommender, turn: Turn) -> None:
    """The answer, the slate, and each explanation as it becomes final."""
    out.print(escape(turn.reply))
    slate = turn.recommendation
    if slate is None:
        return
    if recommender.later is None:
        render(out, slate)
        return
    titles = {item.item_id: item for item in slate.items}
    for item in slate.items:
        render_title(out, item)
    for wording in follow(recommender.database, recommender.later, slate.id):
        render_text(out, wording.text, wording.source, f"{titles[wording.item_id].position:>3}. ")


def _awaited(recommender: Recommender, turn: Turn) -> Turn:
    """The turn with the final texts."""
    if turn.recommendation is None:
        return turn
    key = turn.recommendation.id
    for _ in follow(recommender.database, recommender.later, key):
        pass
    with recommender.database.reading() as session:
        final: Recommendation = get_recommendation(session, key)
    return turn.model_copy(update={"recommendation": final})


def _lines(as_json: bool) -> Iterator[str]:
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
