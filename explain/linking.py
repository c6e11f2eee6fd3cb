"""Finds the item that a person names, through typos and moved articles."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

from ..candidates.catalogue import Catalogue
from .sanitise import display_title

CLOSE_ENOUGH = 0.82
"""Similarity (difflib ratio) from which a misspelt name is taken for a title."""

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


def _keys(title: str) -> set[str]:
    """A title as it is, without its article, and without what stands in brackets."""
    whole = normalise(title)
    bare = normalise(re.sub(r"\([^)]*\)", " ", title))
    return {key for key in (whole, bare, _LEADING.sub("", whole), _LEADING.sub("", bare)) if key}
