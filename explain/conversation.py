"""One turn of a conversation: what was said, as wishes; and an answer that says what was heard."""

from collections.abc import Sequence

from ..candidates.catalogue import Catalogue
from .echo import echoed
from .refinement import describe
from .sanitise import clean_text
from .understanding.context import Clarification, Context
from .understanding.parser import Parser
from .understanding.turn import ParsedTurn

_SHOWN_IN_REPLY = 3
_KEPT_PARSERS = 4
_parsers: dict[int, Parser] = {}


def parser_of(catalogue: Catalogue) -> Parser:
    """The parser by rules of a catalogue, built once; the last four are kept."""
    held = _parsers.get(id(catalogue))
    if held is None:
        held = Parser(catalogue)
        while len(_parsers) >= _KEPT_PARSERS:
            _parsers.pop(next(iter(_parsers)), None)
        _parsers[id(catalogue)] = held  # keeps the catalogue, so its id stays its own
    return held


def parse_utterance(text: str, catalogue: Catalogue, context: Context | None = None) -> ParsedTurn:
    """Read an utterance by rules alone; see `Parser.read`.

    Raises:
        InvalidValue: The text is empty or longer than 1,000 characters.
    """
    return parser_of(catalogue).read(text, context)


def reply_text(turn: ParsedTurn, catalogue: Catalogue, titles_shown: Sequence[str] = ()) -> str:
    """An answer made of what was understood, and of what was not; nothing else is said.

    Args:
        turn: The parsed utterance; questions are answered by ``answers``.
        catalogue: The items, for their titles.
        titles_shown: Titles of the slate that follows, if there is one.
    """
    if turn.intent == "small_talk":
        return "Hello. Tell me what you want more or less of, and I will change the list."
    if turn.intent == "out_of_scope":
        return (
            "I can only help you choose from the list, and explain it. Its rules, and what other "
            "people do, are not part of this conversation."
        )
    if turn.intent == "question":
        return "Which one do you mean? Name its title, or say “the second one”."
    if turn.intent == "unknown":
        missed = f" ({_quoted(turn.not_understood)})" if turn.not_understood else ""
        return (
            f"I did not understand that{missed}. Try “no horror”, “before 1990”, “less popular” "
            "or “more like” and a title."
        )
    parts = list(_heard(turn, catalogue))
    if titles_shown:
        parts.append(f"The list now begins with {_titles(titles_shown[:_SHOWN_IN_REPLY])}.")
    if turn.unclear is not None:
        parts.append(_question_back(turn.unclear))
    return " ".join(parts)


def _heard(turn: ParsedTurn, catalogue: Catalogue) -> list[str]:
    parts = ["I forgot your earlier wishes."] if turn.refinement.reset else []
    if turn.taken_back.last_turn:
        parts.append("I took back your last wish.")
    gone = describe(turn.taken_back.wishes, catalogue)
    if gone:
        parts.append(f"No longer asked for: {', '.join(gone)}.")
    if turn.understood:
        parts.append(f"Understood: {', '.join(describe(turn.refinement, catalogue))}.")
    if turn.corrected:
        parts.append(f"I took it that you meant {_titles(turn.corrected)}.")
    for guess in turn.guessed:
        meant, phrase = clean_text(guess.meant, 80), echoed(guess.phrase)
        parts.append(f"I took “{phrase}” for {meant}; say so if that is wrong.")
    if turn.not_understood:
        parts.append(f"I did not understand {_quoted(turn.not_understood)}.")
    return parts


def _question_back(asked: Clarification) -> str:
    *first, last = (clean_text(option.name, 80) for option in asked.options)
    return f"Which one do you mean by “{echoed(asked.about)}”: {', '.join(first)} or {last}?"


def _quoted(runs: Sequence[str]) -> str:
    return ", ".join(f"“{run}”" for run in runs)


def _titles(titles: Sequence[str]) -> str:
    return ", ".join(f'"{clean_text(title, 80)}"' for title in titles)
