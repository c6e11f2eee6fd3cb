"""``fairloop recommend``: one user's slate, explained and recorded."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from ...explain.conversation import parse_utterance
from ..recommender import open_recommender
from ..records import Recommendation, RecommendedItem
from ..wording import make_explainer
from .context import opened
from .output import Json, show

app = typer.Typer(add_completion=False)


@app.command()
def recommend(
    user: Annotated[str, typer.Argument(help="Public id of the user.")],
    k: Annotated[int | None, typer.Option(help="Slate length.", min=1)] = None,
    wish: Annotated[str | None, typer.Option(help="A wish in words, such as 'no horror'.")] = None,
    explain: Annotated[bool, typer.Option(help="Explain each item.")] = True,
    as_json: Json = False,
) -> None:
    """Recommend to one user, explain, and record it."""
    with opened() as house:
        explainer = make_explainer(house.settings)
        recommender = open_recommender(house.settings, house.database, explainer)
        refinement = parse_utterance(wish, recommender.catalogue).refinement if wish else None
        result = recommender.recommend(user, k, refinement, explain)
    show(result, as_json, lambda console: render(console, result))


def render(console: Console, result: Recommendation) -> None:
    """Print a slate for people."""
    console.print(
        f"For user {escape(result.user_id)}, by {result.policy_version} [dim]{result.id}[/dim]"
    )
    for item in result.items:
        render_title(console, item)
        if item.explanation is not None:
            render_text(console, item.explanation.text, item.explanation.source)


def render_title(console: Console, item: RecommendedItem) -> None:
    """Print one position of a slate."""
    year = f" ({item.year})" if item.year is not None else ""
    topics = ", ".join(item.topics)
    console.print(
        f"{item.position:>3}. [bold]{escape(item.title)}[/bold]{year} [dim]{topics}[/dim]"
    )


def render_text(console: Console, text: str, source: str, lead: str = "     ") -> None:
    """Print why, and who worded it."""
    console.print(f"{lead}{escape(text)} [dim]({source.replace('_', ' ')})[/dim]")
