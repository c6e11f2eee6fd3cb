"""Whom or what is meant: "the second one", "the last two", "it", or a title."""

import re
from dataclasses import dataclass

from ..linking import NamedItem, TitleIndex
from .context import Context

_ORDINALS = {
    "first": 1, "1st": 1, "one": 1, "1": 1, "top": 1, "second": 2, "2nd": 2, "two": 2, "2": 2,
    "third": 3, "3rd": 3, "three": 3, "3": 3, "fourth": 4, "4th": 4, "four": 4, "4": 4,
    "fifth": 5, "5th": 5, "five": 5, "5": 5, "sixth": 6, "6th": 6, "six": 6, "6": 6,
    "seventh": 7, "7th": 7, "seven": 7, "7": 7, "eighth": 8, "8th": 8, "eight": 8, "8": 8,
    "ninth": 9, "9th": 9, "nine": 9, "9": 9, "tenth": 10, "10th": 10, "ten": 10, "10": 10,
    "last": -1, "bottom": -1,
}  # fmt: skip
_NTH = "|".join(word for word in _ORDINALS if not word.isdigit() and word not in ("one", "two"))
_NOUN = r"(?:ones?|films?|movies?|titles?|items?|picks?|suggestions?|recommendations?)"
_END = (
    r"(?= ?(?:[,.;!?]|$|and |or |but |is |was |are |were |differ|have |has |with |from |than |"
    r"again|last |yesterday|already|at |on |in |there|here|before|very |too |so |please|for ))"
)
_SEVERAL = re.compile(rf"(?:the )?(?P<end>first|last|top) (?P<count>two|three|2|3)(?: {_NOUN})?")
_ONE = re.compile(
    rf"(?:the )?(?:(?:number|no|nr|item|#) (?P<number>\d{{1,2}}|[a-z]+)|"
    rf"(?P<nth>{_NTH})(?: {_NOUN})?){_END}"
)
_IT = re.compile(
    rf"(?:it|that one|this one|that {_NOUN}|this {_NOUN}|that|this)(?!\w)"
    r"(?! (?:about|with|where|in which|who))"
)


@dataclass(frozen=True, slots=True)
class References:
    """Resolves references to items in one context."""

    titles: TitleIndex
    context: Context

    def pointing(
        self, text: str, place: int, focus: str | None
    ) -> tuple[tuple[str, ...], int] | None:
        """Items pointed at ("the second one", "it") at this place, and where the words end.

        Args:
            text: Plain text.
            place: Where to look.
            focus: The item spoken of last.
        """
        shown = self.context.shown
        several = _SEVERAL.match(text, place)
        if several and shown:
            count = _ORDINALS[several["count"]]
            return (shown[-count:] if several["end"] == "last" else shown[:count]), several.end()
        one = _ONE.match(text, place)
        if one and shown:
            position = _ORDINALS.get(one["number"] or one["nth"])
            if position is not None and position <= len(shown):
                return (shown[position - 1 if position > 0 else position],), one.end()
        it = _IT.match(text, place)
        if it and focus is not None:
            return (focus,), it.end()
        return None

    def named(self, words: str) -> str | None:
        """The one item that all of the words name or point at; None where there is none."""
        words = words.strip(" ,.;!?")
        if not words:
            return None
        pointed = self.pointing(words, 0, self.context.focus)
        if pointed is not None and pointed[1] == len(words):
            return pointed[0][0] if len(pointed[0]) == 1 else None
        found = self.title(words)
        return found.item_id if found else None

    def title(self, words: str) -> NamedItem | None:
        """The item whose title the words are, through typos."""
        year = re.search(r" (?:from |of )?((?:18|19|20)\d\d)$", words)
        if year and (dated := self.titles.find(words[: year.start()], int(year[1]))):
            return dated
        return self.titles.find(words)
