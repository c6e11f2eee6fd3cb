"""Scores a parser: exact match, precision and recall of slots, intents."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..evidence import Record
from .load import Meaning, Utterance

_SAME_INTENT = {"unknown": "out_of_scope"}
"""Both are answered with "I can't"; which of the two it was changes nothing."""


class Scores(Record):
    """Scores over some utterances.

    Attributes:
        n: How many utterances.
        exact: Share with every wish, question and option right and none too many.
        precision: Of the slots that were read, the share that is meant.
        recall: Of the slots that are meant, the share that was read.
        f1: Their harmonic mean; 1 where nothing was meant and nothing was read.
        intents: Share of the last turns taken for what they are.
    """

    n: int
    exact: float
    precision: float
    recall: float
    f1: float
    intents: float


Slot = tuple[str, str]


def slots(meaning: Meaning) -> frozenset[Slot]:
    """The meaning as pairs of a name and a value, one per wish, question and item asked about."""
    found: set[Slot] = set()
    for name, value in meaning.refinement:
        if isinstance(value, tuple):
            found |= {(name, str(one)) for one in value}
        elif value is not None and value is not False:
            found.add((name, str(value)))
    if meaning.ask is not None:
        found.add(("ask", meaning.ask))
    return frozenset(found | {("about", item) for item in meaning.about})


def is_exact(gold: Meaning, read: Meaning) -> bool:
    """Whether every slot is right; a question back must offer at least what is meant."""
    return slots(gold) == slots(read) and _offers(gold, read)


def score(pairs: Sequence[tuple[Utterance, Meaning]]) -> Scores:
    """Scores of readings of utterances; slots are counted over all of them (micro average)."""
    meant = read = both = 0
    for utterance, meaning in pairs:
        gold, found = slots(utterance.gold), slots(meaning)
        meant, read, both = meant + len(gold), read + len(found), both + len(gold & found)
    precision = both / read if read else 1.0
    recall = both / meant if meant else 1.0
    total = precision + recall
    return Scores(
        n=len(pairs),
        exact=_mean(is_exact(utterance.gold, meaning) for utterance, meaning in pairs),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / total if total else 0.0,
        intents=_mean(_same_intent(utterance.gold, meaning) for utterance, meaning in pairs),
    )


def score_by_kind(pairs: Sequence[tuple[Utterance, Meaning]]) -> dict[str, Scores]:
    """Scores of each kind of utterance, in the set's order."""
    kinds = dict.fromkeys(utterance.kind for utterance, _ in pairs)
    return {kind: score([pair for pair in pairs if pair[0].kind == kind]) for kind in kinds}


def _offers(gold: Meaning, read: Meaning) -> bool:
    if not gold.options:
        return not read.options
    return set(gold.options) <= set(read.options)


def _same_intent(gold: Meaning, read: Meaning) -> bool:
    return _SAME_INTENT.get(gold.intent, gold.intent) == _SAME_INTENT.get(read.intent, read.intent)


def _mean(values: Iterable[bool]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else 1.0
