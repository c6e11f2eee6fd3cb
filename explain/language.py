"""What one language brings: sentences to write with, and forms of statements to read with.

A further language is one module like `german.py` (with the reasons of policies in one beside it)
and one line in `languages.py`. Its sentences and its forms are written apart: a sentence whose
meaning has no form is refused by the check, and a test holds every sentence of every language
against it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..rerankers.policy_reason import PolicyReason
from .policy_patterns import PolicyForms

MARK = "[\\uE000-\\uF8FF]"
"""A private character that stands for a title in a text that is read."""


@dataclass(frozen=True, slots=True)
class Language:
    """Words and forms of one language.

    Attributes:
        code: ISO 639-1, such as ``"en"``.
        quotes: What stands before and after a title.
        conjunction: The word between the last two of a list.
        nouns: From the English word for an item to its singular and plural.
        verbs: The words for having liked, and for having chosen, an item.
        places: From a number to that many places, such as ``"3 places"``.
        at_least: Puts "at least" before such words.
        sentences: Alternatives by what they say, with named gaps; most informative first.
        policy: A policy's reason as a clause; None where there are no true words for it.
        and_so: Follows such a clause: that it moved the item up by ``{places}``.
        read_nouns: Words for one item, and for several, that a text may use besides.
        fragments: Parts of the forms, by name; they may name each other, the earlier ones first.
        forms: What a statement claims, and how it reads: regular expressions with named gaps.
        separator: What may stand between two statements; ``end`` closes a sentence.
        policy_forms: How a policy's reason reads.
        provider: Sentences for whoever offers an item, by what they count.
        provider_forms: How they read.
        audit_labels: Words before an auditor's values.
    """

    code: str
    quotes: tuple[str, str]
    conjunction: str
    nouns: Callable[[str], tuple[str, str]]
    verbs: tuple[str, str]
    places: Callable[[int], str]
    at_least: str
    sentences: Mapping[str, tuple[str, ...]]
    policy: Callable[[PolicyReason, str], str | None]
    and_so: str
    read_nouns: tuple[tuple[str, ...], tuple[str, ...]]
    fragments: Mapping[str, str]
    forms: tuple[tuple[str, str], ...]
    separator: re.Pattern[str]
    policy_forms: PolicyForms
    provider: Mapping[str, str]
    provider_forms: tuple[tuple[str, str], ...]
    audit_labels: Mapping[str, str]

    def join(self, parts: Sequence[str]) -> str:
        """A list in words: ``a, b and c``."""
        if len(parts) == 1:
            return parts[0]
        return f"{', '.join(parts[:-1])} {self.conjunction} {parts[-1]}"

    def quoted(self, title: str) -> str:
        """A title between this language's quotation marks."""
        return f"{self.quotes[0]}{title}{self.quotes[1]}"
