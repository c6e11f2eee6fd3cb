"""Evaluate explanations: is what is shown so, who worded it, and how varied is it?"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from ...errors import InvalidValue
from ...explain.calls import ModelCall, logged_calls
from ...explain.model import LanguageModel
from ...explain.sanitise import clean_name
from ...explain.writer import Explainer, Explanation
from ..llm import LLMSettings, build_language_model
from ..recommender import Recommender
from ..settings import Settings
from ..wording import make_explainer
from .checker import CheckerFigures, measure_checker
from .explained_items import Item, explained_items
from .hostile import HostileModel
from .text_measures import TextMeasures, measure_texts

Model = Literal["embedded", "none", "hostile", "configured"]
StageCallback = Callable[[str, int, int], None]

UNVERIFIED_SHOWN = 0
FALSE_ACCEPTS = 0.01
FALSE_REJECTS = 0.10
OWN_WORDING = 0.95
SHAPES, SHAPES_IN = 30, 500
_EXAMPLES = 10

_PATIENCE = 120.0
"""Seconds the embedded model may take: here it is read for what it says, and its latency is
reported. A busy machine is no reason to judge the template in its place."""


class Bar(BaseModel):
    """A figure beside what it has to reach.

    Attributes:
        name: Which.
        value: What was measured.
        limit: The least or the most that it may be.
        met: Whether it is.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    limit: float
    met: bool


class ModelFigures(BaseModel):
    """What came of asking one model.

    Attributes:
        model: ``embedded``, ``none``, ``hostile`` or ``configured``.
        name: Of the language model; None for templates alone.
        shown: Texts.
        sources: How many of each source (`explain.writer.Source`).
        outcomes: How many requests to the model ended how (`explain.calls.Outcome`).
        own_wording: Share that the model worded, repaired ones included.
        fallback_rate: Share that the template worded although a model was asked.
        unverified_shown: Shown texts that the plain oracle does not find true in every sentence,
            and lies of the hostile model that were shown.
        unverified_examples: Some of them.
        precision_before: Share of true sentences in what was written at first.
        precision_after: The same in what is shown.
        lies_told: Answers that are false by construction; of the hostile model alone.
        lies_that_the_oracle_missed: Those of them that it found true in every sentence. (It does
            not judge what a text leaves out.)
        texts: The shown texts, measured.
        latency_p50_ms: Of one explanation.
        latency_p95_ms: The same.
        tokens_in: Tokens asked, in all, where the model counts them.
        tokens_out: Tokens answered.
        examples: Some shown texts.
    """

    model_config = ConfigDict(frozen=True)

    model: Model
    name: str | None
    shown: int
    sources: dict[str, int]
    outcomes: dict[str, int]
    own_wording: float
    fallback_rate: float
    unverified_shown: int
    unverified_examples: tuple[str, ...]
    precision_before: float
    precision_after: float
    lies_told: int
    lies_that_the_oracle_missed: int
    texts: TextMeasures
    latency_p50_ms: float
    latency_p95_ms: float
    tokens_in: int
    tokens_out: int
    examples: tuple[str, ...]


class ExplanationEvaluation(BaseModel):
    """Everything that was measured.

    Attributes:
        n: Recommended items.
        users: Of so many users.
        seed: Root of all choices.
        candidates: Version of the candidates.
        policy: What ordered them.
        data: Name of the data set.
        models: Per model.
        checker: The check on texts of known truth.
        bars: What has to be reached.
        seconds: Wall time.
    """

    model_config = ConfigDict(frozen=True)

    n: int
    users: int
    seed: int
    candidates: str
    policy: str
    data: str
    models: tuple[ModelFigures, ...]
    checker: CheckerFigures
    bars: tuple[Bar, ...]
    seconds: float


def evaluate_explanations(
    recommender: Recommender,
    settings: Settings,
    models: Sequence[Model] = ("embedded", "none", "hostile"),
    n: int = 500,
    corrupted: int = 200,
    seed: int = 0,
    noun: str = "title",
    progress: StageCallback | None = None,
) -> ExplanationEvaluation:
    """Explain ``n`` recommended items with each model, and measure the texts and the check.

    Nothing is recorded. The items, the lies and the paraphrases are drawn from ``seed`` apart, so
    that leaving a model out changes nothing for the others.

    Args:
        recommender: Serves what is deployed.
        settings: Those of the configured model, and the threads of the embedded one.
        models: Which to ask.
        n: Items.
        corrupted: Lies that the check is tried on.
        seed: Root of all choices.
        noun: What an item is called.
        progress: Called with the model, items done and in all.

    Raises:
        InvalidValue: ``n`` or ``corrupted`` is below 1, or no model is named.
        NotReady: The embedded model is asked for and not installed.
    """
    for field, value in (("n", n), ("corrupted", corrupted), ("model", len(models))):
        if value < 1:
            raise InvalidValue("must be at least 1", field=field)
    started = time.perf_counter()
    for_items, for_lies, for_checks = np.random.SeedSequence(seed).spawn(3)
    items = explained_items(recommender, n, noun, np.random.default_rng(for_items))
    topics = tuple(clean_name(name) for name in recommender.catalogue.topic_names)
    figures = [
        _ask(model, items, topics, settings, noun, np.random.default_rng(for_lies), progress)
        for model in models
    ]
    rng = np.random.default_rng(for_checks)
    mixed = [items[row] for row in rng.permutation(len(items))]
    checker = measure_checker(
        [item.evidence for item in mixed], [item.world for item in mixed], noun, corrupted, rng
    )
    return ExplanationEvaluation(
        n=len(items),
        users=len({id(item.oracle) for item in items}),
        seed=seed,
        candidates=recommender.candidates_version,
        policy=recommender.policy_version,
        data=recommender.candidates.dataset_name,
        models=tuple(figures),
        checker=checker,
        bars=_bars(figures, checker),
        seconds=time.perf_counter() - started,
    )


def _ask(
    kind: Model,
    items: Sequence[Item],
    topics: Sequence[str],
    settings: Settings,
    noun: str,
    rng: np.random.Generator,
    progress: StageCallback | None,
) -> ModelFigures:
    hostile = HostileModel(rng=rng) if kind == "hostile" else None
    model = _model(kind, settings, hostile)
    explainer = Explainer(model, noun)
    told: list[Explanation] = []
    with logged_calls() as log:
        for item in items:
            if hostile is not None:
                hostile.evidence, hostile.world = item.evidence, item.world
            told.append(explainer.explain(item.evidence))
            if progress is not None:
                progress(kind, len(told), len(items))
    return _figures(kind, items, told, topics, hostile, log.calls)


def _model(kind: Model, settings: Settings, hostile: HostileModel | None) -> LanguageModel | None:
    if hostile is not None:
        return LanguageModel(chat=hostile, name="hostile")
    if kind == "configured":
        return make_explainer(settings).model
    if kind == "none":
        return None
    return build_language_model(
        LLMSettings(kind="embedded", threads=settings.model_threads, timeout=_PATIENCE)
    )


def _figures(
    kind: Model,
    items: Sequence[Item],
    told: Sequence[Explanation],
    topics: Sequence[str],
    hostile: HostileModel | None,
    calls: Sequence[ModelCall],
) -> ModelFigures:
    sources = Counter(one.source for one in told)
    own = sources["model"] + sources["model_repaired"]
    lies = set[str]() if hostile is None else set(hostile.lies)
    first = [one.rejected_text or one.text for one in told]
    before = _judged(items, first)
    after = _judged(items, [one.text for one in told])
    unverified = [
        one.text
        for one, sentences in zip(told, after, strict=True)
        if not all(sentences) or (one.text in lies and one.source.startswith("model"))
    ]
    judged = zip(first, before, strict=True)
    missed = sum(text in lies and all(sentences) for text, sentences in judged)
    times = [1000 * one.latency_s for one in told]
    return ModelFigures(
        model=kind,
        name=next((one.model for one in told if one.model), None),
        shown=len(told),
        sources=dict(sources),
        outcomes=dict(Counter(call.outcome for call in calls)),
        own_wording=own / len(told),
        fallback_rate=0.0 if kind == "none" else 1 - own / len(told),
        unverified_shown=len(unverified),
        unverified_examples=tuple(unverified[:_EXAMPLES]),
        precision_before=_precision(before),
        precision_after=_precision(after),
        lies_told=0 if hostile is None else len(hostile.lies),
        lies_that_the_oracle_missed=missed,
        texts=measure_texts([o.text for o in told], [i.evidence for i in items], topics),
        latency_p50_ms=float(np.percentile(times, 50)),
        latency_p95_ms=float(np.percentile(times, 95)),
        tokens_in=sum(call.tokens_in or 0 for call in calls),
        tokens_out=sum(call.tokens_out or 0 for call in calls),
        examples=tuple(one.text for one in told[:_EXAMPLES]),
    )


def _judged(items: Sequence[Item], texts: Sequence[str]) -> list[tuple[bool, ...]]:
    return [item.oracle.judge(text, item.position) for item, text in zip(items, texts, strict=True)]


def _precision(judged: Sequence[tuple[bool, ...]]) -> float:
    sentences = [holds for text in judged for holds in text]
    return sum(sentences) / max(1, len(sentences))


def _bars(figures: Sequence[ModelFigures], checker: CheckerFigures) -> tuple[Bar, ...]:
    bars = [
        _at_most(f"unverified shown ({one.model})", one.unverified_shown, UNVERIFIED_SHOWN)
        for one in figures
    ]
    bars += [
        _at_most("lies accepted", checker.corrupted.rate, FALSE_ACCEPTS),
        _at_most("true texts refused (grammar)", checker.grammar.rate, FALSE_REJECTS),
        _at_most("true texts refused (paraphrases)", checker.paraphrases.rate, FALSE_REJECTS),
    ]
    for one in figures:
        if one.model == "embedded":
            bars.append(_at_least("own wording (embedded)", one.own_wording, OWN_WORDING))
            # Fewer texts have room for fewer shapes; the bar is that of 500.
            shapes = SHAPES * min(1.0, one.shown / SHAPES_IN)
            bars.append(_at_least("sentence shapes (embedded)", one.texts.shapes, shapes))
    return tuple(bars)


def _at_most(name: str, value: float, limit: float) -> Bar:
    return Bar(name=name, value=value, limit=limit, met=value <= limit)


def _at_least(name: str, value: float, limit: float) -> Bar:
    return Bar(name=name, value=value, limit=limit, met=value >= limit)
