"""What one statement claims, and whether the evidence holds it."""

import re
from collections.abc import Callable, Iterator

from .evidence import CAUSAL, Evidence, ItemFacts, Move, Record, Rule
from .language import Language
from .patterns import MARK_FROM, split_list
from .relations import HOLDS, Said, link_of
from .wording import group_name, speaks_of_long_tail

_RULES: dict[str, Rule] = {
    "exposure": "exposure",
    "diversity": "diversity",
    "state": "state",
    "exposure_down": "exposure",
    "diversity_down": "diversity",
    "state_down": "state",
}
_CATALOGUE = ("topic", "less_known", "popular", "year", "newer")
"""Claims that may be about any item of the record; all others are the recommended one's alone."""


class Claim(Record):
    """One relation that a text states.

    Attributes:
        kind: Which relation: ``liked``, ``chosen``, or one of the forms of `english.py`.
        text: The words that state it.
        item_id: The item it is about, or the other item of the relation.
        value: The topic, number or group it names.
        holds: Whether it is in the evidence.
    """

    kind: str
    text: str
    item_id: str | None = None
    value: str | None = None
    holds: bool


def check_statement(
    kind: str,
    match: re.Match[str],
    evidence: Evidence,
    named: Callable[[str], ItemFacts],
    text: str,
    language: Language,
) -> Iterator[Claim]:
    """The claims of a matched statement.

    Args:
        kind: The pattern's kind.
        match: Its match over the marked text.
        evidence: What is known.
        named: From a mark to the item it stands for.
        text: The statement as it reads, for the records.
        language: Of the statement.
    """
    parts = {key: value for key, value in match.groupdict().items() if value is not None}
    subject = _subject(parts.get("subject"), evidence, named)
    titles = [named(char) for char in parts.get("titles", "") if ord(char) >= MARK_FROM]
    topics = _topic_names(parts.get("topics", ""), evidence, language)

    def claim(kind: str, item: ItemFacts | None, value: str | None, holds: bool) -> Claim:
        item_id = item.item_id if item else None
        return Claim(kind=kind, text=text, item_id=item_id, value=value, holds=holds)

    if "subject" in parts and subject != evidence.item and kind not in _CATALOGUE:
        yield claim(kind, subject, None, False)
    elif kind in ("because", "close", "together", "liked"):
        for item in titles:
            if "liking" in parts or "choosing" in parts:
                yield claim(*_liking("liking" in parts, item, evidence))
            if kind != "liked":
                yield claim(kind, item, None, _led_here(kind, item, evidence))
    elif kind == "shares":
        for item in titles:
            link = link_of(item, evidence)
            for topic in topics:
                yield claim(kind, item, topic, link is not None and topic in link.shared_topics)
    elif kind == "topic":
        for topic in topics:
            yield claim(kind, subject, topic, topic in subject.topics)
    elif (rule := _RULES.get(kind)) is not None:
        up = not kind.endswith("_down")
        moved = any(_moved_so(move, parts, up) for move in evidence.moves if move.rule == rule)
        value = " ".join(filter(None, (parts["number"], parts.get("tail") or parts.get("group"))))
        yield claim(kind, evidence.item, value, moved)
    elif kind == "policy":
        moved = _moved_weights_so(evidence, parts, language)
        yield claim(kind, evidence.item, parts["effect"], moved)
    else:
        other = titles[0] if titles else None
        said = Said(evidence, subject, other, topics, parts)
        holds = kind in HOLDS and HOLDS[kind](said)  # a form without a check would be a hole
        yield claim(kind, other or subject, parts.get("number"), holds)


def _subject(mark: str | None, evidence: Evidence, named: Callable[[str], ItemFacts]) -> ItemFacts:
    """A mark's item; "it" and "this film" are the recommended one."""
    if mark is None or ord(mark[0]) < MARK_FROM:
        return evidence.item
    return named(mark)


def _liking(
    liking: bool, item: ItemFacts, evidence: Evidence
) -> tuple[str, ItemFacts, str | None, bool]:
    """A liking needs a rating to show for it; having chosen an item does not."""
    known = link_of(item, evidence) is not None
    if liking:
        return "liked", item, None, known and evidence.liked == "rated_at_least_4"
    return "chosen", item, None, known


def _led_here(kind: str, item: ItemFacts, evidence: Evidence) -> bool:
    """Whether the attribution supports the relation: a cosine is no cause."""
    if link_of(item, evidence) is None:
        return False
    if kind == "because":
        return evidence.attribution in CAUSAL
    if kind == "close":
        return evidence.attribution == "embedding_cosine"
    return evidence.attribution == "co_occurrence"


def _topic_names(listed: str, evidence: Evidence, language: Language) -> tuple[str, ...]:
    if not listed:
        return ()
    known = dict.fromkeys(topic for item in evidence.items() for topic in item.topics)
    known |= dict.fromkeys(share.topic for share in evidence.taste)
    return split_list(listed, tuple(known), language.conjunction) or (listed,)


def _moved_so(move: Move, parts: dict[str, str], up: bool) -> bool:
    """Same number of places, same direction, same precision, same group."""
    if str(move.places if up else -move.places) != parts["number"]:
        return False
    if move.exact == ("least" in parts) or not (up or move.exact):
        return False
    if move.rule != "exposure":
        return True
    if "tail" in parts:
        return speaks_of_long_tail(move)
    return parts.get("group") == group_name(move) and not speaks_of_long_tail(move)


def _moved_weights_so(evidence: Evidence, parts: dict[str, str], language: Language) -> bool:
    """Same state, level, topic and number; same aspect and direction; same places, if any."""
    reason = evidence.policy
    if reason is None:
        return False
    state, level, topic, number = language.policy_forms.read_state(parts["state"])
    aspect, group, direction = language.policy_forms.read_effect(parts["effect"])
    if aspect in ("floor:", "floor!"):
        of_that_kind = reason.aspect.startswith("floor:") and ("!=" in reason.aspect) == (
            aspect == "floor!"
        )
        same_aspect = of_that_kind and reason.group == group
    else:
        same_aspect = reason.aspect == aspect
    if "number" in parts and (
        str(reason.places) != parts["number"] or reason.exact == ("least" in parts)
    ):
        return False
    return (
        same_aspect
        and (reason.state, reason.level, reason.direction) == (state, level, direction)
        and (reason.topic or "").casefold() == (topic or "").casefold()
        and number in (None, round(reason.value))
    )
