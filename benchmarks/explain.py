"""What a model costs whom: answers that never wait for it, streamed turns, texts that follow.

    python -m benchmarks.explain --json [--smoke]

A server of its own (``fairloop serve``) on EASE candidates of MovieLens-100K; with ``--smoke`` on
made-up data and few requests. Everything is measured by a client over HTTP on the loopback, with
the embedded model and without one. Times are wall time: on shared cores they hold what others take.
"""

# ruff: noqa: E402 - numpy reads the number of threads when it is first imported
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from fairloop.candidates.artifact import save_candidates
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.platform.db.engine import open_database
from fairloop.platform.db.migrate import upgrade
from fairloop.platform.home import Home
from fairloop.platform.registry import adopt_candidates
from fairloop.platform.store.model_calls import calls_of

from benchmarks.lines.movielens import movielens_ease
from benchmarks.report import emit, parser, result, say

Rows = list[dict[str, Any]]
FIRST_EVENT_BAR = 1.5  # seconds
FIRST_TURN_BAR = 5.0  # seconds from the start of a process
WHOLE_TURNS = 2
SAID = ("no horror", "something from before 1990", "more variety", "less known ones", "hello")


def make_home(folder: Path, seed: int, smoke: bool) -> tuple[Home, list[str]]:
    """A home folder with deployed candidates, and ids of users in it."""
    candidates = synthetic_candidates() if smoke else movielens_ease(seed)
    home = Home(folder).ensure()
    url = f"sqlite:///{home.database}"
    upgrade(url)
    database = open_database(url)
    adopt_candidates(database, home, save_candidates(candidates, home.candidates).name)
    database.close()
    return home, [str(user) for user in candidates.user_ids[candidates.pools().users]]


@contextmanager
def served(home: Home, kind: str) -> Iterator[httpx2.Client]:
    """``fairloop serve`` in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "fairloop", "serve", "--port", str(port)]
    env = os.environ | {"FAIRLOOP_HOME": str(home.root), "FAIRLOOP_MODEL_KIND": kind}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            with httpx2.Client(base_url=url, timeout=120) as client:
                _await_server(client)
                yield client
        finally:
            process.terminate()


def _await_server(client: httpx2.Client) -> None:
    """Until it can serve, and the model was looked at where there is one."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            ready = client.get("/health/ready").json()
        except httpx2.TransportError:
            time.sleep(0.1)
            continue
        if ready.get("model", {}).get("state") != "unknown":
            return
        time.sleep(0.1)
    raise SystemExit("the server does not start")


def streamed_turn(
    client: httpx2.Client, user: str, text: str, whole: bool
) -> dict[str, list[float]]:
    """Seconds until each event of a turn, by its name; to its end, or to the first text."""
    talk = client.post("/v1/conversations", json={"user_id": user}).json()["id"]
    headers = {"Accept": "text/event-stream"}
    at: dict[str, list[float]] = {}
    started = time.perf_counter()
    path = f"/v1/conversations/{talk}/messages"
    with client.stream("POST", path, json={"text": text}, headers=headers) as answer:
        lines = answer.iter_lines()
        for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
                about = json.loads(next(lines).removeprefix("data: "))
                if name == "explanation" and about["source"] == "model":
                    name = "worded"
                at.setdefault(name, []).append(time.perf_counter() - started)
                if name in ("explanation", "worded") and not whole:
                    break
    return at


def answer_seconds(client: httpx2.Client, users: list[str]) -> list[float]:
    """Seconds of requests for a slate with explanations, one after another."""
    seconds = []
    for user in users:
        started = time.perf_counter()
        made = client.post("/v1/recommendations", json={"user_id": user, "k": 10})
        seconds.append(time.perf_counter() - started)
        assert made.status_code == 201, made.text
    return seconds


def turn_rows(client: httpx2.Client, users: list[str]) -> Rows:
    """Streamed turns with the embedded model; the client leaves most of them at the first text."""
    turns = [
        streamed_turn(client, user, SAID[n % len(SAID)], whole=n < WHOLE_TURNS)
        for n, user in enumerate(users)
    ]
    first = [turn["reply"][0] for turn in turns]
    slates = [turn["turn"][0] for turn in turns]
    worded = [turn["worded"][0] for turn in turns if "worded" in turn]
    told = sum(len(turn.get("worded", [])) for turn in turns)
    all_told = told + sum(len(turn.get("explanation", [])) for turn in turns)
    rows = []
    for percent in (50, 95):
        value = float(np.percentile(first, percent))
        name = f"streamed turn: first event, p{percent} of {len(first)}"
        rows.append(result(name, value, "s", FIRST_EVENT_BAR, value <= FIRST_EVENT_BAR))
    rows.append(
        result("streamed turn: slate with the template's texts, median", _median(slates), "s")
    )
    rows.append(result("streamed turn: first text of the model, median", _median(worded), "s"))
    rows.append(result("streamed turn: share of texts in its words", told / max(all_told, 1), ""))
    return rows


def rate_row(home: Home, client: httpx2.Client, user: str) -> dict[str, Any]:
    """Tokens a second, from the records of the calls for one slate."""
    slate = client.post("/v1/recommendations", json={"user_id": user, "k": 10}).json()["id"]
    path = f"/v1/recommendations/{slate}/explanations/stream"
    with client.stream("GET", path) as answer:
        answer.read()
    database = open_database(f"sqlite:///{home.database}")
    with database.reading() as session:
        calls = [call for call in calls_of(session, slate) if call.attempts]
    database.close()
    tokens = sum(call.tokens_out or 0 for call in calls)
    seconds = sum(call.latency_s for call in calls)
    return result("embedded model: tokens", tokens / seconds if seconds else 0.0, "tokens/s")


def first_turn(home: Home, user: str) -> float:
    """Seconds from the start of ``fairloop chat`` to its first line, the embedded model set."""
    command = [sys.executable, "-m", "fairloop", "chat", user, "--say", SAID[0]]
    env = os.environ | {
        "FAIRLOOP_HOME": str(home.root),
        "FAIRLOOP_MODEL_KIND": "embedded",
        "FAIRLOOP_K": "1",
    }
    started = time.perf_counter()
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - started
        process.communicate()
    return seconds


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def run(folder: Path, seed: int, smoke: bool) -> Rows:
    n_turns, n_answers, n_starts = (2, 5, 1) if smoke else (20, 50, 5)
    home, users = make_home(folder, seed, smoke)
    say("a fresh process …")
    started = [first_turn(home, users[n]) for n in range(n_starts)]
    value = _median(started)
    name = f"fairloop chat: first answer of a fresh process, median of {n_starts}"
    rows = [result(name, value, "s", FIRST_TURN_BAR, value <= FIRST_TURN_BAR)]
    say("without a model …")
    with served(home, "none") as client:
        alone = _median(answer_seconds(client, users[:n_answers]))
    rows.append(result("slate of 10 with texts, no model: median", alone, "s"))
    say("with the embedded model …")
    with served(home, "embedded") as client:
        rows += turn_rows(client, users[:n_turns])
        rows.append(rate_row(home, client, users[n_turns]))
        beside = _median(answer_seconds(client, users[n_turns + 1 : n_turns + 1 + n_answers]))
    name = "slate of 10 with texts, embedded model at work: median"
    rows.append(result(name, beside, "s", peer="no model", ratio=alone / beside))
    return rows


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory() as folder:
        emit(run(Path(folder) / "home", args.seed, args.smoke), args.seed, args.json)


if __name__ == "__main__":
    main()
