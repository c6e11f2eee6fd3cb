"""Makes the language model that the settings name: none, an OpenAI-compatible server, or embedded.

All of them are used through the same chat client, with the same limits around it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import SecretStr

from ..errors import InvalidValue
from ..explain.model import LanguageModel
from .models.breaker import Breaker
from .models.budget import Budget, Prices
from .models.cache import AnswerCache
from .models.embedded import EMBEDDED, EMBEDDED_NAME, embedded_weights
from .models.guarded import GuardedModel
from .models.retries import Retries

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = [
    "EMBEDDED",
    "EMBEDDED_NAME",
    "Kind",
    "LLMSettings",
    "LanguageModel",
    "build_language_model",
    "embedded_server",
    "embedded_weights",
    "stop_embedded_server",
]

Kind = Literal["none", "embedded", "openai"]


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Which model, how to reach it, and what it may take.

    Attributes:
        kind: ``none``, ``embedded``, or ``openai`` for any OpenAI-compatible server.
        base_url: Of such a server, ending in ``/v1``; None for OpenAI itself.
        api_key: Its key; local servers want none.
        model: Its model's name.
        timeout: Seconds a whole answer may take, further attempts included.
        threads: Threads of the embedded model. More than the free cores slows it tenfold.
        grammar: Whether that server is llama.cpp's and decodes under GBNF grammars.
        retries: Attempts after the first, where the failure may pass.
        breaker_failures: Failures in a row after which the model is left alone.
        breaker_seconds: How long it is left alone.
        token_budget: Most tokens a day; None for no bound.
        cost_budget: Most money a day, in the currency of the prices; None for no bound.
        prices: Of 1,000 tokens.
        cache: Answers that are kept for equal questions.
    """

    kind: Kind = "none"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str = "local"
    timeout: float = 20.0
    threads: int = 1
    grammar: bool = False
    retries: int = 2
    breaker_failures: int = 3
    breaker_seconds: float = 30.0
    token_budget: int | None = None
    cost_budget: float | None = None
    prices: Prices = field(default_factory=Prices)
    cache: int = 1024


def build_language_model(settings: LLMSettings) -> GuardedModel | None:
    """The model of the settings; None for kind ``none``.

    Nothing is asked and nothing is waited for. The embedded model's process is launched; should it
    not start, its first request fails and says why.

    Raises:
        InvalidValue: Neither a server's URL nor a key for OpenAI is given, or the timeout is not
            positive.
        NotReady: The embedded model is not installed.
    """
    if settings.kind == "none":
        return None
    if not settings.timeout > 0:
        raise InvalidValue("the timeout must be positive", field="FAIRLOOP_MODEL_TIMEOUT")
    if settings.kind == "embedded":
        threads = settings.threads
        EMBEDDED.launch(threads)
        return _guarded(
            settings, lambda: EMBEDDED.address(threads), "local", EMBEDDED_NAME, grammar=True
        )
    if settings.base_url is None and not settings.api_key:
        raise InvalidValue(
            "a model server needs its URL, or OpenAI a key",
            field="FAIRLOOP_MODEL_BASE_URL",
            mend="Set FAIRLOOP_MODEL_BASE_URL (ending in /v1) or FAIRLOOP_MODEL_API_KEY.",
        )
    return _guarded(
        settings, lambda: settings.base_url, settings.model, settings.model, settings.grammar
    )


def embedded_server(threads: int = 1) -> str:
    """Base URL of the embedded model's server, which the first call starts (about a second).

    Raises:
        NotReady: It is not installed, or did not start.
    """
    return EMBEDDED.address(threads)


def stop_embedded_server() -> None:
    """End it, if it runs, even in the middle of an answer; the next use starts it again."""
    EMBEDDED.stop()


def _guarded(
    settings: LLMSettings,
    address: Callable[[], str | None],
    model: str,
    name: str,
    grammar: bool,
) -> GuardedModel:
    def make() -> "BaseChatModel":
        from .models.client import ServerChat

        key = SecretStr(settings.api_key) if settings.api_key else None
        return ServerChat(address=address, key=key, model=model, timeout=settings.timeout)

    return GuardedModel(
        chat=cast("BaseChatModel", _Deferred(make)),
        name=name,
        grammar=grammar,
        timeout=settings.timeout,
        retries=Retries(settings.retries),
        breaker=Breaker(settings.breaker_failures, settings.breaker_seconds),
        budget=Budget(settings.token_budget, settings.cost_budget, settings.prices),
        answers=AnswerCache(settings.cache),
    )


class _Deferred:
    """A chat model that is made when it is first used: a start need not wait for its imports."""

    def __init__(self, make: "Callable[[], BaseChatModel]") -> None:
        self._make = make

    @cached_property
    def _made(self) -> "BaseChatModel":
        return self._make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)
