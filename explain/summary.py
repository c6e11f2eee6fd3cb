"""A long conversation in a few sentences, made of what was recorded and of nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..candidates.catalogue import Catalogue
from .refinement import Refinement, describe

MAX_PHRASES = 12
"""Wishes that a summary spells out; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one message of the user came to.

    Attributes:
        intent: What it was taken for.
        refinement: The wishes that were read from it.
    """

    intent: str | None
    refinement: Refinement


def summarise(told: Sequence[Told], n_slates: int, catalogue: Catalogue) -> str:
    """What the user asked for and said of items, oldest first.

    Args:
        told: The user's messages.
        n_slates: Lists that were shown in answer to them.
        catalogue: The items, for their titles.
    """
    asked: list[str] = []
    said: list[str] = []
    for one in told:
        if one.refinement.reset:
            asked.append("to start over")
        phrases = describe(one.refinement, catalogue)
        (said if one.intent == "feedback" else asked).extend(phrases)
    questions = sum(one.intent == "question" for one in told)
    parts = [f"You wrote {_counted(len(told), 'message')}."]
    if asked:
        parts.append(f"You asked: {_listed(asked)}.")
    if said:
        parts.append(f"You said of titles: {_listed(said)}.")
    if questions:
        parts.append(f"You had {_counted(questions, 'question')}.")
    parts.append(f"I showed {_counted(n_slates, 'list')}.")
    return " ".join(parts)


def _listed(phrases: Sequence[str]) -> str:
    shown = list(dict.fromkeys(phrases))
    rest = len(shown) - MAX_PHRASES
    text = "; ".join(shown[:MAX_PHRASES])
    return text if rest <= 0 else f"{text}; and {rest} more"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
