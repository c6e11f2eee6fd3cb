"""A second reader of shown texts, plain and slow, that shares no code with the check it measures.

It knows nothing of evidence records: it looks titles up in the catalogue and every relation in
the arrays that the recommendation was made of. A sentence counts as true only if all its words
are among those it knows, and what it says holds; so it may call a true sentence false, but a
lie would have to be one in its own few words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...candidates.catalogue import Catalogue
from ...explain.sanitise import clean_name, display_title
from ...explain.trace import RankTrace
from ...rerankers.policy_reason import PolicyReason, sentence

_VOCABULARY = """
a above added adds among and are as at because belongs below both by came chose chosen close comes
common contribution did down enjoyed exposure falls few filed film films for found from group has
have here higher history in is it item items its just keep kept known last lately later least less
less-known lesser-known like liked list lower lowest makes minimum model model's more most
most-chosen moved movie movies newer number of often on one or our out over passed people pick
picked picks place places popular position puts rank rated rating reach recent recommended rule
rules saw score share shares shown since so stand stands suggest suggested than that the this title
titles to too top under up varied variety visits was we what which who why widely with without
would you your
"""

_WORDS = frozenset(_VOCABULARY.split())
_QUOTED = re.compile(r'"([^"]*)"(?: \((\d{1,4})\))?')
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LATELY = 10


@dataclass(frozen=True, slots=True)
class Served:
    """The arrays behind one slate.

    Attributes:
        history: The user's training items, oldest first, shape ``(H,)``.
        ratings: Their ratings, shape ``(H,)``.
        weights: By the model's own account, what each of them does for each shown item, shape
            ``(H, k)``; None where the model gives none.
        weights_add_up: Whether they are the terms of the score.
        pool: The base model's pool, best first.
        trace: What the re-ranker did, with the orders without each rule.
        reasons: Per shown item, what a policy's reason is, if it has one.
    """

    history: IntArray
    ratings: FloatArray
    weights: FloatArray | None
    weights_add_up: bool
    pool: IntArray
    trace: RankTrace
    reasons: tuple[PolicyReason | None, ...]


class PlainOracle:
    """Judges sentences about the items of one slate.

    Args:
        catalogue: The items.
        served: What the slate was made of.
        noun: What an item is called.

    Attributes:
        served: As given.
    """

    def __init__(self, catalogue: Catalogue, served: Served, noun: str = "title") -> None:
        self._catalogue = catalogue
        self.served = served
        self._noun = noun
        self._topics = {clean_name(n): c for c, n in enumerate(catalogue.topic_names)}
        self._printed = [
            display_title(str(title), str(item)).casefold()
            for title, item in zip(catalogue.titles, catalogue.item_ids, strict=True)
        ]

    def judge(self, text: str, position: int) -> tuple[bool, ...]:
        """Whether each sentence is true of the item at that place of the slate, 0 the top."""
        quoted = [(match[1], match[2]) for match in _QUOTED.finditer(text)]
        masked = _QUOTED.sub("§", text)
        verdicts: list[bool] = []
        for part in re.split(r"(?<=[.!?])\s+", masked):
            named = [quoted.pop(0) for _ in range(part.count("§"))]
            verdicts.append(self._true(part, named, position))
        return tuple(verdicts)

    def _true(self, said: str, named: list[tuple[str, str | None]], position: int) -> bool:
        reason = self.served.reasons[position]
        words = None if reason is None else sentence(reason, self._noun)
        if reason is not None and words is not None and said.startswith(words[:-1]):
            moved = f", and that moved it up {_places(reason.places, reason.exact)}."
            return said[len(words) - 1 :] in (".", moved)
        rest, held = said, list[int]()
        for name in sorted(self._topics, key=len, reverse=True):
            found = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", "#", rest)
            rest = found[0]
            held += [self._topics[name]] * found[1]
        groups = re.findall(r"‘([^’]*)’", rest)
        plain = re.sub(r"‘[^’]*’", "", rest).casefold()
        if set(re.findall(r"[^\W\d_][\w'-]*", plain)) - _WORDS:
            return False
        places = [self._find(title, year) for title, year in named]
        if any(len(found) == 0 for found in places):
            return False
        facts = _Said(plain, places, held, groups, [float(n) for n in _NUMBER.findall(plain)])
        for cue, judge in self._cues():
            if re.search(cue, plain):
                return judge(facts, position)
        return False

    def _find(self, title: str, year: str | None) -> list[int]:
        same = [i for i, printed in enumerate(self._printed) if printed == title.casefold()]
        if not same:
            same = [i for i, p in enumerate(self._printed) if p == title.casefold().rstrip(".,")]
        years = self._catalogue.year
        return [i for i in same if year is None or years[i] == float(year)]

    def _cues(self) -> tuple[tuple[str, "_Judge"], ...]:
        """What a sentence is about, the most telling words first."""
        return (
            ("without the rules", self._without_rules),
            ("minimum share of exposure", self._by_rule("exposure")),
            ("varied|variety", self._by_rule("diversity")),
            ("recent visits|passed over", self._by_rule("state")),
            ("what your history adds", self._part),
            ("number [0-9]+ of", self._rank),
            ("newer than|later than", self._newer),
            ("of the last [0-9]+", self._counted_lately),
            ("in your history", self._counted),
            ("you rated|your rating", self._rated),
            ("shares?\\b|in common|both|\\blike ", self._common),
            ("you (liked|enjoyed|chose|picked|saw)|people who", self._led),
            ("less-known|lesser-known", self._tail),
            ("most-chosen|widely|popular", self._popular),
            ("filed under|belongs to", self._filed),
        )

    def _item(self, position: int) -> int:
        return int(self.served.trace.shown[position])

    def _others(self, said: "_Said", position: int) -> list[list[int]]:
        return [found for found in said.places if self._item(position) not in found]

    def _liked(self) -> BoolArray:
        ratings = self.served.ratings
        same = len(ratings) > 0 and ratings.min() == ratings.max() and ratings.max() < 4
        return np.ones(len(ratings), bool) if same else ratings >= 4

    def _in_history(self, found: list[int]) -> list[int]:
        """Rows of the liked items of that title; what is so of one of them is so of the title."""
        return np.flatnonzero(np.isin(self.served.history, found) & self._liked()).tolist()

    def _led(self, said: "_Said", position: int) -> bool:
        own = self._item(position)
        liked = _liked_ones(said)
        if any(own in found for found in liked):
            return False  # the roles are swapped
        others = [self._in_history(found) for found in self._others(said, position)]
        if not others or len(others) < len(liked) or not all(others):
            return False
        if re.search("you (liked|enjoyed)", said.plain) and self.served.ratings.max() < 4:
            return False
        weights = self.served.weights
        if weights is None:
            return "because" not in said.plain and "why" not in said.plain
        return all(any(weights[row, position] > 0 for row in rows) for rows in others)

    def _common(self, said: "_Said", position: int) -> bool:
        topics, history = self._catalogue.topics, self.served.history
        others = [self._in_history(found) for found in self._others(said, position)]
        if not others or not said.topics:
            return False
        own = bool(topics[self._item(position), said.topics].all())
        return own and all(
            any(topics[history[row], said.topics].all() for row in rows) for rows in others
        )

    def _filed(self, said: "_Said", position: int) -> bool:
        own = self._catalogue.topics[self._item(position)]
        about = not self._others(said, position)
        return about and bool(said.topics) and all(own[topic] for topic in said.topics)

    def _part(self, said: "_Said", position: int) -> bool:
        weights, others = self.served.weights, self._others(said, position)
        if weights is None or not self.served.weights_add_up:
            return False
        if len(others) != 1 or len(said.numbers) != 1:
            return False
        positive = np.maximum(weights[:, position].astype(float), 0)
        shares = np.round(100 * positive / positive.sum())
        return any(shares[row] == said.numbers[0] for row in self._in_history(others[0]))

    def _rated(self, said: "_Said", position: int) -> bool:
        if len(said.places) != 1 or len(said.numbers) != 1:
            return False
        rows = self._in_history(said.places[0])
        return any(float(self.served.ratings[row]) == said.numbers[0] for row in rows)

    def _rank(self, said: "_Said", position: int) -> bool:
        column = int(np.flatnonzero(self.served.pool == self._item(position))[0])
        return said.numbers == [column + 1, len(self.served.pool)]

    def _newer(self, said: "_Said", position: int) -> bool:
        years, item = self._catalogue.year, self._item(position)
        dated = int(np.isfinite(years).sum())
        older = int((years < years[item]).sum())
        return said.numbers == [round(100 * older / max(1, dated - 1))]

    def _counted_lately(self, said: "_Said", position: int) -> bool:
        return self._count(said, self.served.history[-_LATELY:])

    def _counted(self, said: "_Said", position: int) -> bool:
        return self._count(said, self.served.history)

    def _count(self, said: "_Said", items: IntArray) -> bool:
        if len(said.topics) != 1:
            return False
        count = int(self._catalogue.topics[items, said.topics[0]].sum())
        return sorted(said.numbers) == sorted([count, len(items)])

    def _tail(self, said: "_Said", position: int) -> bool:
        groups = self._catalogue.groups.get("popularity")
        return groups is not None and bool(groups.mask("long_tail")[self._item(position)])

    def _popular(self, said: "_Said", position: int) -> bool:
        popularity, item = self._catalogue.popularity, self._item(position)
        below = (popularity < popularity[item]).sum() / max(1, len(popularity) - 1)
        return below >= 0.9 and not self._tail(said, position)

    def _without_rules(self, said: "_Said", position: int) -> bool:
        order = self.served.trace.unruled
        if order is None:
            return False
        if said.places:
            return int(order[position]) in said.places[0]
        return "lower" not in said.plain and said.numbers == [_place(order, self._item(position))]

    def _by_rule(self, rule: str) -> "_Judge":
        def judge(said: "_Said", position: int) -> bool:
            up = re.search(r"\bup\b|higher", said.plain) is not None
            for without in self.served.trace.without:
                if without.rule != rule:
                    continue
                if rule == "exposure" and not _names_group(said, without.attribute, without.group):
                    continue
                followed = self._item(position) in without.order
                moved = _place(without.order, self._item(position)) - (position + 1)
                at_least = "at least" in said.plain
                if said.numbers == [moved if up else -moved] and followed != at_least:
                    return True
            return False

        return judge


@dataclass(frozen=True, slots=True)
class _Said:
    """What stands in one sentence."""

    plain: str
    places: list[list[int]]
    topics: list[int]
    groups: list[str]
    numbers: list[float]


_Judge = Callable[[_Said, int], bool]


def _liked_ones(said: _Said) -> list[list[int]]:
    """The titles that the sentence says the user liked, or people chose."""
    many = "§(?:(?:, §)*,? and §)?"
    verb = "(?:liked|enjoyed|chose|picked|watched|saw)"
    found = re.search(rf"(?:you|people who) {verb} ({many})|({many}), which you {verb}", said.plain)
    if found is None:
        return []
    before = said.plain[: found.start()].count("§")
    return said.places[before : before + found[0].count("§")]


def _place(order: IntArray, item: int) -> int:
    found = np.flatnonzero(order == item)
    return int(found[0]) + 1 if len(found) else len(order) + 1


def _places(number: int, exact: bool) -> str:
    count = f"{number} place{'' if number == 1 else 's'}"
    return count if exact else f"at least {count}"


def _names_group(said: _Said, attribute: str | None, group: str | None) -> bool:
    if (attribute, group) == ("popularity", "long_tail"):
        return "less-known" in said.plain
    return said.groups == [clean_name(group or "")]
