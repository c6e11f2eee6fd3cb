"""The check: a text is shown only if every statement in it is a relation in the evidence."""

import re

from .claims import Claim, check_statement
from .evidence import Evidence, ItemFacts, Record
from .language import Language
from .languages import LanguageCode, language_of
from .patterns import MARK_FROM, MARK_TO, Pattern, patterns
from .sanitise import is_name_character

MAX_TEXT = 2000
"""Characters of a text that are read; a longer one is refused."""

_QUOTED = re.compile(r'"(?P<title>[^"]*?)(?P<stop>[,.]?)"(?: \((?P<year>\d{1,4})\))?')
_QUOTES = str.maketrans(dict.fromkeys("“”„", '"'))
_PUNCTUATION = frozenset(".,;:!?’‘()%")
_COULD_BE_ANOTHER = ("topic", "year", "less_known", "popular", "newer", "shares")
"""Statements that make sense of any item; moves and ranks are the recommended item's alone."""


class Verdict(Record):
    """What the check found.

    Attributes:
        accepted: Whether the text may be shown.
        claims: What the text claims, each with whether it holds.
        problems: Why it is refused: claims that fail, and what can't be attributed.
    """

    accepted: bool
    claims: tuple[Claim, ...] = ()
    problems: tuple[str, ...] = ()


def verify(
    text: str, evidence: Evidence, noun: str = "title", language: LanguageCode = "en"
) -> Verdict:
    """Read the text's statements and hold each against the evidence.

    Refused are: a statement that does not hold; a title, year, genre, number or wording that
    belongs to no statement the check can read; "it" where it could mean another item; a text that
    keeps silent about an exposure rule that moved the item up.

    Args:
        text: One line.
        evidence: What is known of the recommended item.
        noun: What an item is called, in English, besides the words that the language has for it.
        language: The text's; a text in another one is refused.

    Raises:
        InvalidValue: There is no such language.
    """
    words = language_of(language)
    if not text or len(text) > MAX_TEXT:
        return Verdict(accepted=False, problems=(f"{len(text)} characters, 1 to {MAX_TEXT} read",))
    if any(MARK_FROM <= ord(char) <= MARK_TO for char in text):
        return Verdict(accepted=False, problems=("private-use characters",))
    named = _Names(evidence)
    marked = _QUOTED.sub(named.mark, text.translate(_QUOTES))
    strange = sorted({char for char in marked if not _readable(char)})
    problems = [*named.problems, *(f"character {char!r} outside a title" for char in strange)]
    if problems:
        return Verdict(accepted=False, problems=tuple(problems))
    forms = patterns(words.code, noun, _topics(evidence), evidence.policy is not None)
    claims, unread = _read(marked, forms, evidence, named, words)
    problems += unread
    problems += [f"not so: {claim.text}" for claim in claims if not claim.holds]
    if evidence.gained("exposure") and not any(claim.kind == "exposure" for claim in claims):
        problems.append("the exposure rule that moved the item up is not named")
    return Verdict(accepted=not problems, claims=tuple(claims), problems=tuple(problems))


class _Names:
    """Marks quoted titles, and remembers which item each mark stands for."""

    def __init__(self, evidence: Evidence) -> None:
        self._known = evidence.items()
        self.items: list[ItemFacts] = []
        self.problems: list[str] = []

    def mark(self, match: re.Match[str]) -> str:
        title, stop = match["title"], match["stop"]
        found = self._find(title + stop) or self._find(title)
        used_stop = "" if self._find(title + stop) else stop
        year = match["year"]
        fitting = [item for item in found if year is None or item.year == int(year)]
        if not fitting:
            what = "unknown title" if not found else "wrong year"
            self.problems.append(f"{what}: {match[0]}")
            return match[0]
        self.items.append(fitting[0])
        return chr(MARK_FROM + len(self.items) - 1) + used_stop

    def of(self, mark: str) -> ItemFacts:
        return self.items[ord(mark) - MARK_FROM]

    def plain(self, marked: str) -> str:
        """The text with its titles back in place, for messages."""
        return re.sub(r"[\uE000-\uF8FF]", lambda m: f'"{self.of(m[0]).title}"', marked)

    def _find(self, title: str) -> list[ItemFacts]:
        return [item for item in self._known if item.title.casefold() == title.casefold()]


def _read(
    marked: str,
    forms: tuple[Pattern, ...],
    evidence: Evidence,
    named: _Names,
    language: Language,
) -> tuple[list[Claim], list[str]]:
    """Statement, separator, statement, … up to the last full stop."""
    claims: list[Claim] = []
    place = 0
    it_is_clear = True
    item_named = False
    while place < len(marked):
        form, match = _longest(forms, marked, place)
        if form is None or match is None:
            return claims, [f"can't be attributed: {named.plain(marked[place : place + 60])!r}"]
        marks = [named.of(char) for char in match[0] if MARK_FROM <= ord(char) <= MARK_TO]
        about_item = evidence.item in marks or _says_it(match)
        if not it_is_clear and _says_it(match) and form.kind in _COULD_BE_ANOTHER:
            return claims, [f"'it' may mean another item: {named.plain(match[0])!r}"]
        said = named.plain(match[0])
        claims += check_statement(form.kind, match, evidence, named.of, said, language)
        item_named = item_named or about_item
        place = match.end()
        separator = language.separator.match(marked, place)
        if separator is None:
            return claims, [f"can't be attributed: {named.plain(marked[place : place + 60])!r}"]
        if separator["end"]:
            it_is_clear, item_named = item_named, False
        place = separator.end()
        if place == len(marked) and not separator["end"]:
            return claims, ["the last sentence has no end"]
    return claims, []


def _longest(
    forms: tuple[Pattern, ...], text: str, place: int
) -> tuple[Pattern | None, re.Match[str] | None]:
    matches = [(form, form.regex.match(text, place)) for form in forms]
    read = [(form, match) for form, match in matches if match is not None]
    return max(read, key=lambda pair: pair[1].end(), default=(None, None))


def _says_it(match: re.Match[str]) -> bool:
    subject = match.groupdict().get("subject")
    return subject is not None and ord(subject[0]) < MARK_FROM


def _readable(char: str) -> bool:
    return char in _PUNCTUATION or MARK_FROM <= ord(char) <= MARK_TO or is_name_character(char)


def _topics(evidence: Evidence) -> tuple[str, ...]:
    topics = [topic for item in evidence.items() for topic in item.topics]
    topics += [share.topic for share in evidence.taste]
    if evidence.policy is not None and evidence.policy.topic is not None:
        topics.append(evidence.policy.topic)
    return tuple(dict.fromkeys(topics))
