"""Measures of a set of explanations as texts: how they differ, and what they speak of.

USR, FMR, FCR and DIV are those of Li, Zhang & Chen, "Personalized Prompt Learning for Explainable
Recommendation" (PEPLER), ACM TOIS 41(4), 2023, section 5.2; a feature is a topic of the catalogue.
"""

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...explain.evidence import Evidence

_TITLE = re.compile(r"[\"„“]([^\"„“”]*)[\"“”](?: \(\d{1,4}\))?")


class TextMeasures(BaseModel):
    """What a set of texts is like.

    Attributes:
        texts: How many.
        shapes: Distinct sentences with titles, topics, groups and numbers masked.
        usr: Unique sentence ratio: distinct texts over texts.
        fmr: Feature matching ratio: share of texts, of items with a topic, that name one of theirs.
        fcr: Feature coverage ratio: share of the catalogue's topics that any text names.
        div: Feature diversity: mean number of topics that two texts have in common; lower is more
            diverse.
        words: Mean number of words.
    """

    model_config = ConfigDict(frozen=True)

    texts: int
    shapes: int
    usr: float
    fmr: float
    fcr: float
    div: float
    words: float


def measure_texts(
    texts: Sequence[str], evidence: Sequence[Evidence], topics: Sequence[str]
) -> TextMeasures:
    """Measure one text per evidence record.

    Args:
        texts: The texts.
        evidence: Of each.
        topics: Names of the catalogue's topics, as they are printed.
    """
    named = [topics_named(text, topics) for text in texts]
    matched = [
        bool(found & set(one.item.topics))
        for found, one in zip(named, evidence, strict=True)
        if one.item.topics
    ]
    shapes = {shape for text in texts for shape in sentence_shapes(text, topics)}
    common = [len(a & b) for a, b in combinations(named, 2)]
    return TextMeasures(
        texts=len(texts),
        shapes=len(shapes),
        usr=len(set(texts)) / max(1, len(texts)),
        fmr=_mean(matched),
        fcr=len(set[str]().union(*named)) / max(1, len(topics)),
        div=_mean(common),
        words=_mean([len(text.split()) for text in texts]),
    )


def topics_named(text: str, topics: Sequence[str]) -> set[str]:
    """Topics named outside titles."""
    return set(_topic_pattern(topics).findall(_TITLE.sub("", text)))


def sentence_shapes(text: str, topics: Sequence[str]) -> tuple[str, ...]:
    """The sentences of a text with titles, topics, groups and numbers masked.

    Lists of titles or topics count as one, whatever their length.
    """
    masked = _TITLE.sub("TITLE", text)
    masked = re.sub(r"‘[^’]*’", "GROUP", masked)
    masked = _topic_pattern(topics).sub("TOPIC", masked)
    masked = re.sub(r"\d+(?:\.\d+)?", "N", masked)
    masked = re.sub(r"(TITLE|TOPIC)(?:(?:, | and | und )\1)+", r"\1", masked)
    masked = masked.replace("N places", "N place")
    return tuple(re.split(r"(?<=[.!]) ", masked))


def _topic_pattern(topics: Sequence[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted(topics, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)" if topics else "(?!)")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
