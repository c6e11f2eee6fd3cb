"""Finds the item that a person names, through typos and moved articles."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import NamedTuple

from ..candidates.catalogue import Catalogue
from .sanitise import display_title

CLOSE_ENOUGH = 0.82
"""Similarity (difflib ratio) from which a misspelt name is taken for a title."""

_AS_KNOWN = 0.5
"""Of items that share a title, one that is this much as well known as the best known is offered."""

_SUBTITLE = re.compile(r"(?P<head>.{4,}?)(?:(?: [IVX]{1,4}| \d)?: | or: | \(|, or )")

_LEADING = re.compile(r"^(?:the|a|an) ")


@dataclass(frozen=True, slots=True)
class NamedItem:
    """An item that a person named.

    Attributes:
        item_id: Public id.
        title: Display title.
        exact: False when the name was misspelt.
    """

    item_id: str
    title: str
    exact: bool


class Likely(NamedTuple):
    """Items that a name fits about equally well.

    Attributes:
        rows: Their rows in the catalogue, best known first.
        size: How many words name them.
    """

    rows: tuple[int, ...]
    size: int


class TitleIndex:
    """Titles of a catalogue by what a person may type; build it once per catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._rows: dict[str, list[int]] = {}
        self._catalogue = catalogue
        self._titles = [
            display_title(str(title), str(item_id))
            for title, item_id in zip(catalogue.titles, catalogue.item_ids, strict=True)
        ]
        for row, title in enumerate(self._titles):
            for key in _keys(title):
                self._rows.setdefault(key, []).append(row)
        self._longest = max((len(key.split()) for key in self._rows), default=0)
        self._series: dict[str, list[int]] = {}
        for row in sorted(range(len(self._titles)), key=lambda row: -catalogue.popularity[row]):
            head = _head(self._titles[row])
            if head is not None:
                self._series.setdefault(head, []).append(row)
        self._words = frozenset(word for key in self._rows for word in key.split())

    def find(self, name: str, year: int | None = None) -> NamedItem | None:
        """The item of that name; of several, the one of that year, else the most popular.

        None where nothing comes close enough, which short names rarely do.
        """
        key = normalise(name)
        if not key:
            return None
        rows = self._rows.get(key) or self._rows.get(_LEADING.sub("", key))
        exact = rows is not None
        if rows is None:
            close = get_close_matches(key, self._rows, n=1, cutoff=CLOSE_ENOUGH)
            rows = self._rows[close[0]] if close and len(key) >= 4 else None
        if rows is None:
            return None
        row = self._choose(rows, year)
        return NamedItem(str(self._catalogue.item_ids[row]), self._titles[row], exact)

    def longest_prefix(
        self, words: Sequence[str], misspelt: bool = True
    ) -> tuple[NamedItem, int] | None:
        """The item named by the most of the first words, and how many words name it.

        Exact names are tried before misspelt ones (if those are asked for), long before short.
        """
        limit = min(len(words), self._longest)
        for size in range(limit, 0, -1):
            key = normalise(" ".join(words[:size]))
            if key in self._rows or _LEADING.sub("", key) in self._rows:
                found = self.find(key)
                return (found, size) if found else None
        if not misspelt:
            return None
        best: tuple[float, NamedItem, int] | None = None
        for size in range(limit, 0, -1):
            key = normalise(" ".join(words[:size]))
            found = self.find(key)
            if found is not None:
                likeness = SequenceMatcher(None, key, normalise(found.title)).ratio()
                if best is None or likeness > best[0]:
                    best = (likeness, found, size)
        return (best[1], best[2]) if best else None

    def several(self, words: Sequence[str], year: int | None = None) -> Likely | None:
        """Items that the first words fit equally: shared titles, or a series ("Star Trek").

        None where the words name one item, or none. A title that is shared means the best known
        item unless another is at least half as well known; the same title twice in one year is the
        same item, listed twice.
        """
        for size in range(min(len(words), self._longest), 0, -1):
            key = normalise(" ".join(words[:size]))
            rows = self._rows.get(key) or self._rows.get(_LEADING.sub("", key))
            if rows is not None:
                return self._shared(rows, size, year)
        for size in range(min(len(words), self._longest), 0, -1):
            rows = self._series.get(_LEADING.sub("", normalise(" ".join(words[:size]))), [])
            if len(rows) > 1:
                return Likely(tuple(rows), size)
        return None

    def one_of_series(self, words: Sequence[str]) -> tuple[NamedItem, int] | None:
        """The only item whose title begins so before its subtitle ("Dr. Strangelove")."""
        for size in range(min(len(words), self._longest), 0, -1):
            rows = self._series.get(_LEADING.sub("", normalise(" ".join(words[:size]))), [])
            if len(rows) == 1:
                return self.item(rows[0], exact=False), size
        return None

    def item(self, row: int, exact: bool = True) -> NamedItem:
        """The item of a row."""
        return NamedItem(str(self._catalogue.item_ids[row]), self._titles[row], exact)

    @property
    def words(self) -> frozenset[str]:
        """All words of titles."""
        return self._words

    def _shared(self, rows: list[int], size: int, year: int | None) -> Likely | None:
        known, years = self._catalogue.popularity, self._catalogue.year
        ordered = sorted(rows, key=lambda row: -float(known[row]))
        of_years = list({float(years[row]): row for row in reversed(ordered)}.values())
        of_years.sort(key=lambda row: -float(known[row]))
        if len(of_years) < 2 or any(years[row] == year for row in of_years):
            return None
        near = [row for row in of_years if known[row] >= _AS_KNOWN * known[of_years[0]]]
        return Likely(tuple(near), size) if len(near) > 1 else None

    def _choose(self, rows: list[int], year: int | None) -> int:
        of_year = [row for row in rows if year is not None and self._catalogue.year[row] == year]
        return max(of_year or rows, key=lambda row: float(self._catalogue.popularity[row]))


def normalise(text: str) -> str:
    """Lower case, words and digits only.

    >>> normalise("Star Wars: The Empire's…")
    'star wars the empires'
    """
    plain = text.casefold().replace("'", "").replace("’", "").replace("&", " and ")
    return " ".join(re.findall(r"\w+", plain))


def _head(title: str) -> str | None:
    """What stands before a subtitle, if that is long enough to name something."""
    found = _SUBTITLE.match(title)
    head = normalise(found["head"]) if found else ""
    return _LEADING.sub("", head) or None


def _keys(title: str) -> set[str]:
    """A title as it is, without its article, and without what stands in brackets."""
    whole = normalise(title)
    bare = normalise(re.sub(r"\([^)]*\)", " ", title))
    return {key for key in (whole, bare, _LEADING.sub("", whole), _LEADING.sub("", bare)) if key}
