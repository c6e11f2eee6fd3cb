"""Reads titles, and what points at items, at one place of a text."""

import re
from dataclasses import dataclass

import numpy as np

from ...candidates.catalogue import Catalogue
from ..lexicon import FILLERS, TopicWords
from ..linking import NamedItem
from ..refinement import Refinement
from .context import Clarification, Option
from .references import References

ITEM_FIELDS = {
    "like_this": "like_items",
    "liked": "like_items",
    "dislike": "dislike_items",
    "unlike": "dislike_items",
    "exclude": "exclude_items",
    "seen": "exclude_items",
}
"""Which wish a title becomes, by what is said of it."""

TITLE_CUES = ("like_this", "liked", "dislike", "unlike", "seen")
"""After these a title may be misspelt, and mean several items."""

_WORD = re.compile(r"\w+")
_YEAR_OF_TITLE = re.compile(
    r",? (?:from |of |in |the one from |made in )?(?P<year>(?:18|19|20)\d\d)(?!\w)"
)
_DESCRIBED = re.compile(
    r"(?:the|that|this) (?:one|film|movie|picture|story)s? "
    r"(?:with|about|where|in which|set|featuring)\b"
)
_PRONOUNS = "this that these those it them him her you something anything what to a i me and or nor"
_NO_TITLE = frozenset(_PRONOUNS.split())
_LONGEST = 12
_MOST_OPTIONS = 4


@dataclass(frozen=True, slots=True)
class TitleFound:
    """What stands at a place.

    Attributes:
        items: Ids of the items.
        end: Where the words end.
        corrected: The item that a misspelt name was taken for.
        unclear: What to ask back where the words fit several items; then ``items`` is empty.
    """

    items: tuple[str, ...]
    end: int
    corrected: NamedItem | None = None
    unclear: Clarification | None = None


class TitleReader:
    """Finds titles and references in texts about one catalogue.

    Args:
        catalogue: The items.
        references: Resolves titles and "the second one".
        topics: Recognises topics, which titles must not swallow.
    """

    def __init__(self, catalogue: Catalogue, references: References, topics: TopicWords) -> None:
        self._catalogue, self._references, self._topics = catalogue, references, topics
        self._titles = references.titles

    def at(
        self, text: str, place: int, mode: str, focus: str | None, *, misspelt: bool
    ) -> TitleFound | None:
        """The items named or pointed at there; None where there are none.

        Args:
            text: Plain text.
            place: Where to look.
            mode: What is said of it; a key of `ITEM_FIELDS`.
            focus: The item spoken of last.
            misspelt: Whether a misspelt name counts: only right after what asks for one.
        """
        if mode not in (*TITLE_CUES, "exclude"):
            return None
        pointed = self._references.pointing(text, place, focus)
        if pointed is not None:
            return TitleFound(*pointed)
        if _DESCRIBED.match(text, place):
            return None  # "the one with the shark" is a description
        words = [match for match in _WORD.finditer(text, place)][:_LONGEST]
        if not words or words[0].start() != place or words[0][0] in _NO_TITLE:
            return None
        stop = re.compile(r"[,.;!?]| but ").search(text, place)
        limit = stop.start() if stop else len(text)
        names = [word[0] for word in words if word.end() <= limit]
        ends = [word.end() for word in words]
        several = self._several(text, place, names, ends, mode) if mode in TITLE_CUES else None
        return several or self._one(text, place, names, ends, mode, misspelt)

    def _one(
        self, text: str, place: int, names: list[str], ends: list[int], mode: str, misspelt: bool
    ) -> TitleFound | None:
        found = self._titles.longest_prefix(names, misspelt=False)
        if found is None and mode in TITLE_CUES and misspelt:
            found = self._titles.one_of_series(names) or self._titles.longest_prefix(names)
        if found is None:
            return None
        item, size = found
        topic = self._topics.match(text, place)
        # "I love westerns" is a topic; but "more like Alien" is the film.
        film = mode in ("like_this", "unlike") and item.exact
        if topic and topic[1] - film >= ends[size - 1]:
            return None
        if mode == "exclude" and (not item.exact or names[0] in FILLERS):
            return None
        dated = self._dated(text, names[:size], ends[size - 1])
        if dated is not None:
            return dated
        corrected = None if item.exact else item
        return TitleFound((item.item_id,), ends[size - 1], corrected)

    def _dated(self, text: str, names: list[str], end: int) -> TitleFound | None:
        """The item of that name and of the year that follows."""
        dated = _YEAR_OF_TITLE.match(text, end)
        if dated is None:
            return None
        year = int(dated["year"])
        item = self._titles.find(" ".join(names), year)
        if item is None or self._catalogue.year[self._catalogue.item_ids == item.item_id] != year:
            return None
        return TitleFound((item.item_id,), dated.end())

    def _several(
        self, text: str, place: int, names: list[str], ends: list[int], mode: str
    ) -> TitleFound | None:
        """A name that fits several items equally, unless a year tells them apart."""
        likely = self._titles.several(names)
        if likely is None or self._dated(text, names[: likely.size], ends[likely.size - 1]):
            return None
        end = ends[likely.size - 1]
        options = tuple(self.option(row, mode) for row in likely.rows[:_MOST_OPTIONS])
        return TitleFound((), end, unclear=Clarification(about=text[place:end], options=options))

    def option(self, row: int, mode: str) -> Option:
        """An item as something that may have been meant."""
        item, year = self._titles.item(row), float(self._catalogue.year[row])
        known = None if np.isnan(year) else int(year)
        return Option(
            name=item.title if known is None else f"{item.title} ({known})",
            value=item.item_id,
            year=known,
            refinement=Refinement.model_validate({ITEM_FIELDS[mode]: (item.item_id,)}),
        )
