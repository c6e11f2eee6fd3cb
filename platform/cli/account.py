"""``fairloop account``: of an item, for who offers it; of an explanation, for auditors."""

from enum import StrEnum
from typing import Annotated

import typer

from ..accounts import account_for_auditor, account_for_provider
from ..recommender import open_recommender
from ..wording import template_explainer
from .context import opened
from .output import Json, show

app = typer.Typer(
    help="What was shown and why, for providers and auditors.",
    no_args_is_help=True,
    add_completion=False,
)


class Tongue(StrEnum):
    """Languages of the texts."""

    EN = "en"
    DE = "de"


Language = Annotated[Tongue, typer.Option(help="Of the text.")]


@app.command()
def item(
    item_id: Annotated[str, typer.Argument(help="Public id of the item.")],
    users: Annotated[int, typer.Option(help="Lists to count over.", min=20)] = 200,
    seed: Annotated[int, typer.Option(help="Of the draw of users.", min=0)] = 0,
    language: Language = Tongue.EN,
    as_json: Json = False,
) -> None:
    """Why an item is shown as often as it is: counts over lists made now, and not recorded."""
    with opened() as house:
        explainer = template_explainer(house.settings)
        recommender = open_recommender(house.settings, house.database, explainer)
        found = account_for_provider(
            recommender, item_id, users, seed=seed, language=language.value
        )
    show(found, as_json, lambda console: console.print(found.text, markup=False))


@app.command()
def explanation(
    explanation_id: Annotated[str, typer.Argument(help="Id of a recorded explanation.")],
    language: Language = Tongue.EN,
    as_json: Json = False,
) -> None:
    """Every number, rule and version behind a recommended item, on one line."""
    with opened() as house:
        found = account_for_auditor(house.database, explanation_id, language.value)
    show(found, as_json, lambda console: console.print(found.text, markup=False))
