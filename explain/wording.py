"""Every sentence that is true of an evidence record, by what it says, in one language.

One bank of sentences serves two readers: the template takes one alternative per slot, and the
grammar lets a model choose among all of them. The check of ``verify.py`` does not use it: it
reads the finished text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import InvalidValue
from ..rerankers.policy_reason import PolicyReason
from .evidence import CAUSAL, Evidence, ItemFacts, Link, Move, Rule
from .language import Language
from .languages import LanguageCode, language_of
from .relations import POPULAR_FROM
from .sanitise import clean_name

Style = Literal["one_line", "short", "detailed", "contrastive"]

NEWER_FROM = 75.0
"""Share of older items, in %, from which an item's freshness is worth a sentence."""

_SLOTS: dict[Style, dict[str, bool]] = {
    "one_line": {"opening": True, "exposure": True},
    "short": {
        "opening": True,
        "detail": True,
        "taste": False,
        "exposure": True,
        "diversity": True,
        "state": False,
        "policy": False,
    },
    "detailed": {
        "opening": True,
        "detail": True,
        "taste": True,
        "newer": True,
        "rank": True,
        "exposure": True,
        "diversity": True,
        "state": True,
        "policy": True,
        "down": True,
        "instead": True,
    },
    "contrastive": {"versus": True, "opening": True, "unlike": False, "exposure": True},
}
"""What a style says, in order, and whether it must."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Sentences that say the same kind of thing, most informative first.

    Attributes:
        says: What kind.
        sentences: The alternatives, each a whole sentence.
        required: Whether a text must hold one of them.
    """

    says: str
    sentences: tuple[str, ...]
    required: bool


def sentence_slots(
    evidence: Evidence, noun: str, style: Style, language: LanguageCode = "en"
) -> tuple[Slot, ...]:
    """The slots of a text, in order; a slot without a true sentence is left out.

    Args:
        evidence: What is known.
        noun: What an item is called, in the singular and in English, such as ``"film"``.
        style: ``one_line`` keeps what led to the item and any exposure rule that moved it;
            ``short`` adds a detail, the user's taste, the other rules and what moved the policy's
            weights; ``detailed`` has a sentence for everything that is known; ``contrastive`` says
            why this item and not the one of ``evidence.contrast``.
        language: Of the sentences.

    Raises:
        InvalidValue: The style needs another item, and the evidence has none; or there is no such
            language.
    """
    if style == "contrastive" and evidence.contrast is None:
        raise InvalidValue(
            "the evidence holds no other item to compare with",
            field="style",
            mend="Name the other item (`explain.contrast.with_contrast`).",
        )
    writer = _Sentences(evidence, noun, language_of(language))
    slots = [
        Slot(says, tuple(getattr(writer, says)()), required)
        for says, required in _SLOTS[style].items()
    ]
    return tuple(slot for slot in slots if slot.sentences)


def group_name(move: Move) -> str:
    """The group of an exposure floor as it is printed, between single curly quotes."""
    return clean_name(move.group or "")


def speaks_of_long_tail(move: Move) -> bool:
    """Whether the floor is the one for less-known items."""
    return move.attribute == "popularity" and move.group == "long_tail"


class _Sentences:
    """The sentences of each slot; a method yields none where there is nothing true to say."""

    def __init__(self, evidence: Evidence, noun: str, language: Language) -> None:
        self._evidence = evidence
        self._language = language
        self._noun, self._nouns = language.nouns(noun)
        self._links = tuple(link for link in evidence.links if self._unique(link.item))

    def opening(self) -> Iterator[str]:
        evidence = self._evidence
        for named in _prefixes(self._links):
            titles = self._language.join([self._name(link.item) for link in named])
            liked = evidence.liked == "rated_at_least_4"
            verb = self._language.verbs[0 if liked else 1]
            says = "together"
            if evidence.attribution in CAUSAL:
                says = "because"
            elif evidence.attribution == "embedding_cosine":
                says = "close"
            for item in self._item_names():
                yield from self._say(says, item=item, titles=titles, verb=verb)
        if not self._links:
            yield from self.rank()

    def rank(self) -> Iterator[str]:
        number, pool = self._evidence.base_rank, self._evidence.pool_size
        for item in self._item_names():
            yield from self._say("rank", item=item, number=number, pool=pool)

    def detail(self) -> Iterator[str]:
        item = self._evidence.item
        for link in self._links:
            if link.shared_topics:
                topics = self._language.join(link.shared_topics[:3])
                yield from self._say("shares", title=self._name(link.item), topics=topics)
        if item.topics:
            yield from self._say("topic", topics=self._language.join(item.topics[:3]))
        for link in self._links:
            yield from self._of_link(link)
        if item.long_tail:
            yield from self._say("less_known")
        elif item.popularity_percentile >= POPULAR_FROM:
            yield from self._say("popular")

    def _of_link(self, link: Link) -> Iterator[str]:
        title = self._name(link.item)
        percent = round(100 * link.share)
        if self._evidence.attribution == "item_weights" and percent >= 1:
            yield from self._say("share", title=title, number=percent)
        if link.rating is not None:
            yield from self._say("rated", title=title, number=f"{link.rating:g}")

    def newer(self) -> Iterator[str]:
        newer = self._evidence.item.newer_than
        if newer is not None and newer >= NEWER_FROM:
            for item in self._item_names():  # "it" would be another item after some details
                yield from self._say("newer", item=item, number=round(newer))

    def taste(self) -> Iterator[str]:
        for share in self._evidence.taste:
            values = {"number": share.count, "total": share.total, "topic": share.topic}
            yield from self._say(f"taste_{share.scope}", **values)

    def exposure(self) -> Iterator[str]:
        move = self._evidence.gained("exposure")
        if move is not None:
            yield from self._say("exposure", places=self._places(move), who=self._who(move))

    def diversity(self) -> Iterator[str]:
        yield from self._moved("diversity")

    def state(self) -> Iterator[str]:
        yield from self._moved("state")

    def down(self) -> Iterator[str]:
        rules: tuple[Rule, ...] = ("exposure", "diversity", "state")
        for rule in rules:
            move = self._evidence.lost(rule)
            # At most so many places down: nothing is known that could be said of one.
            if move is not None and move.exact:
                who = self._who(move) if rule == "exposure" else ""
                yield from self._say(
                    f"{rule}_down", places=self._language.places(-move.places), who=who
                )

    def policy(self) -> Iterator[str]:
        reason = self._evidence.policy
        if reason is None or reason.places <= 0:
            return
        clause = self._language.policy(reason, self._noun)
        if clause is not None:
            yield _capital(f"{clause}.")
            yield _capital(self._language.and_so.format(clause=clause, places=self._places(reason)))

    def instead(self) -> Iterator[str]:
        without = self._evidence.without_rules
        if without is None or without.rank == self._evidence.shown_rank:
            return
        if without.instead_of is not None and self._unique(without.instead_of):
            yield from self._say("instead", other=self._name(without.instead_of))
        yield from self._say(
            "would_stand" if without.exact else "would_stand_lower", number=without.rank
        )

    def versus(self) -> Iterator[str]:
        contrast = self._evidence.contrast
        if contrast is None or not self._unique(contrast.item):
            return
        other, pool = self._name(contrast.item), self._evidence.pool_size
        if contrast.seen:
            yield from self._say("seen", other=other)
        elif contrast.base_rank is None:
            yield from self._say("absent", other=other, pool=pool)
        elif contrast.filtered:
            yield from self._say("filtered", other=other)
        else:
            if contrast.shown_rank is not None:
                yield from self._say("listed", other=other, number=contrast.shown_rank)
            for item in self._item_names():
                yield from self._say(
                    "ranks",
                    item=item,
                    number=self._evidence.base_rank,
                    pool=pool,
                    other=other,
                    other_number=contrast.base_rank,
                )

    def unlike(self) -> Iterator[str]:
        contrast = self._evidence.contrast
        if contrast is None or not self._unique(contrast.item):
            return
        own = [t for t in self._evidence.item.topics if t not in contrast.item.topics]
        if own:
            topics = self._language.join(own[:3])
            for item in self._item_names():
                yield from self._say(
                    "unlike", item=item, other=self._name(contrast.item), topics=topics
                )

    def _moved(self, rule: Rule) -> Iterator[str]:
        move = self._evidence.gained(rule)
        if move is not None:
            yield from self._say(rule, places=self._places(move))

    def _say(self, says: str, **values: object) -> Iterator[str]:
        for sentence in self._language.sentences[says]:
            yield _capital(sentence.format(noun=self._noun, nouns=self._nouns, **values))

    def _who(self, move: Move) -> str:
        says = "less_known_ones" if speaks_of_long_tail(move) else "group"
        words = self._language.sentences[says][0]
        return words.format(nouns=self._nouns, group=group_name(move))

    def _places(self, move: Move | PolicyReason) -> str:
        count = self._language.places(move.places)
        return count if move.exact else self._language.at_least.format(places=count)

    def _same_title(self, item: ItemFacts) -> list[ItemFacts]:
        title = item.title.casefold()
        return [other for other in self._evidence.items() if other.title.casefold() == title]

    def _unique(self, item: ItemFacts) -> bool:
        """Whether its name can't be mistaken for another item of this record."""
        same = self._same_title(item)
        years = [other.year for other in same]
        return len(same) == 1 or (None not in years and years.count(item.year) == 1)

    def _name(self, item: ItemFacts) -> str:
        """The quoted title; with the year where another item of the record has the same title."""
        if len(self._same_title(item)) > 1:
            return self._with_year(item)
        return self._language.quoted(item.title)

    def _item_names(self) -> Iterator[str]:
        """The recommended item's name, with and without its year."""
        item = self._evidence.item
        yield from dict.fromkeys((self._with_year(item), self._name(item)))

    def _with_year(self, item: ItemFacts) -> str:
        quoted = self._language.quoted(item.title)
        return quoted if item.year is None else f"{quoted} ({item.year})"


def _capital(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"


def _prefixes(links: Sequence[Link]) -> Iterator[Sequence[Link]]:
    """The strongest two first (a good length), then one, then all."""
    for length in dict.fromkeys((min(2, len(links)), 1, len(links))):
        if 0 < length <= len(links):
            yield links[:length]
