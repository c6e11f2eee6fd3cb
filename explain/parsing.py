"""Reads an utterance from left to right into wishes; rules only, nothing is guessed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..candidates.catalogue import Catalogue
from .cues import CUES
from .lexicon import FILLERS, TopicWords, topic_words
from .linking import NamedItem
from .refinement import Refinement, merge
from .understanding.context import Clarification, Option
from .understanding.references import References
from .understanding.title_reading import ITEM_FIELDS, TitleReader
from .years import YearSpan, match_two_eras, match_years

_WORD = re.compile(r"\w+")
_BETWEEN_TITLES_WORDS = "the a an and or nor film movie films movies also of"
_BETWEEN_TITLES = frozenset(_BETWEEN_TITLES_WORDS.split())
_NEGATIVE = ("exclude", "dislike", "unlike")
TOPIC_FIELDS = {
    "include": "include_topics",
    "exclude": "exclude_topics",
    "dislike": "exclude_topics",
    "unlike": "exclude_topics",
    "prefer": "prefer_topics",
    "liked": "prefer_topics",
    "like_this": "prefer_topics",
    "avoid": "avoid_topics",
}


class Phrase(NamedTuple):
    """Words that describe what is wanted without naming it.

    Attributes:
        mode: What is said of it, a key of `ITEM_FIELDS` or `TOPIC_FIELDS`.
        words: The words.
    """

    mode: str
    words: str


class Reader:
    """Reads one utterance. Afterwards ``refinement`` holds its wishes.

    Args:
        plain: Plain text (see ``lexicon.plain_text``).
        catalogue: The items.
        references: Resolves titles, and "the second one".
        idle: Words without a wish of their own, beside the English ones.

    Attributes:
        refinement: What was understood; of contradicting wishes the later one.
        unread: Runs of words that mean nothing to the rules.
        cues: Kinds of phrases that led to a wish.
        corrected: Items that were taken from a misspelt name.
        unclear: A question back, where a name or an era can mean several things.
        phrases: Clauses without a wish that hold words of which nothing is known.
    """

    def __init__(
        self,
        plain: str,
        catalogue: Catalogue,
        references: References,
        idle: frozenset[str] = frozenset(),
    ) -> None:
        self.refinement = Refinement()
        self.unread: list[str] = []
        self.cues: set[str] = set()
        self.corrected: list[NamedItem] = []
        self.unclear: Clarification | None = None
        self.phrases: list[Phrase] = []
        self._text = plain
        self._idle = FILLERS | idle
        self._place = 0
        self._clause = _Clause()
        self._focus = references.context.focus
        self._title_open = False
        self._mode = "include"
        self._softened = False
        self._last_topic: tuple[str, int] | None = None
        self._gap = False
        self._years_of = dict(
            zip(catalogue.item_ids.tolist(), catalogue.year.tolist(), strict=True)
        )
        self._topics: TopicWords = topic_words(catalogue.topic_names)
        self._titles = TitleReader(catalogue, references, self._topics)
        known = catalogue.year[np.isfinite(catalogue.year)]
        self._newest = int(known.max()) if len(known) else None
        self._read()

    def _read(self) -> None:
        steps: tuple[Callable[[], bool], ...] = (
            self._punctuation, self._title, self._years, self._cue, self._topic, self._word,
        )  # fmt: skip
        while self._place < len(self._text):
            if self._text[self._place] == " ":
                self._place += 1
                continue
            any(step() for step in steps)
        self._end_clause()

    def _punctuation(self) -> bool:
        char = self._text[self._place]
        if char.isalnum():
            return False
        if char != ",":
            self._end_clause()
            self._begin("include")
        elif re.match(r", (?:and )?(?:an?|some|maybe|perhaps) ", self._text[self._place :]):
            self._begin("include")  # "no horror, a comedy": the article begins a new wish
        self._gap = True
        self._place += 1
        return True

    def _title(self) -> bool:
        """A title counts after a phrase that asks for one, or spelt exactly after a "no"."""
        found = self._titles.at(
            self._text, self._place, self._mode, self._focus, misspelt=self._title_open
        )
        if found is None:
            return False
        if found.unclear is not None:
            self.unclear = found.unclear
            self._take(self._mode, found.end)
            return True
        if found.corrected is not None:
            self.corrected.append(found.corrected)
        self._wish(ITEM_FIELDS[self._mode], found.items, found.end)
        return True

    def _years(self) -> bool:
        # "no horror, before 1990": the comma ends the "no" once it has had its topic.
        served = self._gap and self._last_topic is not None
        negated = self._mode in _NEGATIVE and not served
        if not negated and self._two_eras():
            return True
        found = match_years(self._text, self._place, self._newest, negated)
        if found is None:
            return False
        span, end = found
        self._apply(_years_wish(span), "years", end)
        return True

    def _two_eras(self) -> bool:
        found = match_two_eras(self._text, self._place)
        if found is None:
            return False
        spans, end = found
        if len(spans) == 1:
            self._apply(_years_wish(spans[0]), "years", end)
            return True
        options = (
            Option(name=f"the {s.era}", value=s.era, year=s.low, refinement=_years_wish(s))
            for s in spans
        )
        self.unclear = Clarification(about=self._text[self._place : end], options=tuple(options))
        self._take("years", end)
        return True

    def _cue(self) -> bool:
        for name, phrase in CUES:
            match = phrase.match(self._text, self._place)
            if match is None:
                continue
            topic = self._topics.match(self._text, self._place)
            if topic is not None and topic[1] > match.end():
                return False  # "a love story" loves nothing
            self._follow(name, match.end())
            return True
        return False

    def _follow(self, cue: str, end: int) -> None:
        negated = self._mode in _NEGATIVE
        if cue == "reset":
            self.refinement = Refinement(reset=True)
            self.cues.add("reset")
        elif cue in ("more_variety", "less_variety"):
            self._apply(Refinement(diversity="more" if cue[:4] == "more" else "less"), cue, end)
        elif cue in ("popular", "less_popular"):
            more = (cue == "popular") != negated and self._mode != "avoid"
            self._apply(Refinement(popularity="more" if more else "less"), cue, end)
        elif cue == "like_this" and negated:
            self._mode = "unlike"  # "nothing like Heat"
        elif cue == "include" and negated and not self._gap:
            pass  # "not just ...", "nothing I want": the "no" holds
        else:
            self._begin(cue)
        self._place = end
        if not self._clause.unread:
            self._clause.words_from = end
        self._gap = False
        self._title_open = True

    def _topic(self) -> bool:
        found = self._topics.match(self._text, self._place)
        if found is None:
            return False
        self._take_topic(*found)
        return True

    def _take_topic(self, topic: str, end: int) -> None:
        mode = "avoid" if self._softened and self._mode == "exclude" else self._mode
        place = self._place
        adjective = self._last_topic
        if mode == "avoid" and topic in self.refinement.include_topics:
            self._leave(self._text[place:end])  # "a comedy, but not too silly" stays a comedy
            self._place, self._last_topic = end, (topic, end)
            return
        if mode == "include" and self.refinement.include_topics and self._for_whom(place):
            mode, adjective = "prefer", None  # "a cartoon for the kids" is a cartoon
        self._wish(TOPIC_FIELDS.get(mode, "include_topics"), (topic,), end)
        if mode == "include" and adjective and adjective[1] + 1 == place:
            # "a romantic comedy": the noun is the wish, the adjective a leaning.
            kept = tuple(t for t in self.refinement.include_topics if t != adjective[0])
            self.refinement = self.refinement.model_copy(update={"include_topics": kept})
            self.refinement = merge(self.refinement, Refinement(prefer_topics=(adjective[0],)))
        self._last_topic = (topic, end)

    def _word(self) -> bool:
        match = _WORD.match(self._text, self._place)
        assert match is not None
        word = match[0]
        pair = re.compile(r"\w+ \w+").match(self._text, self._place)
        for nearly in (pair, match):
            topic = self._topics.misspelt(nearly[0]) if nearly and word not in self._idle else None
            if topic is not None and nearly is not None:
                self._take_topic(topic, nearly.end())
                return True
        if word in ("but", "though", "however"):
            self._end_clause()
            self._begin("include")
        elif word in ("too", "so", "very", "that") and self._mode == "exclude":
            self._softened = True  # "not too scary" asks for less, not for none
        elif word not in self._idle:
            self._leave(word)
        self._title_open = self._title_open and word in _BETWEEN_TITLES
        self._place = match.end()
        return True

    def _for_whom(self, place: int) -> bool:
        return re.search(r"(?:^|\W)for (?:the |my |our )?$", self._text[:place]) is not None or (
            self._text.startswith("for ", place)
        )

    def _leave(self, word: str) -> None:
        """Remember a word without meaning; neighbours form one run."""
        self._clause.unread = True
        before = self._text[: self._place].rstrip()
        if self.unread and before.endswith(self.unread[-1]):
            self.unread[-1] += f" {word}"
        else:
            self.unread.append(word)

    def _begin(self, mode: str) -> None:
        self._mode, self._softened, self._last_topic = mode, False, None

    def _wish(self, field: str, names: tuple[str, ...], end: int) -> None:
        self._apply(Refinement.model_validate({field: names}), self._mode, end)

    def _apply(self, wish: Refinement, cue: str, end: int) -> None:
        reset = self.refinement.reset
        merged = merge(self.refinement, wish)
        self.refinement = merged.model_copy(update={"reset": reset})
        for name in ("like_items", "dislike_items", "exclude_items"):
            self._focus = (getattr(wish, name) or (self._focus,))[-1]
        self._take(cue, end)

    def _take(self, cue: str, end: int) -> None:
        self.cues.add(cue)
        self._clause.wished = True
        self._place = end
        self._gap = False

    def _end_clause(self) -> None:
        """A clause that said something, but nothing that is known, is kept as a phrase."""
        clause, self._clause = self._clause, _Clause(words_from=self._place)
        words = self._text[clause.words_from : self._place].strip(" ,.;!?")
        if clause.unread and not clause.wished and words:
            self.phrases.append(Phrase(self._mode, words))


@dataclass
class _Clause:
    """What is known of the clause that is being read."""

    words_from: int = 0
    wished: bool = False
    unread: bool = False


def _years_wish(span: YearSpan) -> Refinement:
    return Refinement(min_year=span.low, max_year=span.high)
