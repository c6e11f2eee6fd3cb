"""What an evaluation of conversations reports."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ...explain.utterances.load import Split
from ...explain.utterances.score import Scores

ReadBy = Literal["none", "embedded"]


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True)


class Latency(_Figures):
    """Milliseconds of one step; each was timed once, on a machine that does other things too."""

    n: int
    p50_ms: float
    p95_ms: float


class Honoured(_Figures):
    """Hard wishes against what was shown, by plain loops over the catalogue.

    Attributes:
        slates: Lists that were made under wishes.
        violations: Items in them that break a hard wish as it was understood.
        refused: Turns whose wishes left too few candidates; they are not adopted, and said so.
        as_meant: Share of the lists without an item that breaks a hard wish as it was *meant*:
            errors of reading count here.
    """

    slates: int
    violations: int
    refused: int
    as_meant: float


class LimitLevels(_Figures):
    """Mean level of one limit over all lists of the population.

    Attributes:
        limit: Its name.
        target: The least level; None where there is none.
        top_k: By the base model's order, without wishes.
        top_k_with_wishes: By the base model's order, with them.
        served: By what serves, without wishes.
        served_with_wishes: By what serves, with them.
        met: Whether the last is at or above the target.
        out_of_reach: Share of the lists with wishes whose candidates can't reach the target alone.
    """

    limit: str
    target: float | None
    top_k: float
    top_k_with_wishes: float
    served: float
    served_with_wishes: float
    met: bool | None
    out_of_reach: float


class Population(_Figures):
    """Conversations of many users under random wishes of the set."""

    users: int
    turns: int
    served_by: str
    honoured: Honoured
    limits: tuple[LimitLevels, ...]


class UserTurn(_Figures):
    """Where the targets stand after so many wishes; turn 0 is before the first."""

    turn: int
    recall: dict[str, float]


class SimulatedUser(_Figures):
    """People who look for one item, of which they know the attributes and never the title.

    Attributes:
        people: How many.
        reachable: Share of held-out items that are candidates of their user at all; only those
            are looked for.
        success: Share who found it in the list of ``k`` within the turns.
        turns_to_success: Mean number of wishes said by those who found it.
        by_turn: Recall at 1, 10 and 50 after each wish; a person who found it stays.
        lost: Share whose target was ruled out by a wish that was misread or by a missing attribute.
    """

    people: int
    served_by: str
    k: int
    reachable: float
    success: float
    turns_to_success: float
    by_turn: tuple[UserTurn, ...]
    lost: float


class ConversationEvaluation(_Figures):
    """Everything measured of conversations.

    Attributes:
        split: Which half of the utterances.
        seed: Root of all choices.
        model: ``embedded`` where phrases are compared by meaning, ``none`` for rules alone.
        encoder: What compares them.
        candidates: Version of what was ranked.
        overall: Scores of reading.
        by_kind: The same by kind of utterance.
        population: Conversations of many users.
        simulated: The simulated users, by what serves and by the base order.
        reading: Latency of reading an utterance.
        ranking: Latency of ranking one list under wishes, without its texts.
    """

    split: Split
    seed: int
    model: ReadBy
    encoder: str | None
    candidates: str
    overall: Scores
    by_kind: dict[str, Scores]
    population: Population
    simulated: tuple[SimulatedUser, ...]
    reading: Latency
    ranking: Latency
