"""What a conversation keeps from one turn to the next."""

from collections.abc import Mapping
from typing import Any

from ..evidence import Record
from ..refinement import Refinement, Wishes
from .context import Clarification, Context
from .turn import ParsedTurn


class Memory(Record):
    """The stack of wishes, what was spoken of last, and the question that waits for an answer.

    Attributes:
        refinements: The stack of wishes, oldest first.
        focus: Id of the item that was spoken of last.
        asked: The question back that waits for an answer.
    """

    refinements: tuple[Refinement, ...] = ()
    focus: str | None = None
    asked: Clarification | None = None

    @classmethod
    def stored(cls, kept: Mapping[str, Any]) -> "Memory":
        """From its JSON, or that of one refinement, as it was kept before there were stacks."""
        if not kept or "refinements" in kept:
            return cls.model_validate(kept)
        return cls(refinements=Wishes.stored(kept).refinements)

    @property
    def wishes(self) -> Wishes:
        """The stack."""
        return Wishes(refinements=self.refinements)

    def context(self, shown: tuple[str, ...]) -> Context:
        """What the next utterance may refer to, with the ids of the list before the person."""
        return Context(shown=shown, focus=self.focus, wishes=self.wishes, asked=self.asked)

    def after(self, turn: ParsedTurn) -> "Memory":
        """The memory after a turn; a question back waits for one turn only."""
        return Memory(
            refinements=turn.wishes_after(self.wishes).refinements,
            focus=_focus(turn) or self.focus,
            asked=turn.unclear,
        )

    def dump(self) -> dict[str, Any]:
        """As JSON; what is not there is left out."""
        kept: dict[str, Any] = {
            "refinements": [one.model_dump(mode="json") for one in self.refinements]
        }
        if self.focus is not None:
            kept["focus"] = self.focus
        if self.asked is not None:
            kept["asked"] = self.asked.model_dump(mode="json")
        return kept


def _focus(turn: ParsedTurn) -> str | None:
    """The item that a turn speaks of; None where it speaks of none, or of several."""
    said = turn.refinement
    named = {*said.like_items, *said.dislike_items, *said.exclude_items}
    if turn.question is not None:
        named = set(turn.question.items)
    return named.pop() if len(named) == 1 else None
