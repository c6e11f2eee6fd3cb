"""The process that imports RecBole: ``python -m fairloop.candidates.recbole_worker``.

It reads one JSON object a line from standard input and answers with JSON lines on what was
standard output when it started. Arrays travel in npz files whose paths are in the lines.

Request::

    {"kind": "fit" | "refit", "config": {...}, "input": "in.npz", "output": "out.npz"}

Answers: any number of ``{"event": "progress", "done": 1, "total": 10}``, then one of
``{"event": "result", "metrics": {...}}`` and
``{"event": "error", "type": "ValueError", "message": "...", "errno": null}``.

RecBole prints, logs, reads ``sys.argv`` and writes into the working directory: the parent starts
this process in a temporary folder, and everything printed goes to standard error.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from . import recbole_shim

Answer = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve requests until standard input ends."""
    answers = _take_stdout()
    sys.argv = [""]
    recbole_shim.apply()
    logging.getLogger().setLevel(logging.WARNING)

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    for line in sys.stdin:
        serve(json.loads(line), answer)


def serve(request: dict[str, Any], answer: Answer) -> None:
    """Do one job and answer with its result or its error; the process lives on after an error."""
    folder = Path(tempfile.mkdtemp(dir="."))
    try:
        answer(_run(request, folder.resolve(), answer))
    except Exception as error:  # every failure of RecBole is handed to the parent, which raises it
        traceback.print_exc()
        answer(
            {
                "event": "error",
                "type": type(error).__name__,
                "message": str(error),
                "errno": error.errno if isinstance(error, OSError) else None,
            }
        )
    finally:
        shutil.rmtree(folder)


def _run(request: dict[str, Any], folder: Path, answer: Answer) -> dict[str, Any]:
    from .config import CandidateConfig
    from .recbole_data import JobData
    from .recbole_job import run_fit, run_refit

    job = JobData.load(Path(request["input"]))
    config = CandidateConfig.model_validate(request["config"])
    run = {"fit": run_fit, "refit": run_refit}[request["kind"]]

    def report(done: int, total: int) -> None:
        answer({"event": "progress", "done": done, "total": total})

    result = run(job, config, folder, report)
    np.savez(request["output"], **result["arrays"])
    return {"event": "result", "metrics": result["metrics"]}


def _take_stdout() -> TextIO:
    """Keep standard output for answers and send all other printing to standard error."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


if __name__ == "__main__":
    main()
