"""From evidence to a text that is so: the model's if it passes the check, else the template's.

A model that writes freely gets one chance to repair what the check refused.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from langchain_core.messages import BaseMessage

from .evidence import Evidence, Record
from .grammar import longest_text, relation_grammar
from .languages import LanguageCode
from .model import LanguageModel, NoAnswer
from .prompts import (
    PROMPT_VERSION,
    free_prompt,
    grammar_prompt,
    prompt_hash,
    repair_prompt,
)
from .template import template_text
from .verify import Verdict, verify
from .wording import Style

Source = Literal[
    "model",
    "model_repaired",
    "template_no_model",
    "template_check_failed",
    "template_model_error",
]

_MAX_ERROR = 500


class Explanation(Record):
    """A text, and how it came to be.

    Attributes:
        text: What is shown.
        source: Who worded it, and why not the model if it was the template.
        verdict: The check of ``text``, with its claims.
        rejected_text: What the model wrote at first, if the check refused it.
        rejected_verdict: Why.
        repair_text: What it wrote when it was told so, if that was refused as well.
        repair_verdict: Why.
        language: Of the text.
        style: How much it says.
        error: The model's error, if it had one.
        model: Name of the model that was asked; None if there is none.
        prompt_version: Version of the prompts.
        prompt_hash: Hash of the very prompt, if one was sent.
        evidence_hash: Hash of the evidence.
        latency_s: Seconds spent, the model included.
    """

    text: str
    source: Source
    verdict: Verdict
    rejected_text: str | None = None
    rejected_verdict: Verdict | None = None
    repair_text: str | None = None
    repair_verdict: Verdict | None = None
    language: LanguageCode = "en"
    style: Style = "short"
    error: str | None = None
    model: str | None = None
    prompt_version: str = PROMPT_VERSION
    prompt_hash: str | None = None
    evidence_hash: str
    latency_s: float


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What is known so far of one text: fields of its `Explanation`."""

    prompt_hash: str | None = None
    rejected_text: str | None = None
    rejected_verdict: Verdict | None = None
    repair_text: str | None = None
    repair_verdict: Verdict | None = None
    error: str | None = None


class Explainer:
    """Explains recommended items.

    Args:
        model: The language model; None for templates only.
        noun: What an item is called, in the singular and in English.
        style: How much is said.
        language: Of the texts.
    """

    def __init__(
        self,
        model: LanguageModel | None = None,
        noun: str = "title",
        style: Style = "short",
        language: LanguageCode = "en",
    ) -> None:
        self.model = model
        self.noun = noun
        self.style: Style = style
        self.language: LanguageCode = language

    def explain(self, evidence: Evidence) -> Explanation:
        """Ask the model, check what it wrote, and fall back on the template.

        A model that writes freely is told once what the check refused; one that decodes under a
        grammar is not, since what it writes is either a path of the grammar or no answer to it.
        """
        if self.model is None:
            return self.template(evidence)
        started = time.perf_counter()
        grammar = None
        messages = free_prompt(evidence, self.noun, self.style, self.language)
        if self.model.grammar:
            grammar = relation_grammar(evidence, self.noun, self.style, self.language)
            messages = grammar_prompt(evidence)
        asked = prompt_hash(messages, grammar)
        known = _Attempt(prompt_hash=asked)
        try:
            text = self._write(evidence, messages, grammar)
            verdict = self._check(text, evidence)
            if verdict.accepted:
                return self._told(evidence, text, "model", verdict, started, known)
            self.model.forget(asked)
            known = replace(known, rejected_text=text, rejected_verdict=verdict)
            if grammar is None:
                again = repair_prompt(messages, text, verdict.problems)
                text = self._write(evidence, again, None)
                verdict = self._check(text, evidence)
                if verdict.accepted:
                    return self._told(evidence, text, "model_repaired", verdict, started, known)
                self.model.forget(prompt_hash(again, None))
                known = replace(known, repair_text=text, repair_verdict=verdict)
        except (NoAnswer, *self.model.errors) as error:
            known = replace(known, error=_line(error))
            return self._fallback(evidence, "template_model_error", started, known)
        return self._fallback(evidence, "template_check_failed", started, known)

    def explain_all(
        self,
        evidences: Sequence[Evidence],
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Explanation, ...]:
        """Explain a slate; after one failure of the model the rest take the template.

        A server that is down or slow then costs one timeout, not one per item.
        """
        done: list[Explanation] = []
        failed: str | None = None
        for evidence in evidences:
            if failed is None:
                done.append(self.explain(evidence))
                if done[-1].source == "template_model_error":
                    failed = f"not asked after: {done[-1].error}"
            else:
                known = _Attempt(error=failed)
                started = time.perf_counter()
                done.append(self._fallback(evidence, "template_model_error", started, known))
            if progress is not None:
                progress(len(done), len(evidences))
        return tuple(done)

    def template(self, evidence: Evidence) -> Explanation:
        """The template's text; the model is not asked."""
        started = time.perf_counter()
        return self._fallback(evidence, "template_no_model", started, _Attempt())

    def _write(
        self, evidence: Evidence, messages: Sequence[BaseMessage], grammar: str | None
    ) -> str:
        assert self.model is not None
        return self.model.write(messages, grammar, self._seed(evidence), self._bound(evidence))

    def _check(self, text: str, evidence: Evidence) -> Verdict:
        return verify(text, evidence, self.noun, self.language)

    def _fallback(
        self, evidence: Evidence, source: Source, started: float, known: _Attempt
    ) -> Explanation:
        text = template_text(evidence, self.noun, self.style, self.language)
        return self._told(evidence, text, source, self._check(text, evidence), started, known)

    def _told(
        self,
        evidence: Evidence,
        text: str,
        source: Source,
        verdict: Verdict,
        started: float,
        known: _Attempt,
    ) -> Explanation:
        return Explanation(
            text=text,
            source=source,
            verdict=verdict,
            language=self.language,
            style=self.style,
            model=self.model.name if self.model and source != "template_no_model" else None,
            evidence_hash=evidence.content_hash(),
            latency_s=time.perf_counter() - started,
            prompt_hash=known.prompt_hash,
            rejected_text=known.rejected_text,
            rejected_verdict=known.rejected_verdict,
            repair_text=known.repair_text,
            repair_verdict=known.repair_verdict,
            error=known.error,
        )

    def _bound(self, evidence: Evidence) -> int:
        """Tokens enough for the longest true text: no tokeniser needs more than one a byte."""
        return 16 + 2 * longest_text(evidence, self.noun, self.style, self.language)

    def _seed(self, evidence: Evidence) -> int:
        """Equal evidence, equal sampling, where the server honours a seed."""
        return int(evidence.content_hash()[:8], 16) % 2**31


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:_MAX_ERROR]
