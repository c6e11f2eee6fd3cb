"""Plain text from the evidence, without a model."""

import hashlib

from .evidence import Evidence
from .languages import LanguageCode
from .wording import Slot, Style, sentence_slots

_LEADING = {"opening": 12, "detail": 5}
"""How many of a slot's sentences are taken in turn: the first ones tell most."""

_TURN = {"opening": 1, "detail": 7}
"""Slots turn at different speeds, so that their phrasings do not go together."""

_NOT_ALWAYS = "taste"
"""Said of every second item only, where it need not be said."""


def template_text(
    evidence: Evidence, noun: str = "title", style: Style = "short", language: LanguageCode = "en"
) -> str:
    """One to five short sentences; equal evidence gives equal text.

    Which of the phrasings is taken depends on the item and the user's links only, so that a
    list does not repeat one sentence ten times and a page does not change when it is reloaded.
    """
    pick = _number(evidence)
    slots = list(sentence_slots(evidence, noun, style, language))
    if pick // 5 % 2:
        slots = [slot for slot in slots if slot.required or slot.says != _NOT_ALWAYS]
    return " ".join(_choose(slot, pick) for slot in slots)


def _choose(slot: Slot, pick: int) -> str:
    options = slot.sentences[: _LEADING.get(slot.says, len(slot.sentences))]
    return options[pick // _TURN.get(slot.says, 11) % len(options)]


def _number(evidence: Evidence) -> int:
    key = "\x1f".join([evidence.item.item_id, *(link.item.item_id for link in evidence.links)])
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
