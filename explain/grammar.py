"""A grammar per request in which every path is a true text.

A language model of any size, decoding under this grammar (GBNF, as llama.cpp reads it), chooses
how something is said, never what is so.
"""

import numpy as np

from .evidence import Evidence
from .wording import Slot, Style, sentence_slots


def relation_grammar(evidence: Evidence, noun: str = "title", style: Style = "short") -> str:
    """GBNF whose sentences are all supported by the evidence.

    Rule ``root`` is a sequence of slots; a slot that is not required may be left out.
    """
    slots = sentence_slots(evidence, noun, style)
    root = " ".join(slot.says if slot.required else f"{slot.says}?" for slot in slots)
    return "\n".join([f"root ::= {root}", *(_rule(slot) for slot in slots)]) + "\n"


def longest_text(evidence: Evidence, noun: str = "title", style: Style = "short") -> int:
    """Characters of the longest text that the grammar allows."""
    slots = sentence_slots(evidence, noun, style)
    return sum(max(len(s) for s in slot.sentences) + 1 for slot in slots)


def sample_text(
    evidence: Evidence, rng: np.random.Generator, noun: str = "title", style: Style = "short"
) -> str:
    """A text drawn uniformly slot by slot: what a model without preferences would write."""
    chosen: list[str] = []
    for slot in sentence_slots(evidence, noun, style):
        options = slot.sentences if slot.required else (*slot.sentences, "")
        chosen.append(options[rng.integers(len(options))])
    return " ".join(sentence for sentence in chosen if sentence)


def _rule(slot: Slot) -> str:
    lead = "" if slot.says == "opening" else " "
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
