"""What one statement claims, and whether the evidence holds it."""

import re
from collections.abc import Callable, Iterator

from .evidence import Evidence, ItemFacts, Link, Move, Record, Rule
from .patterns import MARK_FROM, split_list
from .policy_patterns import read_effect, read_state
from .wording import POPULAR_FROM, group_name, speaks_of_long_tail

_EXACT = ("item_weights", "item_weights_truncated")
_LIKING = ("liked", "enjoyed")


class Claim(Record):
    """One relation that a text states.

    Attributes:
        kind: Which relation: ``liked``, ``chosen``, ``because``, ``close``, ``together``,
            ``rated``, ``shares``, ``topic``, ``year``, ``less_known``, ``popular``, ``share``,
            ``exposure``, ``diversity``, ``state``, ``policy`` or ``rank``.
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
) -> Iterator[Claim]:
    """The claims of a matched statement.

    Args:
        kind: The pattern's kind.
        match: Its match over the marked text.
        evidence: What is known.
        named: From a mark to the item it stands for.
        text: The statement as it reads, for the records.
    """
    parts = {key: value for key, value in match.groupdict().items() if value is not None}
    subject = _subject(parts.get("subject"), evidence, named)
    titles = [named(char) for char in parts.get("titles", "") if ord(char) >= MARK_FROM]

    def claim(kind: str, item: ItemFacts | None, value: str | None, holds: bool) -> Claim:
        item_id = item.item_id if item else None
        return Claim(kind=kind, text=text, item_id=item_id, value=value, holds=holds)

    if "subject" in parts and kind not in ("topic", "less_known", "popular", "year"):
        ours = subject == evidence.item
        if not ours:
            yield claim(kind, subject, None, False)
            return
    if kind in ("because", "close", "together", "liked"):
        verb = parts.get("liked", "").casefold()
        for item in titles:
            yield claim(*_liking(verb, item, evidence))
            if kind != "liked":
                yield claim(kind, item, None, _led_here(kind, item, evidence))
    elif kind == "rated":
        link = _link(titles[0], evidence)
        holds = link is not None and link.rating is not None
        same = holds and f"{link.rating:g}" == parts["number"] if link else False
        yield claim(kind, titles[0], parts["number"], same)
    elif kind == "shares":
        for item in titles:
            for topic in _topic_names(parts["topics"], evidence):
                link = _link(item, evidence)
                yield claim(kind, item, topic, link is not None and topic in link.shared_topics)
    elif kind == "topic":
        for topic in _topic_names(parts["topics"], evidence):
            yield claim(kind, subject, topic, topic in subject.topics)
    elif kind == "year":
        yield claim(kind, subject, parts["number"], str(subject.year) == parts["number"])
    elif kind == "less_known":
        yield claim(kind, subject, None, subject.long_tail is True)
    elif kind == "popular":
        popular = not subject.long_tail and subject.popularity_percentile >= POPULAR_FROM
        yield claim(kind, subject, None, popular)
    elif kind == "share":
        link = _link(titles[0], evidence)
        exact = link is not None and evidence.attribution == "item_weights"
        percent = str(round(100 * link.share)) if link else ""
        yield claim(kind, titles[0], parts["number"], exact and percent == parts["number"])
    elif kind == "rank":
        said = (parts["number"], parts["of"])
        known = (str(evidence.base_rank), str(evidence.pool_size))
        yield claim(kind, evidence.item, " of ".join(said), said == known)
    elif kind in ("exposure", "diversity", "state"):
        rule: Rule = kind
        moved = any(_moved_so(move, parts) for move in evidence.moves if move.rule == rule)
        value = " ".join(filter(None, (parts["number"], parts.get("tail") or parts.get("group"))))
        yield claim(kind, evidence.item, value, moved)
    elif kind == "policy":
        yield claim(kind, evidence.item, parts["effect"], _moved_weights_so(evidence, parts))
    else:  # a pattern without a check would be a hole
        yield claim(kind, None, None, False)


def _subject(mark: str | None, evidence: Evidence, named: Callable[[str], ItemFacts]) -> ItemFacts:
    """A mark's item; "it" and "this film" are the recommended one."""
    if mark is None or ord(mark[0]) < MARK_FROM:
        return evidence.item
    return named(mark)


def _link(item: ItemFacts, evidence: Evidence) -> Link | None:
    return next((link for link in evidence.links if link.item.item_id == item.item_id), None)


def _liking(
    verb: str, item: ItemFacts, evidence: Evidence
) -> tuple[str, ItemFacts, str | None, bool]:
    """A liking needs a rating to show for it; having chosen an item does not."""
    known = _link(item, evidence) is not None
    if verb in _LIKING:
        return "liked", item, None, known and evidence.liked == "rated_at_least_4"
    return "chosen", item, None, known


def _led_here(kind: str, item: ItemFacts, evidence: Evidence) -> bool:
    """Whether the attribution supports the relation: a cosine is no cause."""
    if _link(item, evidence) is None:
        return False
    if kind == "because":
        return evidence.attribution in _EXACT
    if kind == "close":
        return evidence.attribution == "embedding_cosine"
    return evidence.attribution == "co_occurrence"


def _topic_names(listed: str, evidence: Evidence) -> tuple[str, ...]:
    items = (evidence.item, *(link.item for link in evidence.links))
    known = tuple(dict.fromkeys(topic for item in items for topic in item.topics))
    return split_list(listed, known) or (listed,)


def _moved_so(move: Move, parts: dict[str, str]) -> bool:
    """Same number of places upward, same precision, same group."""
    if move.places <= 0 or str(move.places) != parts["number"]:
        return False
    if move.exact == ("least" in parts):
        return False
    if move.rule != "exposure":
        return True
    if "tail" in parts:
        return speaks_of_long_tail(move)
    return parts.get("group") == group_name(move) and not speaks_of_long_tail(move)


def _moved_weights_so(evidence: Evidence, parts: dict[str, str]) -> bool:
    """Same state, level, topic and number; same aspect and direction; same places, if any."""
    reason = evidence.policy
    if reason is None:
        return False
    state, level, topic, number = read_state(parts["state"])
    aspect, group, direction = read_effect(parts["effect"])
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
