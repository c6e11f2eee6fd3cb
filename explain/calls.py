"""A record of every request to a language model: what was asked, how it went, what it cost.

Whoever wants the records opens `logged_calls` around the work; each request that is made inside,
however deep, and also from the cache or refused before it was sent, is then in the log.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Literal

from langchain_core.messages import BaseMessage
from pydantic import Field

from .evidence import Record
from .prompts import PROMPT_VERSION, prompt_hash

Outcome = Literal[
    "answered",
    "unreachable",
    "late",
    "rate_limited",
    "server_error",
    "refused",
    "malformed",
    "too_long",
    "cut_off",
    "empty",
    "budget_spent",
    "breaker_open",
]
"""How a request ended. ``unreachable``: no connection, or it broke; ``late``: the deadline passed;
``rate_limited``: HTTP 429; ``server_error``: 5xx; ``refused``: the server will not have this
request, such as a wrong key; ``malformed``: not a chat completion; ``too_long``: more than a text
may have; ``cut_off``: ended by the token limit. The last two were never sent."""

Parameter = str | int | float | bool


class Prompt(Record):
    """What was sent, kept once however often.

    Attributes:
        hash: SHA-256 over version, messages and grammar; the key of the record.
        version: Version of the wording it was made from.
        messages: Role and text of each message.
        grammar: The GBNF the answer had to follow, if any.
    """

    hash: str
    version: str
    messages: tuple[tuple[str, str], ...]
    grammar: str | None

    @classmethod
    def of(
        cls, messages: Sequence[BaseMessage], grammar: str | None, version: str = PROMPT_VERSION
    ) -> "Prompt":
        """The prompt of some messages."""
        return cls(
            hash=prompt_hash(messages, grammar, version),
            version=version,
            messages=tuple((message.type, str(message.content)) for message in messages),
            grammar=grammar,
        )


class ModelCall(Record):
    """One request to a language model.

    Attributes:
        model: Name of the model.
        parameters: Seed, token bound, whether a grammar bound the answer.
        prompt_hash: The prompt that was sent.
        outcome: How it ended.
        attempts: Times the server was asked; 0 where it was not.
        cached: Whether the answer came from the cache.
        tokens_in: Tokens of the prompt, all attempts together; None where the server did not say.
        tokens_out: Tokens of the answer, likewise.
        cost: By the prices of the settings, in their currency; 0 where they name none.
        latency_s: Seconds from question to answer, waits between attempts included.
        error: What went wrong, on one line and without any key; None for an answer.
    """

    model: str
    parameters: dict[str, Parameter]
    prompt_hash: str
    outcome: Outcome
    attempts: Annotated[int, Field(ge=0)]
    cached: bool = False
    tokens_in: Annotated[int, Field(ge=0)] | None = None
    tokens_out: Annotated[int, Field(ge=0)] | None = None
    cost: Annotated[float, Field(ge=0.0)] = 0.0
    latency_s: Annotated[float, Field(ge=0.0)]
    error: str | None = None


@dataclass(slots=True)
class CallLog:
    """The requests made inside one `logged_calls`, in order, with their prompts by hash."""

    calls: list[ModelCall] = field(default_factory=list[ModelCall])
    prompts: dict[str, Prompt] = field(default_factory=dict[str, Prompt])


_logs: ContextVar[tuple[CallLog, ...]] = ContextVar("fairloop_model_calls", default=())


@contextmanager
def logged_calls() -> Generator[CallLog]:
    """Collect the records of this thread's requests; logs may nest, each gets all of its inside."""
    log = CallLog()
    token = _logs.set((*_logs.get(), log))
    try:
        yield log
    finally:
        _logs.reset(token)


def log_call(call: ModelCall, prompt: Prompt) -> None:
    """Put a record into every open log."""
    for log in _logs.get():
        log.calls.append(call)
        log.prompts[prompt.hash] = prompt
