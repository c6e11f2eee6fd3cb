"""The parent's side of the worker: start it, speak with it, and say why it ended."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import WorkerFailed

Progress = Callable[[int, int], None]

_STDERR_LINES = 12
_CLOSE_SECONDS = 5.0
# RecBole reads the environment (RANK, CUDA_VISIBLE_DEVICES, WANDB_*, ...): only these pass.
_PASSED_ON = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PATH",
    "PYTHONPATH",
    "SYSTEMROOT",
    "TMPDIR",
    "VIRTUAL_ENV",
)


class WorkerProcess:
    """A running process that answers JSON lines; a context manager that ends it.

    Args:
        module: What to run with ``python -m``.
    """

    def __init__(self, module: str = "fairloop.candidates.recbole_worker") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fairloop-worker-")
        self._stderr_path = Path(self._folder.name) / "stderr.txt"
        with self._stderr_path.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self._folder.name,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            )
        self._unread = b""

    @property
    def folder(self) -> Path:
        """Temporary folder of the process, where npz files may be exchanged."""
        return Path(self._folder.name)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(
        self, request: dict[str, Any], timeout_seconds: float, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Send a request and wait for its result or error, passing progress on.

        Raises:
            WorkerFailed: The process ended or did not answer in time; it is killed then.
        """
        deadline = time.monotonic() + timeout_seconds
        self._send(request)
        while True:
            answer = json.loads(self._line(deadline, timeout_seconds))
            if answer["event"] != "progress":
                return answer
            if progress is not None:
                progress(answer["done"], answer["total"])

    def close(self) -> None:
        """End the process and remove its folder; safe to call twice."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                _close_quietly(stream)
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()  # it may be in the middle of a long fit
        self.close()

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._failure("the RecBole worker has ended") from error

    def _line(self, deadline: float, timeout_seconds: float) -> bytes:
        """The next whole line of the process's answers."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._process.kill()
                    raise self._failure(f"no result within {timeout_seconds:g} seconds")
                chunk = os.read(self._process.stdout.fileno(), 65536)
                if not chunk:
                    raise self._failure("the RecBole worker ended without a result")
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _failure(self, what: str) -> WorkerFailed:
        try:
            code = self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return WorkerFailed(
            f"{what} (exit code {code}). Last lines: {self.last_lines()}",
            field="worker",
            mend="Read the lines above; raise timeout_seconds if it only was slow.",
        )

    def last_lines(self) -> str:
        """The end of what the process printed."""
        text = self._stderr_path.read_text(encoding="utf-8", errors="replace")
        return " | ".join(text.splitlines()[-_STDERR_LINES:]) or "(nothing printed)"


def _close_quietly(stream: Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # the process ended before it read all its input
        stream.close()
