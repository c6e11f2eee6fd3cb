"""How often the check lets a lie through, and how often it refuses what is so."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...explain.evidence import Evidence
from ...explain.grammar import sample_text
from ...explain.verify import verify
from .corruptions import OPERATORS, World, corrupt
from .paraphrases import fill, paraphrases

_KEPT = 20
"""Examples of mistakes that are reported."""


class Rate(BaseModel):
    """A count of mistakes.

    Attributes:
        tried: Texts.
        wrong: How many the check judged wrongly.
        rate: Their share.
        examples: Some of them.
    """

    model_config = ConfigDict(frozen=True)

    tried: int
    wrong: int
    rate: float
    examples: tuple[str, ...]


class CheckerFigures(BaseModel):
    """The check, measured on texts whose truth is known from how they were made.

    Attributes:
        corrupted: Lies accepted, of true texts changed by the operators of `corruptions`.
        by_operator: Texts tried and accepted, by operator.
        grammar: True texts of the relation grammar that were refused.
        paraphrases: True texts of ``paraphrases.yaml`` that were refused.
        refused_forms: The paraphrases that were refused, without their gaps filled in.
    """

    model_config = ConfigDict(frozen=True)

    corrupted: Rate
    by_operator: dict[str, tuple[int, int]]
    grammar: Rate
    paraphrases: Rate
    refused_forms: tuple[str, ...]


def measure_checker(
    evidence: Sequence[Evidence],
    worlds: Sequence[World],
    noun: str,
    n_corrupted: int,
    rng: np.random.Generator,
) -> CheckerFigures:
    """Corrupt, paraphrase and sample texts of these records, and check all of them.

    Args:
        evidence: The records, in random order.
        worlds: What lies about each are made of.
        noun: What an item is called.
        n_corrupted: Lies to try; fewer where the records have not enough to lie about.
        rng: Source of all choices.
    """
    accepted: list[str] = []
    tried: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for operator, one, lie in _lies(evidence, worlds, noun, n_corrupted, rng):
        tried[operator] += 1
        if verify(lie, one, noun).accepted:
            passed[operator] += 1
            accepted.append(f"{operator}: {lie}")
    sampled = [(one, sample_text(one, rng, noun)) for one in evidence]
    refused = [text for one, text in sampled if not verify(text, one, noun).accepted]
    spoken = list(_paraphrased(evidence, noun))
    unread = [(form, text) for form, one, text in spoken if not verify(text, one, noun).accepted]
    return CheckerFigures(
        corrupted=_rate(tried.total(), accepted),
        by_operator={name: (tried[name], passed[name]) for name in OPERATORS},
        grammar=_rate(len(sampled), refused),
        paraphrases=_rate(len(spoken), [text for _, text in unread]),
        refused_forms=tuple(dict.fromkeys(form for form, _ in unread)),
    )


def _lies(
    evidence: Sequence[Evidence],
    worlds: Sequence[World],
    noun: str,
    wanted: int,
    rng: np.random.Generator,
) -> Iterator[tuple[str, Evidence, str]]:
    """Lies by each operator in turn; one that finds nothing to change passes its turn."""
    made, idle = 0, 0
    operators = cycle(OPERATORS)
    while made < wanted and idle < 20 * len(OPERATORS):
        operator = next(operators)
        row = int(rng.integers(len(evidence)))
        one = evidence[row]
        lie = corrupt(sample_text(one, rng, noun), one, worlds[row], operator, rng)
        if lie is None:
            idle += 1
            continue
        made, idle = made + 1, 0
        yield operator, one, lie


def _paraphrased(evidence: Sequence[Evidence], noun: str) -> Iterator[tuple[str, Evidence, str]]:
    """Each paraphrase for the first few records that it is true of."""
    for paraphrase in paraphrases():
        filled = ((one, fill(paraphrase, one, noun)) for one in evidence)
        true = [(one, text) for one, text in filled if text is not None]
        yield from ((paraphrase.text, one, text) for one, text in true[:5])


def _rate(tried: int, wrong: Sequence[str]) -> Rate:
    return Rate(
        tried=tried,
        wrong=len(wrong),
        rate=len(wrong) / tried if tried else float("nan"),
        examples=tuple(wrong[:_KEPT]),
    )
