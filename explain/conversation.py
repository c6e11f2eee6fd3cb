"""One turn of a conversation: what was said, as wishes; and an answer that says what was heard."""

from collections.abc import Sequence
from typing import Literal

from ..candidates.catalogue import Catalogue
from ..errors import InvalidValue
from .evidence import Record
from .lexicon import QUESTION, SMALL_TALK, plain_text
from .linking import TitleIndex
from .parsing import Reader
from .refinement import Refinement, describe
from .sanitise import clean_text

MAX_UTTERANCE = 1000
"""Characters of an utterance; a longer one is refused."""

Intent = Literal["refine", "feedback", "question", "reset", "small_talk", "unknown"]

_FEEDBACK = frozenset({"liked", "dislike", "seen"})
_ITEM_WISHES = frozenset({"like_items", "dislike_items", "exclude_items"})
_SHOWN_IN_REPLY = 3


class ParsedTurn(Record):
    """What was understood of an utterance.

    Attributes:
        refinement: The wishes; empty where there are none.
        understood: One phrase per wish.
        not_understood: Runs of words that no rule reads.
        corrected: Titles that were taken from a misspelt name.
        intent: What the utterance is.
    """

    refinement: Refinement
    understood: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    intent: Intent


def parse_utterance(text: str, catalogue: Catalogue) -> ParsedTurn:
    """Read an utterance by rules.

    Raises:
        InvalidValue: The text is empty or longer than 1,000 characters.
    """
    if not text.strip() or len(text) > MAX_UTTERANCE:
        raise InvalidValue(
            f"a message needs 1 to {MAX_UTTERANCE} characters, this one has {len(text.strip())}",
            field="text",
        )
    plain = plain_text(text)
    if SMALL_TALK.fullmatch(plain):
        return ParsedTurn(refinement=Refinement(), intent="small_talk")
    if QUESTION.match(plain):
        return ParsedTurn(refinement=Refinement(), intent="question")
    reader = Reader(text, catalogue, title_index(catalogue))
    return ParsedTurn(
        refinement=reader.refinement,
        understood=describe(reader.refinement, catalogue),
        not_understood=tuple(clean_text(run, 80) for run in reader.unread),
        corrected=tuple(item.title for item in reader.corrected),
        intent=_intent(reader, plain),
    )


def reply_text(turn: ParsedTurn, catalogue: Catalogue, titles_shown: Sequence[str] = ()) -> str:
    """An answer made of what was understood, and of what was not; nothing else is said.

    Args:
        turn: The parsed utterance.
        catalogue: The items, for their titles.
        titles_shown: Titles of the slate that follows, if there is one.
    """
    if turn.intent == "small_talk":
        return "Hello. Tell me what you want more or less of, and I will change the list."
    if turn.intent == "question":
        return "Each title in the list comes with its reason. I can't answer other questions yet."
    if turn.intent == "unknown":
        missed = f" ({_quoted(turn.not_understood)})" if turn.not_understood else ""
        return (
            f"I did not understand that{missed}. Try “no horror”, “before 1990”, “less popular” "
            "or “more like” and a title."
        )
    parts = ["I forgot your earlier wishes."] if turn.refinement.reset else []
    if turn.understood:
        parts.append(f"Understood: {', '.join(describe(turn.refinement, catalogue))}.")
    if turn.corrected:
        parts.append(f"I took it that you meant {_titles(turn.corrected)}.")
    if turn.not_understood:
        parts.append(f"I did not understand {_quoted(turn.not_understood)}.")
    if titles_shown:
        parts.append(f"The list now begins with {_titles(titles_shown[:_SHOWN_IN_REPLY])}.")
    return " ".join(parts)


_indices: dict[int, tuple[Catalogue, TitleIndex]] = {}
_KEPT_INDICES = 4


def title_index(catalogue: Catalogue) -> TitleIndex:
    """The index of a catalogue, built once; the last four are kept."""
    held = _indices.get(id(catalogue))
    if held is not None:
        return held[1]
    index = TitleIndex(catalogue)
    while len(_indices) >= _KEPT_INDICES:
        _indices.pop(next(iter(_indices)), None)
    _indices[id(catalogue)] = (catalogue, index)  # keeps the catalogue, so its id stays its own
    return index


def _intent(reader: Reader, plain: str) -> Intent:
    if reader.refinement.reset:
        return "reset"
    if reader.refinement.is_empty:
        return "question" if plain.endswith("?") else "unknown"
    about_items = {n for n, value in reader.refinement if value} <= _ITEM_WISHES
    return "feedback" if about_items and reader.cues <= _FEEDBACK else "refine"


def _quoted(runs: Sequence[str]) -> str:
    return ", ".join(f"“{run}”" for run in runs)


def _titles(titles: Sequence[str]) -> str:
    return ", ".join(f'"{clean_text(title, 80)}"' for title in titles)
