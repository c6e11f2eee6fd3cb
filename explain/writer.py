"""From evidence to a text that is so: the model's if it passes the check, else the template's."""

import time
from collections.abc import Callable, Sequence
from typing import Literal

from .evidence import Evidence, Record
from .grammar import longest_text, relation_grammar
from .model import LanguageModel, NoAnswer
from .prompts import PROMPT_VERSION, free_prompt, grammar_prompt, prompt_hash
from .template import template_text
from .verify import Verdict, verify
from .wording import Style

Source = Literal["model", "template_no_model", "template_check_failed", "template_model_error"]

_MAX_ERROR = 500


class Explanation(Record):
    """A text, and how it came to be.

    Attributes:
        text: What is shown.
        source: Who worded it, and why not the model if it was the template.
        verdict: The check of ``text``, with its claims.
        rejected_text: What the model wrote, if the check refused it.
        rejected_verdict: Why.
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
    error: str | None = None
    model: str | None = None
    prompt_version: str = PROMPT_VERSION
    prompt_hash: str | None = None
    evidence_hash: str
    latency_s: float


class Explainer:
    """Explains recommended items.

    Args:
        model: The language model; None for templates only.
        noun: What an item is called, in the singular (its plural takes an s).
        style: How much is said.
    """

    def __init__(
        self, model: LanguageModel | None = None, noun: str = "title", style: Style = "short"
    ) -> None:
        self.model = model
        self.noun = noun
        self.style: Style = style

    def explain(self, evidence: Evidence) -> Explanation:
        """Ask the model once, check what it wrote, and fall back on the template."""
        if self.model is None:
            return self.template(evidence)
        started = time.perf_counter()
        grammar = None
        messages = free_prompt(evidence, self.noun, self.style)
        if self.model.grammar:
            grammar = relation_grammar(evidence, self.noun, self.style)
            messages = grammar_prompt(evidence)
        asked = prompt_hash(messages, grammar)
        try:
            text = self.model.write(messages, grammar, self._seed(evidence), self._bound(evidence))
        except (NoAnswer, *self.model.errors) as error:
            return self._fallback(
                evidence, "template_model_error", started, error=_line(error), prompt_hash=asked
            )
        verdict = verify(text, evidence, self.noun)
        if not verdict.accepted:
            return self._fallback(
                evidence,
                "template_check_failed",
                started,
                rejected_text=text,
                rejected_verdict=verdict,
                prompt_hash=asked,
            )
        return Explanation(
            text=text,
            source="model",
            verdict=verdict,
            model=self.model.name,
            prompt_hash=asked,
            evidence_hash=evidence.content_hash(),
            latency_s=time.perf_counter() - started,
        )

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
                done.append(
                    self._fallback(
                        evidence, "template_model_error", time.perf_counter(), error=failed
                    )
                )
            if progress is not None:
                progress(len(done), len(evidences))
        return tuple(done)

    def template(self, evidence: Evidence) -> Explanation:
        """The template's text; the model is not asked."""
        return self._fallback(evidence, "template_no_model", time.perf_counter())

    def _fallback(
        self,
        evidence: Evidence,
        source: Source,
        started: float,
        *,
        rejected_text: str | None = None,
        rejected_verdict: Verdict | None = None,
        error: str | None = None,
        prompt_hash: str | None = None,
    ) -> Explanation:
        text = template_text(evidence, self.noun, self.style)
        return Explanation(
            text=text,
            source=source,
            verdict=verify(text, evidence, self.noun),
            rejected_text=rejected_text,
            rejected_verdict=rejected_verdict,
            error=error,
            model=self.model.name if self.model and source != "template_no_model" else None,
            prompt_hash=prompt_hash,
            evidence_hash=evidence.content_hash(),
            latency_s=time.perf_counter() - started,
        )

    def _bound(self, evidence: Evidence) -> int:
        """Tokens enough for the longest true text: no tokeniser needs more than one a byte."""
        return 16 + 2 * longest_text(evidence, self.noun, self.style)

    def _seed(self, evidence: Evidence) -> int:
        """Equal evidence, equal sampling, where the server honours a seed."""
        return int(evidence.content_hash()[:8], 16) % 2**31


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:_MAX_ERROR]
