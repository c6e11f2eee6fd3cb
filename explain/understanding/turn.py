"""What an utterance was understood to say."""

from typing import Literal

from ..evidence import Record
from ..refinement import Refinement, Wishes
from .context import Clarification, Question, TakenBack

MAX_UTTERANCE = 1000
"""Characters of an utterance; a longer one is refused."""

Intent = Literal[
    "refine", "feedback", "question", "clarify", "reset", "small_talk", "out_of_scope", "unknown"
]


class Guess(Record):
    """A phrase that was taken for something by its meaning, not by its words.

    Attributes:
        phrase: What was said.
        meant: The topic or title it was taken for.
        by: What found it: the name of the encoder, or of the language model.
        score: Its cosine; None for a model's choice.
    """

    phrase: str
    meant: str
    by: str
    score: float | None = None


class ParsedTurn(Record):
    """What was understood of an utterance.

    Attributes:
        refinement: The wishes; empty where there are none.
        understood: One phrase per wish.
        not_understood: Runs of words that no rule reads.
        corrected: Titles that were taken from a misspelt name.
        intent: What the utterance is.
        question: What is asked, if something is.
        unclear: What must be asked back, if something must.
        taken_back: Earlier wishes that no longer hold.
        guessed: Phrases that were taken for something by their meaning.
        language: ISO code of the language, if it is one of those that are put into English.
    """

    refinement: Refinement
    understood: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    intent: Intent
    question: Question | None = None
    unclear: Clarification | None = None
    taken_back: TakenBack = TakenBack()
    guessed: tuple[Guess, ...] = ()
    language: str | None = None

    def wishes_after(self, before: Wishes) -> Wishes:
        """The stack after this turn."""
        left = before
        if self.taken_back.last_turn and before.refinements:
            left = left.remove(len(before.refinements) - 1)
        return left.without(self.taken_back.wishes).add(self.refinement)
