"""Answers to questions, made of catalogue facts, the record and the wishes; nothing is generated.

Every sentence follows from its arguments, so that it is true if they are.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from .evidence import ItemFacts, Record


class Placement(Record):
    """Where an item stands for a user, for "why not this one?".

    Attributes:
        shown_rank: Its place in the last list; None where it is not in it.
        known: Whether the user has rated it, or said to know or dislike it.
        left_out_by: Wishes that rule it out, as phrases.
        base_rank: Its place among the user's candidates by the model's score; None where it is
            none of them.
        pool_size: How many candidates there are.
        list_length: How many are shown.
    """

    shown_rank: Annotated[int, Field(ge=1)] | None = None
    known: bool = False
    left_out_by: tuple[str, ...] = ()
    base_rank: Annotated[int, Field(ge=1)] | None = None
    pool_size: Annotated[int, Field(ge=0)] = 0
    list_length: Annotated[int, Field(ge=0)] = 0


class Shared(Record):
    """Topics that an item shares with what the user knows.

    Attributes:
        title: Of the item in the user's history.
        topics: The topics in common.
    """

    title: str
    topics: tuple[str, ...]


def answer_why(item: ItemFacts, text: str, rank: int) -> str:
    """The stored reason of an item of the last list."""
    return f'"{item.title}" is number {rank} of your list. {text}'


def answer_why_not(item: ItemFacts, place: Placement) -> str:
    """Why an item is not in the list; where it is, that it is."""
    if place.shown_rank is not None:
        return f'"{item.title}" is in your list, as number {place.shown_rank}.'
    reasons = ["you know it already, and what is known is not shown again"] if place.known else []
    if place.left_out_by:
        reasons.append(f"your wishes rule it out ({', '.join(place.left_out_by)})")
    if reasons:
        return f'"{item.title}" is not in your list: {"; and ".join(reasons)}.'
    if place.base_rank is None:
        return (
            f'"{item.title}" is not in your list: it is not among the {place.pool_size} candidates '
            "that the model proposes for you."
        )
    return (
        f'"{item.title}" is number {place.base_rank} of {place.pool_size} by the model\'s score '
        f"for you, before rules and wishes; the list shows {place.list_length}."
    )


def answer_describe(item: ItemFacts, shared: Sequence[Shared] = ()) -> str:
    """What the catalogue says of an item, and what it shares with the user's history."""
    parts = [f'"{item.title}"{_of_year(item)} {_filed(item)}.', _popularity(item)]
    for link in shared[:2]:
        parts.append(f'It shares {_list(link.topics)} with "{link.title}", which you know.')
    return " ".join([*parts, "That is all the catalogue says of it."])


def answer_compare(one: ItemFacts, other: ItemFacts) -> str:
    """What two items have in common, and how they differ in year, topics and popularity."""
    common = [topic for topic in one.topics if topic in other.topics]
    parts = [f"Both are filed under {_list(common)}." if common else "They share no topic."]
    for item, against in ((one, other), (other, one)):
        alone = [topic for topic in item.topics if topic not in against.topics]
        if alone:
            parts.append(f'Only "{item.title}" is filed under {_list(alone)}.')
    parts.append(_older(one, other))
    parts.append(_better_known(one, other))
    return " ".join(parts)


def answer_wishes(phrases: Sequence[str]) -> str:
    """Which wishes hold."""
    if not phrases:
        return "You have no wishes set: the list is as it comes."
    return f"You asked for: {', '.join(phrases)}. Say “forget …” to take one back."


def _of_year(item: ItemFacts) -> str:
    return "" if item.year is None else f" ({item.year})"


def _filed(item: ItemFacts) -> str:
    return f"is filed under {_list(item.topics)}" if item.topics else "is filed under no topic"


def _popularity(item: ItemFacts) -> str:
    share = round(item.popularity_percentile)
    tail = " It belongs to the less-known titles." if item.long_tail else ""
    return f"{share} % of the other titles were chosen by fewer people.{tail}"


def _older(one: ItemFacts, other: ItemFacts) -> str:
    if one.year is None or other.year is None:
        unknown = one if one.year is None else other
        return f'The year of "{unknown.title}" is not known.'
    if one.year == other.year:
        return f"Both are of {one.year}."
    old, new = sorted((one, other), key=lambda item: item.year or 0)
    return f'"{old.title}" ({old.year}) is older than "{new.title}" ({new.year}).'


def _better_known(one: ItemFacts, other: ItemFacts) -> str:
    if one.popularity_percentile == other.popularity_percentile:
        return "Equally many people chose them."
    less, more = sorted((one, other), key=lambda item: item.popularity_percentile)
    return f'More people chose "{more.title}" than "{less.title}".'


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
