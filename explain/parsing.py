"""Reads an utterance from left to right into wishes; rules only, nothing is guessed."""

import re
from collections.abc import Callable

import numpy as np

from ..candidates.catalogue import Catalogue
from .lexicon import CUES, FILLERS, TopicWords, plain_text, topic_words
from .linking import NamedItem, TitleIndex
from .refinement import Refinement, merge
from .years import match_years

_WORD = re.compile(r"\w+")
_TITLE_CUES = ("like_this", "liked", "dislike", "unlike", "seen")
_PRONOUNS = "this that these those it them him her you something anything what to a i me and or nor"
_NO_TITLE = frozenset(_PRONOUNS.split())
_NEGATIVE = ("exclude", "dislike", "unlike")
_TOPIC_FIELD = {
    "include": "include_topics",
    "exclude": "exclude_topics",
    "dislike": "exclude_topics",
    "unlike": "exclude_topics",
    "prefer": "prefer_topics",
    "liked": "prefer_topics",
    "like_this": "prefer_topics",
    "avoid": "avoid_topics",
}
_ITEM_FIELD = {
    "like_this": "like_items",
    "liked": "like_items",
    "dislike": "dislike_items",
    "unlike": "dislike_items",
    "exclude": "exclude_items",
    "seen": "exclude_items",
}


class Reader:
    """Reads one utterance. Afterwards ``refinement`` holds its wishes.

    Attributes:
        refinement: What was understood; of contradicting wishes the later one.
        unread: Runs of words that mean nothing to the rules.
        cues: Kinds of phrases that led to a wish.
        corrected: Items that were taken from a misspelt name.
    """

    def __init__(self, text: str, catalogue: Catalogue, titles: TitleIndex) -> None:
        self.refinement = Refinement()
        self.unread: list[str] = []
        self.cues: set[str] = set()
        self.corrected: list[NamedItem] = []
        self._text = plain_text(text)
        self._place = 0
        self._mode = "include"
        self._softened = False
        self._last_topic: tuple[str, int] | None = None
        self._gap = False
        self._titles = titles
        self._topics: TopicWords = topic_words(catalogue.topic_names)
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

    def _punctuation(self) -> bool:
        char = self._text[self._place]
        if char.isalnum():
            return False
        if char != ",":
            self._begin("include")
        elif re.match(r", (?:and )?(?:an?|some|maybe|perhaps) ", self._text[self._place :]):
            self._begin("include")  # "no horror, a comedy": the article begins a new wish
        self._gap = True
        self._place += 1
        return True

    def _title(self) -> bool:
        """A title counts after a phrase that asks for one, or spelt exactly after a "no"."""
        if self._mode not in (*_TITLE_CUES, "exclude"):
            return False
        words = [match for match in _WORD.finditer(self._text, self._place)][:12]
        if not words or words[0].start() != self._place or words[0][0] in _NO_TITLE:
            return False
        stop = re.compile(r"[,.;!?]| but ").search(self._text, self._place)
        limit = stop.start() if stop else len(self._text)
        names = [word[0] for word in words if word.end() <= limit]
        found = self._titles.longest_prefix(names, misspelt=self._mode in _TITLE_CUES)
        topic = self._topics.match(self._text, self._place)
        if found is None or (topic and topic[1] >= words[found[1] - 1].end()):
            return False
        item, size = found
        if self._mode == "exclude" and (not item.exact or names[0] in FILLERS):
            return False
        if not item.exact:
            self.corrected.append(item)
        self._wish(_ITEM_FIELD[self._mode], (item.item_id,), words[size - 1].end())
        return True

    def _years(self) -> bool:
        # "no horror, before 1990": the comma ends the "no" once it has had its topic.
        served = self._gap and self._last_topic is not None
        negated = self._mode in _NEGATIVE and not served
        found = match_years(self._text, self._place, self._newest, negated)
        if found is None:
            return False
        span, end = found
        self._apply(Refinement(min_year=span.low, max_year=span.high), "years", end)
        return True

    def _cue(self) -> bool:
        for name, phrase in CUES:
            match = phrase.match(self._text, self._place)
            if match is None:
                continue
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
        self._gap = False

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
        self._wish(_TOPIC_FIELD.get(mode, "include_topics"), (topic,), end)
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
        topic = None if word in FILLERS else self._topics.misspelt(word)
        if topic is not None:
            self._take_topic(topic, match.end())
            return True
        if word in ("but", "though", "however"):
            self._begin("include")
        elif word in ("too", "so", "very", "that") and self._mode == "exclude":
            self._softened = True  # "not too scary" asks for less, not for none
        elif word not in FILLERS:
            self._leave(word)
        self._place = match.end()
        return True

    def _leave(self, word: str) -> None:
        """Remember a word without meaning; neighbours form one run."""
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
        self.cues.add(cue)
        self._place = end
        self._gap = False
