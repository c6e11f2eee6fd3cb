"""A language model as this room sees it: messages in, one text out before a deadline."""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from langchain_core.exceptions import LangChainException
from langchain_core.messages import BaseMessage

from .calls import ModelCall, Outcome, Parameter, Prompt, log_call
from .prompts import PROMPT_VERSION

if TYPE_CHECKING:  # its import takes most of a second, which texts without a model need not wait
    from langchain_core.language_models import BaseChatModel

MODEL_ERRORS: tuple[type[Exception], ...] = (LangChainException, OSError, ValueError)
"""What a chat model raises when its server is down, slow, or answers nonsense (a JSON that ends
too early is a ``ValueError``). A client library's own errors are added by who makes the model."""

MAX_ANSWER = 10_000
"""Characters of an answer that are taken; no text that is asked for is near it."""

MAX_ERROR = 300
"""Characters of an error that are kept: a server's answer to a bad request can be a whole page."""


class NoAnswer(Exception):
    """The model gave no usable text.

    Args:
        message: Why, on one line and without any key.
        outcome: How the request ended.
        again_after: Seconds to wait before it may be asked again; None where that is of no use.
    """

    def __init__(
        self, message: str, outcome: Outcome = "malformed", again_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.again_after = again_after


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked, once or several times.

    Attributes:
        messages: The prompt.
        grammar: GBNF to decode under, for a model that supports it.
        seed: Of the sampling, where the server has one.
        max_tokens: Bound on the answer.
        version: Version of the wording of the prompt.
    """

    messages: tuple[BaseMessage, ...]
    grammar: str | None
    seed: int
    max_tokens: int
    version: str = PROMPT_VERSION

    @property
    def prompt(self) -> Prompt:
        """The prompt as it is recorded."""
        return Prompt.of(self.messages, self.grammar, self.version)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The rest, as it is recorded."""
        bounds: dict[str, Parameter] = {"seed": self.seed, "max_tokens": self.max_tokens}
        return bounds | {"grammar": self.grammar is not None}

    @property
    def most_tokens(self) -> int:
        """Bound on prompt and answer together: no tokeniser needs more than one token a byte."""
        sent = sum(len(str(message.content).encode()) + 16 for message in self.messages)
        return sent + self.max_tokens


@dataclass(frozen=True, slots=True)
class Attempt:
    """What asking the server once came to; ``text`` counts only where the outcome is "answered"."""

    outcome: Outcome
    text: str = ""
    error: str | None = None
    again_after: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A chat model and what must be known to use it.

    Attributes:
        chat: Any chat model of langchain.
        name: Name for the records.
        grammar: Whether its server decodes under a GBNF grammar.
        errors: Errors that mean "the model failed" and nothing about this program.
        timeout: Seconds a whole answer may take, further attempts included.
    """

    chat: "BaseChatModel"
    name: str
    grammar: bool = False
    errors: tuple[type[Exception], ...] = MODEL_ERRORS
    timeout: float = 20.0

    def write(
        self,
        messages: Sequence[BaseMessage],
        grammar: str | None,
        seed: int,
        max_tokens: int,
        version: str = PROMPT_VERSION,
    ) -> str:
        """Ask, and log the request (see `calls.logged_calls`).

        Args:
            messages: The prompt.
            grammar: GBNF to decode under, for a model that supports it.
            seed: Of the sampling, where the server has one.
            max_tokens: Bound on the answer.
            version: Version of the wording of the prompt.

        Raises:
            NoAnswer: There is no usable text; nothing else is raised for a failure of the model.
        """
        question = Question(tuple(messages), grammar, seed, max_tokens, version)
        text, call = self.ask(question)
        log_call(call, question.prompt)
        if call.outcome != "answered":
            raise NoAnswer(call.error or call.outcome, call.outcome)
        return text

    def ask(self, question: Question) -> tuple[str, ModelCall]:
        """The text, empty unless the record's outcome is "answered"."""
        started = time.perf_counter()
        tried = self.attempt(question, self.timeout)
        return tried.text, ModelCall(
            model=self.name,
            parameters=question.parameters,
            prompt_hash=question.prompt.hash,
            outcome=tried.outcome,
            attempts=1,
            tokens_in=tried.tokens_in,
            tokens_out=tried.tokens_out,
            latency_s=time.perf_counter() - started,
            error=tried.error,
        )

    def forget(self, prompt_hash: str) -> None:
        """Take back an answer that turned out to be useless; a model that keeps none need not."""

    def attempt(self, question: Question, seconds: float) -> Attempt:
        """Ask the server once.

        A client's own timeout counts from one received byte to the next, so a server that drips
        could hold a request for ever. The deadline here counts the whole answer; at its end the
        request is cancelled, which closes the connection and lets the server stop writing.
        """
        body: dict[str, object] = {"seed": question.seed}
        if question.grammar is not None:
            body["grammar"] = question.grammar
        chat = self.chat.bind(extra_body=body, max_tokens=question.max_tokens)
        asked = chat.ainvoke(list(question.messages))
        waiting = asyncio.run_coroutine_threadsafe(asked, model_loop())
        try:
            message = waiting.result(seconds)
        except (NoAnswer, *self.errors) as error:
            if isinstance(error, TimeoutError) and not waiting.done():
                waiting.cancel()
                return Attempt("late", error=f"no answer within {self.timeout:g} s")
            return _failed(error)
        return _read(message)


@cache
def model_loop() -> asyncio.AbstractEventLoop:
    """The event loop of all requests, on a thread of its own."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="language-model-loop", daemon=True).start()
    return loop


def _read(message: BaseMessage) -> Attempt:
    """The answer on one line, or why it is none."""
    usage = getattr(message, "usage_metadata", None) or {}
    took: tuple[int | None, int | None] = (usage.get("input_tokens"), usage.get("output_tokens"))
    text = " ".join(str(message.text).split())
    if message.response_metadata.get("finish_reason") == "length":
        return _unusable("cut_off", "the answer was cut off at its token limit", took)
    if not text:
        return _unusable("empty", "the answer is empty", took)
    if len(text) > MAX_ANSWER:
        return _unusable("too_long", f"an answer of {len(text)} characters", took)
    return Attempt("answered", text, tokens_in=took[0], tokens_out=took[1])


def _unusable(outcome: Outcome, error: str, took: tuple[int | None, int | None]) -> Attempt:
    return Attempt(outcome, error=error, tokens_in=took[0], tokens_out=took[1])


def _failed(error: Exception) -> Attempt:
    if isinstance(error, NoAnswer):
        return Attempt(error.outcome, error=one_line(error), again_after=error.again_after)
    outcome: Outcome = "malformed" if isinstance(error, ValueError) else "unreachable"
    return Attempt(outcome, error=f"{type(error).__name__}: {one_line(error)}")


def one_line(error: Exception) -> str:
    """An error's text on one bounded line."""
    return " ".join(str(error).split())[:MAX_ERROR]
