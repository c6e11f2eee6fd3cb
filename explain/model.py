"""A language model as this room sees it: messages in, one text out before a deadline."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.exceptions import LangChainException
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

MODEL_ERRORS: tuple[type[Exception], ...] = (LangChainException, OSError, ValueError)
"""What a chat model raises when its server is down, slow, or answers nonsense (a JSON that ends
too early is a ``ValueError``). A client library's own errors are added by who makes the model."""


class NoAnswer(Exception):
    """The model gave no usable text: too late, empty, or cut off."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A chat model and what must be known to use it.

    Attributes:
        chat: Any chat model of langchain.
        name: Name for the records.
        grammar: Whether its server decodes under a GBNF grammar.
        errors: Errors that mean "the model failed" and nothing about this program.
        timeout: Seconds a whole answer may take.
    """

    chat: BaseChatModel
    name: str
    grammar: bool = False
    errors: tuple[type[Exception], ...] = MODEL_ERRORS
    timeout: float = 20.0

    def write(
        self, messages: Sequence[BaseMessage], grammar: str | None, seed: int, max_tokens: int
    ) -> str:
        """Ask once.

        A client's own timeout counts from one received byte to the next, so a server that drips
        could hold a request for ever; the deadline here counts the whole answer.

        Args:
            messages: The prompt.
            grammar: GBNF to decode under, for a model that supports it.
            seed: Of the sampling, where the server has one.
            max_tokens: Bound on the answer.

        Raises:
            NoAnswer: The deadline passed, or the answer is empty or was cut off.
            Exception: One of ``errors``.
        """
        body: dict[str, object] = {"seed": seed}
        if grammar is not None:
            body["grammar"] = grammar
        chat = self.chat.bind(extra_body=body, max_tokens=max_tokens)
        answer: list[BaseMessage] = []
        failure: list[Exception] = []

        def ask() -> None:
            try:
                answer.append(chat.invoke(list(messages)))
            except Exception as error:  # handed to the waiting thread, which raises it
                failure.append(error)

        worker = threading.Thread(target=ask, name="language-model", daemon=True)
        worker.start()
        worker.join(self.timeout)
        if failure:
            raise failure[0]
        if not answer:
            raise NoAnswer(f"no answer within {self.timeout:g} s")
        return _text(answer[0])


def _text(message: BaseMessage) -> str:
    """The answer on one line."""
    if message.response_metadata.get("finish_reason") == "length":
        raise NoAnswer("the answer was cut off at its token limit")
    text = " ".join(str(message.text).split())
    if not text:
        raise NoAnswer("the answer is empty")
    return text
