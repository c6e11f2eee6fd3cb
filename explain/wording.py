"""Every sentence that is true of an evidence record, by what it says.

One bank of phrases serves two readers: the template takes one alternative per slot, and the
grammar lets a model choose among all of them. The check of ``verify.py`` does not use it: it
reads the finished text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..rerankers.policy_reason import PolicyReason, reason_clause
from .evidence import Evidence, ItemFacts, Link, Move
from .sanitise import clean_name

Style = Literal["one_line", "short"]

POPULAR_FROM = 90.0
"""A popularity percentile from which an item is called popular."""

_EXACT = ("item_weights", "item_weights_truncated")


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


def sentence_slots(evidence: Evidence, noun: str, style: Style) -> tuple[Slot, ...]:
    """The slots of a text, in order; a slot without a true sentence is left out.

    Args:
        evidence: What is known.
        noun: What an item is called, in the singular, such as ``"film"``.
        style: ``one_line`` keeps what led to the item and any exposure rule that moved it;
            ``short`` adds a detail, the other rules and what moved the policy's weights.
    """
    slots = [
        Slot("opening", tuple(_openings(evidence)), True),
        Slot("detail", tuple(_details(evidence, noun)), False),
        Slot("exposure", tuple(_exposure(evidence, noun)), True),
        Slot("diversity", tuple(_diversity(evidence)), True),
        Slot("state", tuple(_state(evidence)), False),
        Slot("policy", tuple(_policy(evidence, noun)), False),
    ]
    kept = ("opening", "exposure") if style == "one_line" else tuple(slot.says for slot in slots)
    return tuple(slot for slot in slots if slot.says in kept and slot.sentences)


def group_name(move: Move) -> str:
    """The group of an exposure floor as it is printed, between single curly quotes."""
    return clean_name(move.group or "")


def speaks_of_long_tail(move: Move) -> bool:
    """Whether the floor is the one for less-known items."""
    return move.attribute == "popularity" and move.group == "long_tail"


def _openings(evidence: Evidence) -> Iterator[str]:
    links = _nameable(evidence)
    for named in _prefixes(links):
        yield from _opening_for(evidence, named)
    if not links:
        rank = f"number {evidence.base_rank} of {evidence.pool_size}"
        for item in _names(evidence):
            yield f"{item} is {rank} by the model's score for you."
            yield f"By the model's score for you, {item} is {rank}."
            yield f"The model's score for you puts {item} at {rank}."


def _opening_for(evidence: Evidence, named: Sequence[Link]) -> Iterator[str]:
    titles = _join([_name(link.item, evidence) for link in named])
    liked = f"you liked {titles}"
    if evidence.liked == "all_history":
        liked = f"you chose {titles}"
    verb = liked.split()[1]
    for item in _names(evidence):
        if evidence.attribution in _EXACT:
            yield f"{item} is here because {liked}."
            yield f"Because {liked}, {item} is in your list."
            yield f"You {verb} {titles}, and that is why {item} is suggested."
            yield f"{item} was picked for you because {liked}."
        elif evidence.attribution == "embedding_cosine":
            yield f"{item} is close to {titles}, which you {verb}."
            yield f"You {verb} {titles}, and {item} is close to that."
        else:
            yield f"People who chose {titles}, which you {verb}, often chose {item} too."
            yield f"You {verb} {titles}; people who did often chose {item} too."


def _details(evidence: Evidence, noun: str) -> Iterator[str]:
    for link in _nameable(evidence):
        yield from _link_details(link, evidence, noun)
    if evidence.item.topics:
        topics = _join(evidence.item.topics[:3])
        yield f"It is filed under {topics}."
        yield f"This {noun} is filed under {topics}."
    if evidence.item.long_tail:
        yield f"It is one of the less-known {noun}s."
        yield f"This is a less-known {noun}."
    elif evidence.item.popularity_percentile >= POPULAR_FROM:
        yield f"It is one of the most-chosen {noun}s."
        yield f"This is a widely chosen {noun}."


def _link_details(link: Link, evidence: Evidence, noun: str) -> Iterator[str]:
    title = _name(link.item, evidence)
    if link.shared_topics:
        topics = _join(link.shared_topics[:3])
        yield f"It shares {topics} with {title}."
        yield f"Like {title}, it is filed under {topics}."
        yield f"It has {topics} in common with {title}."
        yield f"This {noun} and {title} are both filed under {topics}."
    percent = round(100 * link.share)
    if evidence.attribution == "item_weights" and percent >= 1:
        yield f"{title} makes up {percent} % of what your history adds to its score."
        yield f"Of what your history adds to its score, {percent} % comes from {title}."
    if link.rating is not None:
        yield f"You rated {title} {link.rating:g}."


def _exposure(evidence: Evidence, noun: str) -> Iterator[str]:
    move = evidence.gained("exposure")
    if move is None:
        return
    who = f"{noun}s of the group ‘{group_name(move)}’"
    if speaks_of_long_tail(move):
        who = f"less-known {noun}s"
    places = _places(move)
    yield f"It stands {places} higher because {who} are kept at a minimum share of exposure."
    yield f"A minimum share of exposure for {who} moved it up {places}."
    yield f"It was moved up {places} so that {who} reach a minimum share of exposure."
    yield f"Our rule of a minimum share of exposure for {who} moved it up {places}."


def _diversity(evidence: Evidence) -> Iterator[str]:
    move = evidence.gained("diversity")
    if move is None:
        return
    places = _places(move)
    yield f"It was moved up {places} to keep your list varied."
    yield f"It stands {places} higher because it makes your list more varied."
    yield f"Variety in your list moved it up {places}."


def _state(evidence: Evidence) -> Iterator[str]:
    move = evidence.gained("state")
    if move is None:
        return
    places = _places(move)
    yield f"What you chose and passed over lately moved it up {places}."
    yield f"It stands {places} higher because of your recent visits."
    yield f"Your recent visits moved it up {places}."


def _policy(evidence: Evidence, noun: str) -> Iterator[str]:
    reason = evidence.policy
    if reason is None or reason.places <= 0:
        return
    clause = reason_clause(reason, noun)
    if clause is not None:
        clause = f"{clause[0].upper()}{clause[1:]}"
        yield f"{clause}."
        yield f"{clause}, and that moved it up {_places(reason)}."


def _places(move: Move | PolicyReason) -> str:
    count = f"{move.places} place{'' if move.places == 1 else 's'}"
    return count if move.exact else f"at least {count}"


def _prefixes(links: Sequence[Link]) -> Iterator[Sequence[Link]]:
    """The strongest two first (a good length), then one, then all."""
    for length in dict.fromkeys((min(2, len(links)), 1, len(links))):
        if 0 < length <= len(links):
            yield links[:length]


def _nameable(evidence: Evidence) -> tuple[Link, ...]:
    """Links whose name can't be mistaken for another item of this record."""
    facts = [evidence.item, *(link.item for link in evidence.links)]

    def unique(item: ItemFacts) -> bool:
        same = [other for other in facts if other.title.casefold() == item.title.casefold()]
        years = [other.year for other in same]
        return len(same) == 1 or (None not in years and years.count(item.year) == 1)

    return tuple(link for link in evidence.links if unique(link.item))


def _name(item: ItemFacts, evidence: Evidence) -> str:
    """The quoted title; with the year where another item of the record has the same title."""
    facts = [evidence.item, *(link.item for link in evidence.links)]
    same = sum(other.title.casefold() == item.title.casefold() for other in facts)
    return _with_year(item) if same > 1 else f'"{item.title}"'


def _names(evidence: Evidence) -> Iterator[str]:
    """The recommended item's name, with and without its year."""
    yield from dict.fromkeys((_with_year(evidence.item), _name(evidence.item, evidence)))


def _with_year(item: ItemFacts) -> str:
    return f'"{item.title}"' if item.year is None else f'"{item.title}" ({item.year})'


def _join(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
