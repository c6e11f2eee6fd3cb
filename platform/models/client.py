"""A chat model behind an OpenAI-compatible server, through langchain and the ``openai`` package.

Both are imported at the first request: they take a second that neither a start nor an answer from
templates should wait for. What they raise is turned into `NoAnswer`, with how the request ended,
whether it may be asked again, and without the key.
"""

import asyncio
import email.utils
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr, SecretStr

from ...errors import NotReady
from ...explain.calls import Outcome
from ...explain.model import NoAnswer, model_loop, one_line

if TYPE_CHECKING:
    import httpx2

MAX_BODY = 262_144
"""Bytes of an answer that are read; a server that sends more is cut off."""

_NO_KEY = "local"
"""ChatOpenAI insists on a key even where a local server wants none."""

_OTHER_SHAPES = (TypeError, KeyError, AttributeError, IndexError, ValueError)
"""What the client raises on an answer that is not JSON, or JSON of another shape than a chat
completion. Nothing else runs inside that call."""


class ServerChat(BaseChatModel):
    """Any OpenAI-compatible server as a chat model of langchain.

    Attributes:
        address: Called before each request: the server's base URL, ending in ``/v1``, or None for
            OpenAI itself. It may wait for the server, and raise `NotReady`.
        key: Its key; None where it wants none.
        model: The model's name there.
        timeout: Seconds from one received byte to the next.
        temperature: Of the sampling.
    """

    address: Callable[[], str | None]
    key: SecretStr | None = None
    model: str
    timeout: float = 20.0
    temperature: float = 1.0
    _clients: dict[str | None, BaseChatModel] = PrivateAttr(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    def client(self) -> BaseChatModel:
        """The client of the present address; it does not repeat a request by itself.

        Raises:
            NotReady: There is no server to ask.
        """
        address = self.address()
        if address not in self._clients:
            self._clients[address] = self._client_of(address)
        return self._clients[address]

    def _client_of(self, address: str | None) -> BaseChatModel:
        import httpx2
        from langchain_openai import ChatOpenAI

        # No kept connections: one that the server closed meanwhile would fail the next request.
        http = httpx2.AsyncClient(
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=0),
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [_bound]},
        )
        return ChatOpenAI(
            base_url=address,
            api_key=self.key or SecretStr(_NO_KEY),
            model=self.model,
            timeout=self.timeout,
            max_retries=0,
            temperature=self.temperature,
            http_async_client=http,
        )

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        # In a thread: the import and the start of an embedded server would hold up the others.
        try:
            client = await asyncio.to_thread(self.client)
        except NotReady as error:
            raise NoAnswer(one_line(error), "unreachable") from error
        import openai

        try:
            message = await client.ainvoke(messages, stop=stop, **kwargs)
        except (openai.OpenAIError, TooLarge, *_OTHER_SHAPES) as error:
            outcome, again_after = read_failure(error)
            said = f"{type(error).__name__}: {self._without_key(one_line(error))}"
            # from None: the client's own error holds the request, and with it the key.
            raise NoAnswer(said, outcome, again_after) from None
        assert isinstance(message, AIMessage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        asked = self._agenerate(messages, stop, run_manager, **kwargs)
        return asyncio.run_coroutine_threadsafe(asked, model_loop()).result()

    def _without_key(self, text: str) -> str:
        """A server may repeat the key that it refuses, whole or in part."""
        key = self.key.get_secret_value() if self.key else ""
        if len(key) < 4:
            return text
        words = text.replace(key, "[key]").split(" ")
        return " ".join("[key]" if _part_of(key, word) else word for word in words)


def _part_of(key: str, word: str) -> bool:
    """Whether a word shows the beginning and end of the key, as in ``sk-ab****yz``."""
    bare = word.strip(".,;:'\"()")
    return len(bare) > 7 and "*" in bare and (bare[:4] == key[:4] or bare[-4:] == key[-4:])


def read_failure(error: Exception) -> tuple[Outcome, float | None]:
    """How a request ended, and how many seconds to wait before another; None for never."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return "late", None
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        if status == 429:
            return "rate_limited", retry_after(error.response.headers)
        if status >= 500:
            return "server_error", retry_after(error.response.headers)
        return "refused", None
    if isinstance(error, openai.APIConnectionError):
        return "unreachable", 0.0
    return "too_long" if isinstance(error, TooLarge) else "malformed", None


def retry_after(headers: "httpx2.Headers", now: Callable[[], float] = time.time) -> float:
    """Seconds that a server asks to wait (RFC 9110: seconds or a date); 0 if it names none."""
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(said).timestamp() - now()
        except ValueError:
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


class TooLarge(Exception):
    """A server sent more than any answer can be."""


async def _bound(response: "httpx2.Response") -> None:
    """Let no more than `MAX_BODY` bytes of a response be read."""
    response.stream = _bounded(response.stream)


def _bounded(stream: Any) -> Any:
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            received = 0
            async for part in stream:
                received += len(part)
                if received > MAX_BODY:
                    raise TooLarge(f"more than {MAX_BODY} bytes")
                yield part

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
