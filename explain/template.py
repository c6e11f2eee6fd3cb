"""Plain text from the evidence, without a model."""

import hashlib

from .evidence import Evidence
from .wording import Slot, Style, sentence_slots

_DETAIL_ORDER = ("It shares", "Like ", "It has", "It is filed")


def template_text(evidence: Evidence, noun: str = "title", style: Style = "short") -> str:
    """One to five short sentences; equal evidence gives equal text.

    Which of the phrasings is taken depends on the item and the user's links only, so that a
    list does not repeat one sentence ten times and a page does not change when it is reloaded.
    """
    pick = _number(evidence)
    slots = sentence_slots(evidence, noun, style)
    return " ".join(_choose(slot, pick) for slot in slots)


def _choose(slot: Slot, pick: int) -> str:
    if slot.says == "detail":
        told = [s for s in slot.sentences if s.startswith(_DETAIL_ORDER)][:4] or slot.sentences
        return told[pick // 7 % len(told)]
    if slot.says == "opening":
        leading = slot.sentences[:8]
        return leading[pick % len(leading)]
    return slot.sentences[pick // 11 % len(slot.sentences)]


def _number(evidence: Evidence) -> int:
    key = "\x1f".join([evidence.item.item_id, *(link.item.item_id for link in evidence.links)])
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
