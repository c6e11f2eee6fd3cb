"""One recommended item for an auditor: every number, rule and version on one line, no prose."""

import re
from collections.abc import Iterator, Mapping

from .evidence import Evidence, Move
from .languages import LanguageCode, language_of
from .sanitise import clean_name


def audit_text(
    evidence: Evidence, versions: Mapping[str, str], language: LanguageCode = "en"
) -> str:
    """``label: value`` pairs, separated by semicolons; equal evidence gives equal text.

    Args:
        evidence: What is known.
        versions: What else identifies the recommendation, such as ``{"policy": "843e3…"}``.
        language: Of the labels.
    """
    labels = language_of(language).audit_labels
    pairs = [f"{_label(key, labels)}: {value}" for key, value in _values(evidence, versions)]
    return f"{'; '.join(pairs)}."


def verify_audit(
    text: str, evidence: Evidence, versions: Mapping[str, str], language: LanguageCode = "en"
) -> tuple[str, ...]:
    """What is wrong with a text; empty where it holds each pair of the evidence once, and no other.

    An auditor's line is complete or wrong: a pair left out is a problem as well.
    """
    labels = language_of(language).audit_labels
    expected = [f"{_label(key, labels)}: {value}" for key, value in _values(evidence, versions)]
    told = text.removesuffix(".").split("; ") if text.endswith(".") else []
    missing = [f"left out: {pair}" for pair in expected if pair not in told]
    added = [pair for pair in told if told.count(pair) != expected.count(pair)]
    return (*missing, *(f"not so: {pair}" for pair in added))


def _values(evidence: Evidence, versions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "item", _plain(evidence.item.item_id)
    yield "title", f'"{evidence.item.title.replace(";", ",")}"'
    yield "place", str(evidence.shown_rank)
    yield "base_rank", f"{evidence.base_rank} / {evidence.pool_size}"
    yield "base_score", f"{evidence.base_score:.6g}"
    for part, value in evidence.parts.model_dump().items():
        if value != 0:
            yield f"part {part}", f"{value:.6g}"
    for move in evidence.moves:
        yield f"rule {_rule(move)}", f"{'' if move.exact else '≥ '}{move.places:+d}"
    without = evidence.without_rules
    if without is not None:
        yield "without_rules", f"{'' if without.exact else '≥ '}{without.rank}"
        if without.instead_of is not None:
            yield "instead_of", _plain(without.instead_of.item_id)
    yield "attribution", f"{evidence.attribution}, {evidence.liked}, {evidence.n_liked}"
    for link in evidence.links:
        yield f"share {_plain(link.item.item_id)}", f"{link.share:.6g}"
    yield "evidence", evidence.content_hash()
    for name, version in versions.items():
        yield f"version {_plain(name)}", _plain(version)


def _label(key: str, labels: Mapping[str, str]) -> str:
    name, _, what = key.partition(" ")
    return f"{labels[name]} {what}".rstrip()


def _rule(move: Move) -> str:
    if move.attribute is None:
        return move.rule
    return f"{move.rule} {clean_name(move.attribute)}={clean_name(move.group or '')}"


def _plain(text: str) -> str:
    """An id or a version without what could end a pair."""
    return re.sub(r"[;:\s]+", "_", text)
