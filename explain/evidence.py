"""What is known about why an item is on a slate: computed, stored, and never generated."""

import hashlib
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from ..rerankers.policy_reason import PolicyReason

AttributionMethod = Literal[
    "item_weights",
    "item_weights_truncated",
    "leave_one_out",
    "embedding_cosine",
    "co_occurrence",
    "none",
]
"""How the history was weighed. ``item_weights`` is exact: the terms of a linear model's own sum;
``item_weights_truncated`` has exact terms, but small ones are missing from the sum.
``leave_one_out`` is what the model's own score loses without the item: its answer, but no term of
a sum. The cosine and the co-occurrence say how near an item of the history is, not how much of the
score it made."""

CAUSAL = ("item_weights", "item_weights_truncated", "leave_one_out")
"""Methods that support "because": by the model's own account the score is lower without."""

LikedRule = Literal["rated_at_least_4", "all_history"]
Rule = Literal["exposure", "diversity", "state"]
Scope = Literal["lately", "history"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Percent = Annotated[float, Field(ge=0.0, le=100.0)]


class Record(BaseModel):
    """Base of the records of this room: frozen, closed, without NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    added: ClassVar[frozenset[str]] = frozenset()
    """Fields that older records lack: left out of the JSON while they say nothing, so that what
    was stored before they came reads back with the same hash."""

    @model_serializer(mode="wrap")
    def _without_the_unsaid(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        plain: dict[str, Any] = handler(self)
        defaults = type(self).model_fields
        silent = {name for name in self.added if getattr(self, name) == defaults[name].default}
        return {name: value for name, value in plain.items() if name not in silent}


class ItemFacts(Record):
    """What the catalogue says about one item.

    Attributes:
        item_id: Public id.
        title: Display title, already sanitised.
        year: Year of release, if known.
        topics: Topic (genre) names, in catalogue order.
        popularity_percentile: Share of the other items with fewer training interactions, in %.
        long_tail: Whether it is in the group ``long_tail`` of ``popularity``; None if the
            catalogue has no such group or the item's is not known.
        newer_than: Share of the other dated items that are from an earlier year, in %; None
            without a year.
    """

    added: ClassVar[frozenset[str]] = frozenset({"newer_than"})

    item_id: str
    title: str
    year: int | None
    topics: tuple[str, ...]
    popularity_percentile: Percent
    long_tail: bool | None
    newer_than: Percent | None = None


class Link(Record):
    """One item of the user's history that speaks for the recommended item.

    Attributes:
        item: The item of the history.
        share: Its part of the history's whole positive contribution (liked or not).
        rating: The user's rating of it, if there was one.
        shared_topics: Topics that it has in common with the recommended item.
    """

    item: ItemFacts
    share: Share
    rating: float | None
    shared_topics: tuple[str, ...]


class ScoreParts(Record):
    """What the re-ranker's score of the item was made of, in the re-ranker's own unit."""

    base: float = 0.0
    diversity: float = 0.0
    exposure: float = 0.0
    state: float = 0.0


class Move(Record):
    """What one rule did to the item's place.

    Attributes:
        rule: Which kind of rule.
        attribute: Item attribute of an exposure floor.
        group: Group of an exposure floor.
        places: Places gained by the rule; negative when it moved the item down.
        exact: False when the ranking without the rule was not followed far enough to find the
            item, so that it gained at least ``places``.
    """

    rule: Rule
    attribute: str | None = None
    group: str | None = None
    places: int
    exact: bool = True


class TopicShare(Record):
    """How many items of the user's history have one of the recommended item's topics.

    Attributes:
        topic: The topic.
        scope: ``history`` counts all of it; ``lately`` the last ones, where the log has times.
        count: Items with the topic.
        total: Items counted over.
    """

    topic: str
    scope: Scope
    count: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=1)]


class WithoutRules(Record):
    """The item's place in the list that neither exposure nor diversity rules had changed.

    Attributes:
        rank: Its place there, 1 is the top.
        exact: False when that ranking was not followed far enough, so that it stood at ``rank``
            or lower.
        instead_of: What would stand in the item's present place; None if the item itself would,
            or where the ranking was not followed that far.
    """

    rank: Annotated[int, Field(ge=1)]
    exact: bool = True
    instead_of: ItemFacts | None = None


class Contrast(Record):
    """What is known of an item that the user asks about instead.

    Attributes:
        item: The other item.
        seen: Whether the user has it behind them, so that it is not proposed.
        filtered: Whether it was in the pool and left it before the ranking: by a wish, or because
            the user met it since the model was fitted.
        base_rank: Its rank in the pool by base score; None if it is not in the pool.
        shown_rank: Its place on the slate; None if it is not on it.
        links: Liked items that speak for it, strongest first; none if it is not in the pool.
    """

    item: ItemFacts
    seen: bool
    filtered: bool = False
    base_rank: Annotated[int, Field(ge=1)] | None = None
    shown_rank: Annotated[int, Field(ge=1)] | None = None
    links: tuple[Link, ...] = ()


class Evidence(Record):
    """Everything a text about one recommended item may say.

    Attributes:
        item: The recommended item.
        links: Liked items that speak for it, strongest first.
        attribution: How the links' shares were computed.
        liked: Which items of the history counted as liked.
        n_liked: How many there were.
        base_score: The base model's score.
        base_rank: Its rank in the user's pool by base score, 1 is best.
        pool_size: Candidates in the pool.
        shown_rank: Position on the slate, 1 is the top.
        parts: Parts of the re-ranker's score.
        moves: What each rule did to the place; rules without effect are left out.
        policy: A state of the user that moved a learned policy's weights, and this item up by it;
            None where there is none that could be told.
        taste: Counts of the item's topics over the user's history.
        without_rules: What the list would have been without exposure and diversity rules; None
            where the re-ranker does not tell.
        contrast: Another item that the user asks about; None unless one was named.
    """

    added: ClassVar[frozenset[str]] = frozenset({"taste", "without_rules", "contrast"})

    item: ItemFacts
    links: tuple[Link, ...]
    attribution: AttributionMethod
    liked: LikedRule
    n_liked: Annotated[int, Field(ge=0)]
    base_score: float
    base_rank: Annotated[int, Field(ge=1)]
    pool_size: Annotated[int, Field(ge=1)]
    shown_rank: Annotated[int, Field(ge=1)]
    parts: ScoreParts
    moves: tuple[Move, ...] = ()
    policy: PolicyReason | None = None
    taste: tuple[TopicShare, ...] = ()
    without_rules: WithoutRules | None = None
    contrast: Contrast | None = None

    def items(self) -> tuple[ItemFacts, ...]:
        """Every item that a text may name, the recommended one first, each once."""
        named = [self.item, *(link.item for link in self.links)]
        if self.without_rules is not None and self.without_rules.instead_of is not None:
            named.append(self.without_rules.instead_of)
        if self.contrast is not None:
            named += [self.contrast.item, *(link.item for link in self.contrast.links)]
        return tuple({item.item_id: item for item in named}.values())

    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON: equal evidence, equal hash."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def gained(self, rule: Rule) -> Move | None:
        """The largest gain of places by ``rule``; None where it moved the item not at all or down.

        Gains by different floors are not added up: each was measured without one floor only.
        """
        gains = [move for move in self.moves if move.rule == rule and move.places > 0]
        return max(gains, key=lambda move: move.places, default=None)

    def lost(self, rule: Rule) -> Move | None:
        """The largest loss of places by ``rule``; None where it moved the item not at all or up."""
        losses = [move for move in self.moves if move.rule == rule and move.places < 0]
        return min(losses, key=lambda move: move.places, default=None)
