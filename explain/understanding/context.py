"""What an utterance may refer to, and what it can come to besides wishes."""

from typing import Literal

from ..evidence import Record
from ..refinement import Refinement, Wishes

QuestionKind = Literal["why", "why_not", "compare", "describe", "wishes"]


class Question(Record):
    """What a person wants to know.

    Attributes:
        kind: Why an item is there, why one is not, how items compare, what an item is, or which
            wishes hold.
        items: Ids of the items it is about; empty for the whole list, or where ``missing``.
        missing: Whether it is about an item that could not be told.
    """

    kind: QuestionKind
    items: tuple[str, ...] = ()
    missing: bool = False


class Option(Record):
    """One of the things that a person may have meant.

    Attributes:
        name: As it is offered.
        value: Id of the item, or the era.
        year: Of the item, or the era's first; "the older one" chooses by it.
        refinement: The wish, if this was meant.
    """

    name: str
    value: str
    year: int | None
    refinement: Refinement


class Clarification(Record):
    """A question back.

    Attributes:
        about: The words that fit several things.
        options: What they fit, best known first.
    """

    about: str
    options: tuple[Option, ...]


class Context(Record):
    """What was said and shown before.

    Attributes:
        shown: Ids of the last list, from the top; for "the second one".
        focus: Id of the item that was spoken of last; for "it".
        wishes: The wishes that hold; for "forget the horror thing".
        asked: The question back that waits for an answer.
    """

    shown: tuple[str, ...] = ()
    focus: str | None = None
    wishes: Wishes = Wishes()
    asked: Clarification | None = None


class TakenBack(Record):
    """Wishes that no longer hold.

    Attributes:
        wishes: Each of them, in the field it stood in.
        last_turn: Whether the last turn's wishes go as a whole.
    """

    wishes: Refinement = Refinement()
    last_turn: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is taken back."""
        return self == TakenBack()
