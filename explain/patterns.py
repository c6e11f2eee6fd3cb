"""The statements that the check can read, as patterns over a text whose titles are marked.

Together with the punctuation between them they are the whole language: what none of them reads
is not attributable and is refused. Each is a *relation*: it names who is said to do what to whom,
so that a true word in a false statement does not pass.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .policy_patterns import policy_form

MARK_FROM = 0xE000
"""First private character that stands for a title in a marked text."""

MARK_TO = 0xF8FF
"""Last such character."""

_T = r"[\uE000-\uF8FF]"
_TITLES = rf"{_T}(?:, {_T})*(?:,? and {_T})?"
_NUMBER = r"(?P<number>\d+(?:\.\d+)?)"
_LIKED = r"(?P<liked>liked|enjoyed|chose|watched|saw)"
_HERE = (
    r"(?:is|was) (?:here|in your list|on your list|suggested|recommended|shown|chosen|picked)"
    r"(?: to you| for you)?"
)
_SHARE_RULE = r"(?:a|our) minimum share of exposure"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One form of statement.

    Attributes:
        kind: What it claims.
        regex: Named groups: ``titles`` (marks), ``subject`` (what it is said of), ``topics``,
            ``number``, ``liked`` (the verb), ``group``, ``least``, ``state``, ``effect``.
    """

    kind: str
    regex: re.Pattern[str]


@lru_cache(maxsize=256)
def patterns(
    nouns: tuple[str, ...], topics: tuple[str, ...], of_policy: bool = False
) -> tuple[Pattern, ...]:
    """All forms, for the given words for an item and the topics that the evidence holds.

    Those about a policy's weights are many, and so are left out where the evidence holds nothing
    that they could say: then such a statement is not attributable.
    """
    noun = "(?:" + "|".join(re.escape(word) for word in nouns) + ")"
    subject = rf"(?P<subject>it|this(?: {noun})?|this one|{_T})"
    titles = rf"(?P<titles>{_TITLES})"
    longest_first = sorted(topics, key=len, reverse=True)
    # Without topics nothing may match: (?!) never does.
    topic = "(?:" + "|".join(rf"{re.escape(name)}(?!\w)" for name in longest_first) + ")"
    topic = topic if topics else "(?!)"
    topic_list = rf"(?P<topics>{topic}(?:, {topic})*(?:,? and {topic})?)"
    places = r"(?P<least>at least )?(?P<number>\d+) places?"
    who = rf"(?:(?P<tail>less-known {noun}s)|{noun}s of the group ‘(?P<group>[^‘’]*)’)"
    you_liked = rf"you {_LIKED} {titles}"

    forms: list[tuple[str, str]] = [
        ("because", rf"{subject} {_HERE} because {you_liked}"),
        ("because", rf"because {you_liked}, {subject} {_HERE}"),
        ("because", rf"{you_liked}, (?:and that is why|so|which is why) {subject} {_HERE}"),
        ("close", rf"{subject} is close to {titles}, which you {_LIKED}"),
        ("close", rf"{you_liked}, and {subject} is close to that"),
        ("together", rf"people who chose {titles}, which you {_LIKED}, often chose {subject} too"),
        ("together", rf"{you_liked}; people who did often chose {subject} too"),
        ("liked", you_liked),
        ("rated", rf"you rated (?P<titles>{_T}) {_NUMBER}"),
        ("shares", rf"{subject} shares {topic_list} with {titles}"),
        ("shares", rf"{subject} has {topic_list} in common with {titles}"),
        ("shares", rf"like (?P<titles>{_T}), {subject} is (?:filed under|an?) {topic_list}"),
        ("shares", rf"{subject} and (?P<titles>{_T}) are both filed under {topic_list}"),
        ("topic", rf"{subject} is (?:filed under|an?) {topic_list}(?: {noun})?"),
        ("year", rf"{subject} (?:is|was released|came out) (?:from|in) {_NUMBER}"),
        ("less_known", rf"{subject} is (?:one of the|an?) less-known {noun}s?"),
        ("popular", rf"{subject} is (?:one of the most-chosen {noun}s|a widely chosen {noun})"),
        (
            "share",
            rf"(?P<titles>{_T}) makes up {_NUMBER} ?% of what your history adds to its score",
        ),
        (
            "share",
            rf"of what your history adds to its score, {_NUMBER} ?% comes from (?P<titles>{_T})",
        ),
        ("exposure", rf"{subject} stands {places} higher because {who} are kept at {_SHARE_RULE}"),
        ("exposure", rf"{_SHARE_RULE} for {who} moved {subject} up {places}"),
        ("exposure", rf"{subject} was moved up {places} so that {who} reach {_SHARE_RULE}"),
        ("exposure", rf"our rule of {_SHARE_RULE} for {who} moved {subject} up {places}"),
        ("diversity", rf"{subject} was moved up {places} to keep your list varied"),
        (
            "diversity",
            rf"{subject} stands {places} higher because it makes your list more varied",
        ),
        ("diversity", rf"variety in your list moved {subject} up {places}"),
        ("state", rf"what you chose and passed over lately moved {subject} up {places}"),
        ("state", rf"{subject} stands {places} higher because of your recent visits"),
        ("state", rf"your recent visits moved {subject} up {places}"),
        ("rank", rf"{subject} is number {_NUMBER} of (?P<of>\d+) by the model's score for you"),
        ("rank", rf"by the model's score for you, {subject} is number {_NUMBER} of (?P<of>\d+)"),
        (
            "rank",
            rf"the model's score for you puts {subject} at number {_NUMBER} of (?P<of>\d+)",
        ),
    ]
    if of_policy:
        forms.append(("policy", policy_form(noun, topic, subject, places)))
    return tuple(Pattern(kind, re.compile(rf"{form}(?!\w)", re.IGNORECASE)) for kind, form in forms)


SEPARATOR = re.compile(r"(?P<end>[.!])(?: |$)|, and also |, and |, also |; | and ")
"""What may stand between two statements; ``end`` closes a sentence."""


def split_list(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names of a matched list, as they are spelled in ``names``."""
    found: list[str] = []
    rest = text
    by_length = sorted(names, key=len, reverse=True)
    while rest:
        rest = re.sub(r"^(?:, and |, | and )", "", rest)
        name = next((n for n in by_length if rest.casefold().startswith(n.casefold())), None)
        if name is None:
            return ()
        found.append(name)
        rest = rest[len(name) :]
    return tuple(found)
