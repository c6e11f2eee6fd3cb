"""A grammar per request in which every path is a true text.

A language model of any size, decoding under this grammar (GBNF, as llama.cpp reads it), chooses
how something is said, never what is so.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .evidence import Evidence
from .languages import LanguageCode
from .wording import Slot, Style, sentence_slots

OFFERED = 4
"""Sentences of a slot that a model may choose among."""


def relation_grammar(
    evidence: Evidence, noun: str = "title", style: Style = "short", language: LanguageCode = "en"
) -> str:
    """GBNF whose sentences are all supported by the evidence.

    Rule ``root`` is a sequence of slots; a slot that is not required may be left out. Of the
    sentences of a slot a few are offered, drawn by the evidence's hash: a small model has
    favourites, and would write the same few sentences about everything.
    """
    slots = _offered(sentence_slots(evidence, noun, style, language), evidence)
    root = " ".join(slot.says if slot.required else f"{slot.says}?" for slot in slots)
    rules = [_rule(slot, first=place == 0) for place, slot in enumerate(slots)]
    return "\n".join([f"root ::= {root}", *rules]) + "\n"


def longest_text(
    evidence: Evidence, noun: str = "title", style: Style = "short", language: LanguageCode = "en"
) -> int:
    """Characters of the longest text that the grammar allows."""
    slots = sentence_slots(evidence, noun, style, language)
    return sum(max(len(s) for s in slot.sentences) + 1 for slot in slots)


def sample_text(
    evidence: Evidence,
    rng: np.random.Generator,
    noun: str = "title",
    style: Style = "short",
    language: LanguageCode = "en",
) -> str:
    """A text drawn slot by slot from all true sentences, each as likely as the others."""
    chosen: list[str] = []
    for slot in sentence_slots(evidence, noun, style, language):
        options = slot.sentences if slot.required else (*slot.sentences, "")
        chosen.append(options[rng.integers(len(options))])
    return " ".join(sentence for sentence in chosen if sentence)


def _offered(slots: Sequence[Slot], evidence: Evidence) -> list[Slot]:
    """The slots with at most ``OFFERED`` sentences each; equal evidence, equal draw."""
    rng = np.random.default_rng(int(evidence.content_hash()[:16], 16))
    drawn: list[Slot] = []
    for slot in slots:
        rows = rng.permutation(len(slot.sentences))[:OFFERED]
        drawn.append(replace(slot, sentences=tuple(slot.sentences[row] for row in sorted(rows))))
    return drawn


def _rule(slot: Slot, first: bool) -> str:
    lead = "" if first else " "
    return f"{slot.says} ::= " + " | ".join(_literal(lead + s) for s in slot.sentences)


def _literal(text: str) -> str:
    """A quoted GBNF literal.

    Sanitised titles hold neither quotes nor backslashes nor line ends; they are escaped all the
    same, so that the grammar stays whole whatever it is given.
    """
    escaped = "".join(
        f"\\x{ord(char):02X}" if ord(char) < 32 else f"\\{char}" if char in '"\\' else char
        for char in text
    )
    return f'"{escaped}"'
