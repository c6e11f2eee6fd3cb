"""The statements that the check can read, as patterns over a text whose titles are marked.

Together with the punctuation between them they are the whole language: what none of them reads
is not attributable and is refused. Each is a *relation*: it names who is said to do what to whom,
so that a true word in a false statement does not pass. The forms themselves belong to a language
(`english.py`); here they become regular expressions for one evidence record.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .language import Language
from .languages import language_of

MARK_FROM = 0xE000
"""First private character that stands for a title in a marked text."""

MARK_TO = 0xF8FF
"""Last such character."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One form of statement.

    Attributes:
        kind: What it claims.
        regex: Named groups: ``titles`` (marks), ``subject`` (what it is said of), ``topics``,
            ``number``, ``of``, ``other`` (a second number), ``liking`` or ``choosing`` (the
            verb), ``group`` or ``tail`` (whom a rule is for), ``least``, ``lower``, ``state``,
            ``effect``.
    """

    kind: str
    regex: re.Pattern[str]


@lru_cache(maxsize=256)
def patterns(
    code: str, noun: str, topics: tuple[str, ...], of_policy: bool = False
) -> tuple[Pattern, ...]:
    """All forms of a language, for the given word for an item and the topics of the evidence.

    Those about a policy's weights are many, and so are left out where the evidence holds nothing
    that they could say: then such a statement is not attributable.
    """
    language = language_of(code)
    parts = _fragments(language, noun, topics)
    forms = [(kind, form.format(**parts)) for kind, form in language.forms]
    if of_policy:
        words = [parts[name] for name in ("noun", "nouns", "topic", "subject", "places")]
        forms.append(("policy", language.policy_forms.form(*words)))
    return tuple(Pattern(kind, re.compile(rf"{form}(?!\w)", re.IGNORECASE)) for kind, form in forms)


def _fragments(language: Language, noun: str, topics: Sequence[str]) -> dict[str, str]:
    one, several = language.nouns(noun)
    ones, many = language.read_nouns
    longest_first = sorted(topics, key=len, reverse=True)
    names = "|".join(rf"{re.escape(name)}(?!\w)" for name in longest_first)
    parts = {
        "noun": _either((one, *ones)),
        "nouns": _either((several, *many)),
        # Without topics nothing may match: (?!) never does.
        "topic": f"(?:{names})" if topics else "(?!)",
    }
    for name, form in language.fragments.items():
        parts[name] = form.format(**parts)
    return parts


def _either(words: Sequence[str]) -> str:
    return "(?:" + "|".join(re.escape(word) for word in dict.fromkeys(words)) + ")"


def split_list(text: str, names: Sequence[str], conjunction: str) -> tuple[str, ...]:
    """The names of a matched list, as they are spelled in ``names``."""
    found: list[str] = []
    rest = text
    by_length = sorted(names, key=len, reverse=True)
    while rest:
        rest = re.sub(rf"^(?:, {conjunction} |, | {conjunction} )", "", rest)
        name = next((n for n in by_length if rest.casefold().startswith(n.casefold())), None)
        if name is None:
            return ()
        found.append(name)
        rest = rest[len(name) :]
    return tuple(found)
