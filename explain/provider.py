"""Why an item was shown as often as it was: for whoever made or offers it, not for who saw it.

Only counts over many lists are told. No list, no user and no history is; under a least number of
lists nothing is told at all, since a count over few lists speaks of the people who got them.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from ..arrays import IntArray
from ..errors import InvalidValue
from .evidence import ItemFacts, Record, Rule
from .language import MARK, Language
from .languages import LanguageCode, language_of
from .sanitise import clean_name
from .trace import RankTrace

LEAST_LISTS = 20
"""Lists under which nothing is told."""

Count = Annotated[int, Field(ge=0)]


class RuleEffect(Record):
    """In how many lists one rule decided whether the item was shown.

    Attributes:
        rule: Which kind of rule.
        attribute: Item attribute of an exposure floor.
        group: Group of an exposure floor.
        into: Lists that show the item and would not without the rule.
        out: Lists that do not show it and would without the rule.
    """

    rule: Rule
    attribute: str | None = None
    group: str | None = None
    into: Count
    out: Count


class ProviderEvidence(Record):
    """Counts over lists.

    Attributes:
        item: The item.
        lists: Lists that were looked at.
        candidate: Those in which the model had proposed it.
        shown: Those that show it.
        by_score: Those that would show it by the model's scores alone.
        without_rules: Those that would show it without exposure and diversity rules; None where
            that is not known of each of them.
        effects: Per rule, where it changed anything.
    """

    item: ItemFacts
    lists: Annotated[int, Field(ge=LEAST_LISTS)]
    candidate: Count
    shown: Count
    by_score: Count
    without_rules: Count | None
    effects: tuple[RuleEffect, ...]


def provider_evidence(
    index: int, facts: ItemFacts, traces: Sequence[RankTrace]
) -> ProviderEvidence:
    """Count over lists.

    Args:
        index: The item's index.
        facts: Its facts.
        traces: What the re-ranker did, one of each list.

    Raises:
        InvalidValue: There are fewer lists than may be told of.
    """
    if len(traces) < LEAST_LISTS:
        raise InvalidValue(
            f"{len(traces)} lists, fewer than {LEAST_LISTS} would speak of single people",
            field="traces",
            mend="Look at a longer time.",
        )

    def on_top(order: IntArray, trace: RankTrace) -> bool:
        return bool(np.isin(index, order[: len(trace.shown)]))

    shown = [on_top(trace.shown, trace) for trace in traces]
    free = [trace.unruled for trace in traces]
    counts: dict[tuple[Rule, str | None, str | None], list[int]] = {}
    for trace, is_shown in zip(traces, shown, strict=True):
        for rule in trace.without:
            would = on_top(rule.order, trace)
            count = counts.setdefault((rule.rule, rule.attribute, rule.group), [0, 0])
            count[0] += is_shown and not would
            count[1] += would and not is_shown
    known = [
        on_top(order, trace) for order, trace in zip(free, traces, strict=True) if order is not None
    ]
    return ProviderEvidence(
        item=facts,
        lists=len(traces),
        candidate=sum(bool(np.isin(index, trace.pool)) for trace in traces),
        shown=sum(shown),
        by_score=sum(on_top(trace.pool, trace) for trace in traces),
        without_rules=sum(known) if len(known) == len(traces) else None,
        effects=tuple(
            RuleEffect(rule=rule, attribute=attribute, group=group, into=into, out=out)
            for (rule, attribute, group), (into, out) in counts.items()
            if into or out
        ),
    )


def provider_text(
    evidence: ProviderEvidence, noun: str = "title", language: LanguageCode = "en"
) -> str:
    """The counts in sentences; equal evidence gives equal text."""
    words = language_of(language)
    return " ".join(f"{one[0].upper()}{one[1:]}" for one in _sentences(evidence, noun, words))


def _sentences(evidence: ProviderEvidence, noun: str, words: Language) -> Iterator[str]:
    say, item = words.provider, words.quoted(evidence.item.title)
    yield say["shown"].format(
        item=item, candidate=evidence.candidate, lists=evidence.lists, shown=evidence.shown
    )
    yield say["by_score"].format(number=evidence.by_score)
    if evidence.without_rules is not None:
        yield say["without_rules"].format(number=evidence.without_rules)
    for effect in evidence.effects:
        who = words.sentences[_whose(effect)][0]
        who = who.format(nouns=words.nouns(noun)[1], group=clean_name(effect.group or ""))
        yield say[effect.rule].format(who=who, into=effect.into, out=effect.out)


def verify_provider(
    text: str, evidence: ProviderEvidence, noun: str = "title", language: LanguageCode = "en"
) -> tuple[str, ...]:
    """What is wrong with a text; empty where every sentence is a count of the evidence.

    Like `verify.verify` it reads the finished text, by forms written apart from the sentences.
    """
    words = language_of(language)
    problems: list[str] = []
    marked = re.sub(r'["„“]([^"„“”]*)["“”]', lambda m: _mark(m[1], evidence), text)
    forms = _forms(words, noun)
    for sentence in re.split(r"(?<=\.) ", marked):
        matches = ((kind, form.fullmatch(sentence)) for kind, form in forms)
        read = next(((kind, match) for kind, match in matches if match is not None), None)
        if read is None:
            problems.append(f"can't be attributed: {sentence[:60]!r}")
        elif not _holds(read[0], read[1].groupdict(), evidence):
            problems.append(f"not so: {sentence[:60]!r}")
    return tuple(problems)


def _mark(title: str, evidence: ProviderEvidence) -> str:
    return "\ue000" if title == evidence.item.title else f'"{title}"'


def _forms(words: Language, noun: str) -> list[tuple[str, re.Pattern[str]]]:
    nouns = "|".join(map(re.escape, {words.nouns(noun)[1], *words.read_nouns[1]}))
    who = words.fragments["who"].format(nouns=f"(?:{nouns})")
    return [
        (kind, re.compile(form.format(item=MARK, who=who), re.IGNORECASE))
        for kind, form in words.provider_forms
    ]


def _holds(kind: str, parts: dict[str, str | None], evidence: ProviderEvidence) -> bool:
    if kind == "shown":
        told = (parts["candidate"], parts["lists"], parts["shown"])
        return told == tuple(map(str, (evidence.candidate, evidence.lists, evidence.shown)))
    if kind in ("by_score", "without_rules"):
        known = evidence.by_score if kind == "by_score" else evidence.without_rules
        return known is not None and parts["number"] == str(known)
    return any(
        effect.rule == kind
        and (parts["into"], parts["out"]) == (str(effect.into), str(effect.out))
        and (kind != "exposure" or _same_group(effect, parts))
        for effect in evidence.effects
    )


def _whose(effect: RuleEffect) -> str:
    tail = (effect.attribute, effect.group) == ("popularity", "long_tail")
    return "less_known_ones" if tail else "group"


def _same_group(effect: RuleEffect, parts: dict[str, str | None]) -> bool:
    if _whose(effect) == "less_known_ones":
        return parts["tail"] is not None
    return parts["group"] == clean_name(effect.group or "")
