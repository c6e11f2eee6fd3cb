"""Whether a relation that a statement names is in the evidence: one function for each kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .evidence import Evidence, ItemFacts, Link, Scope

POPULAR_FROM = 90.0
"""A popularity percentile from which an item may be called popular."""


@dataclass(frozen=True, slots=True)
class Said:
    """One statement, read.

    Attributes:
        evidence: What is known.
        subject: What it is said of; the recommended item where the text says "it".
        other: The other item of the relation, if there is one.
        topics: Topics that it names.
        parts: Its numbers and words, by the names of `patterns.Pattern.regex`.
    """

    evidence: Evidence
    subject: ItemFacts
    other: ItemFacts | None
    topics: tuple[str, ...]
    parts: Mapping[str, str]

    @property
    def link(self) -> Link | None:
        """The liked item that ``other`` is, if it is one."""
        return link_of(self.other, self.evidence)

    def number_is(self, value: float | None, name: str = "number") -> bool:
        """Whether the text has this number there, as it is printed."""
        return value is not None and self.parts[name] == f"{value:g}"


def link_of(item: ItemFacts | None, evidence: Evidence) -> Link | None:
    """The liked item of that id, if the evidence names it."""
    if item is None:
        return None
    return next((link for link in evidence.links if link.item.item_id == item.item_id), None)


def _rated(said: Said) -> bool:
    return said.link is not None and said.number_is(said.link.rating)


def _popular(said: Said) -> bool:
    return not said.subject.long_tail and said.subject.popularity_percentile >= POPULAR_FROM


def _newer(said: Said) -> bool:
    newer = said.subject.newer_than
    return newer is not None and said.number_is(round(newer))


def _share(said: Said) -> bool:
    exact = said.evidence.attribution == "item_weights"
    return exact and said.link is not None and said.number_is(round(100 * said.link.share))


def _rank(said: Said) -> bool:
    evidence = said.evidence
    return said.number_is(evidence.base_rank) and said.number_is(evidence.pool_size, "of")


def _taste(scope: Scope) -> Callable[[Said], bool]:
    def holds(said: Said) -> bool:
        return any(
            share.scope == scope
            and (share.topic,) == said.topics
            and said.number_is(share.count)
            and said.number_is(share.total, "of")
            for share in said.evidence.taste
        )

    return holds


def _instead(said: Said) -> bool:
    without = said.evidence.without_rules
    return without is not None and said.other is not None and said.other == without.instead_of


def _would_stand(said: Said) -> bool:
    without = said.evidence.without_rules
    if without is None or without.exact == ("lower" in said.parts):
        return False
    return said.number_is(without.rank)


def _is_contrast(said: Said) -> bool:
    contrast = said.evidence.contrast
    return contrast is not None and said.other == contrast.item


def _ranks(said: Said) -> bool:
    contrast = said.evidence.contrast
    if contrast is None or not _is_contrast(said):
        return False
    return _rank(said) and said.number_is(contrast.base_rank, "other")


def _absent(said: Said) -> bool:
    contrast = said.evidence.contrast
    if contrast is None or not _is_contrast(said):
        return False
    return contrast.base_rank is None and said.number_is(said.evidence.pool_size, "of")


def _seen(said: Said) -> bool:
    contrast = said.evidence.contrast
    return contrast is not None and _is_contrast(said) and contrast.seen


def _filtered(said: Said) -> bool:
    contrast = said.evidence.contrast
    return contrast is not None and _is_contrast(said) and contrast.filtered


def _listed(said: Said) -> bool:
    contrast = said.evidence.contrast
    return contrast is not None and _is_contrast(said) and said.number_is(contrast.shown_rank)


def _unlike(said: Said) -> bool:
    if said.other is None or not _is_contrast(said):
        return False
    own, others = said.evidence.item.topics, said.other.topics
    return all(topic in own and topic not in others for topic in said.topics)


HOLDS: dict[str, Callable[[Said], bool]] = {
    "rated": _rated,
    "year": lambda said: said.number_is(said.subject.year),
    "less_known": lambda said: said.subject.long_tail is True,
    "popular": _popular,
    "newer": _newer,
    "share": _share,
    "rank": _rank,
    "place": lambda said: said.number_is(said.evidence.shown_rank),
    "taste_lately": _taste("lately"),
    "taste_history": _taste("history"),
    "instead": _instead,
    "would_stand": _would_stand,
    "ranks": _ranks,
    "absent": _absent,
    "seen": _seen,
    "filtered": _filtered,
    "listed": _listed,
    "unlike": _unlike,
}
"""Kinds that make one claim; a kind that is neither here nor in `claims.py` never holds."""
