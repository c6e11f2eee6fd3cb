"""``fairloop evaluate conversation``: is what is asked for understood, and honoured?"""

from enum import StrEnum
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ...explain.utterances.load import Split
from ...explain.utterances.score import Scores
from ..evaluation.conversation import evaluate_conversation
from ..evaluation.conversation_report import ConversationEvaluation, ReadBy
from ..recommender import open_recommender
from .context import opened
from .output import Json, number, show, stages, wide


class Half(StrEnum):
    """Which half of the utterances."""

    DEV = "dev"
    TEST = "test"


class Reads(StrEnum):
    """Whether phrases are compared by meaning."""

    NONE = "none"
    EMBEDDED = "embedded"


def conversation_command(
    split: Annotated[Half, typer.Option(help="Half of the utterance set.")] = Half.TEST,
    model: Annotated[
        Reads,
        typer.Option(help="'embedded': phrases are compared by meaning; 'none': rules alone."),
    ] = Reads.EMBEDDED,
    users: Annotated[int, typer.Option(help="Users of the population.", min=1)] = 300,
    seekers: Annotated[
        int, typer.Option(help="Simulated users who look for one item.", min=1)
    ] = 200,
    seed: Annotated[int, typer.Option(help="Root of all choices.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Read the utterance set, and hold conversations over the deployed candidates."""
    half: Split = "dev" if split is Half.DEV else "test"
    reads: ReadBy = "none" if model is Reads.NONE else "embedded"
    with opened() as house, stages() as progress:
        recommender = open_recommender(house.settings, house.database)
        found = evaluate_conversation(recommender, half, reads, users, seekers, seed, progress)
    show(found, as_json, lambda console: render(console, found))


def render(console: Console, found: ConversationEvaluation) -> None:
    """Print an evaluation for people."""
    wide(console)
    console.print(
        f"{found.overall.n} utterances ({found.split}), read by rules"
        f"{f' and {found.encoder}' if found.encoder else ' alone'}; candidates {found.candidates}"
    )
    table = Table("kind", "n", "exact", "precision", "recall", "F1", "intents", box=SIMPLE_HEAD)
    for kind, scores in (*found.by_kind.items(), ("all", found.overall)):
        table.add_row(kind, *_cells(scores))
    console.print(table)
    _render_population(console, found)
    for people in found.simulated:
        recall = people.by_turn[-1].recall
        console.print(
            f"{people.served_by}: {people.people} simulated users, {number(people.success)} found "
            f"their item in {people.k}, after {number(people.turns_to_success, 2)} wishes; recall "
            f"at 1/10/50 at the end {' / '.join(number(value) for value in recall.values())}"
        )
    console.print(
        f"reading {found.reading.p50_ms:.1f} ms (p95 {found.reading.p95_ms:.1f}), "
        f"ranking {found.ranking.p50_ms:.1f} ms (p95 {found.ranking.p95_ms:.1f})"
    )


def _render_population(console: Console, found: ConversationEvaluation) -> None:
    population, honoured = found.population, found.population.honoured
    console.print(
        f"{population.turns} turns of {population.users} users: {honoured.violations} items "
        f"break a hard wish in {honoured.slates} lists; {number(honoured.as_meant)} of the lists "
        f"are as it was meant; {honoured.refused} turns refused"
    )
    table = Table(
        "limit", "target", "top-k", "with wishes", population.served_by, "with wishes", "met",
        "out of reach", box=SIMPLE_HEAD,
    )  # fmt: skip
    for limit in population.limits:
        levels = (limit.target, limit.top_k, limit.top_k_with_wishes, limit.served)
        table.add_row(
            limit.limit,
            *map(number, levels),
            number(limit.served_with_wishes),
            {None: "–", True: "yes", False: "no"}[limit.met],
            number(limit.out_of_reach),
        )
    console.print(table)


def _cells(scores: Scores) -> tuple[str, ...]:
    values = (scores.exact, scores.precision, scores.recall, scores.f1, scores.intents)
    return str(scores.n), *map(number, values)
