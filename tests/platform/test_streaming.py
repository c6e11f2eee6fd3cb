"""Turns and explanations as events, over real sockets, with a real model server behind them."""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn
from fairloop.platform.api import create_app, event_stream
from fairloop.platform.cli import main as cli
from fairloop.platform.db.base import utc_now
from fairloop.platform.db.tables import Explanation
from fairloop.platform.following import follow, sentences
from fairloop.platform.settings import Settings
from fairloop.platform.store.wordings import asked_later, settle, wordings_of
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from conftest import House, ModelServer

WISH = {"text": "no Topic 1"}
Event = tuple[str, dict[str, Any]]


@contextmanager
def running(settings: Settings) -> Iterator[httpx2.Client]:
    """The API on a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = uvicorn.Config(create_app(settings), port=port, log_level="error")
    api = uvicorn.Server(config)
    thread = threading.Thread(target=api.run)
    thread.start()
    try:
        until = time.monotonic() + 20
        while not api.started and time.monotonic() < until:
            time.sleep(0.02)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert client.get("/health/ready").status_code == 200
            yield client
    finally:
        api.should_exit = True
        thread.join(timeout=20)
    assert not thread.is_alive()


def asking(house: "House", server: "ModelServer", **changed: Any) -> Settings:
    """Settings with the model server."""
    wanted = {
        "model_kind": "openai",
        "model_base_url": f"{server.url}/v1",
        "model_grammar": True,
        "k": 4,
    }
    return Settings.model_validate(house.settings.model_dump() | wanted | changed)


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Events off the wire, by the rules of the format."""
    name, data = "message", ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data += line.removeprefix("data: ")
        elif line.startswith(":"):
            yield "comment", {}
        elif not line and data:
            yield name, json.loads(data)
            name, data = "message", ""


@contextmanager
def said(client: httpx2.Client, user: str = "u1") -> Iterator[Iterator[Event]]:
    talk = client.post("/v1/conversations", json={"user_id": user}).json()["id"]
    headers = {"Accept": "text/event-stream"}
    path = f"/v1/conversations/{talk}/messages"
    with client.stream("POST", path, json=WISH, headers=headers) as answer:
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def texts(client: httpx2.Client, slate: str) -> list[dict[str, Any]]:
    return client.get(f"/v1/recommendations/{slate}/explanations").json()


def awaited(ready: Callable[[], bool], within: float = 10.0) -> None:
    until = time.monotonic() + within
    while not ready():
        assert time.monotonic() < until, f"not within {within} s"
        time.sleep(0.05)


def test_a_turn_comes_as_reply_slate_and_explanations(
    house: "House", server: "ModelServer"
) -> None:
    with running(asking(house, server)) as client, said(client) as told:
        seen = list(told)
        names = [name for name, _ in seen]
        turn = next(data for name, data in seen if name == "turn")
        slate = turn["recommendation"]
        reply = [data["text"] for name, data in seen if name == "reply"]
        assert names[0] == "reply" and "".join(reply) == turn["reply"]
        assert names.index("turn") == len(reply) and names[-1] == "done"
        for item in slate["items"]:
            assert item["explanation"]["source"] == "template_no_model"
            assert "Topic 1" not in item["topics"]
        explained = [data for name, data in seen if name == "explanation"]
        assert sorted(one["position"] for one in explained) == [1, 2, 3, 4]
        assert {one["source"] for one in explained} == {"model"}
        for one in explained:
            parts = [d for n, d in seen if n == "sentence" and d["item_id"] == one["item_id"]]
            assert "".join(part["text"] for part in parts) == one["text"]
            stored = client.get(f"/v1/explanations/{one['explanation_id']}").json()
            assert stored["text"] == one["text"] and stored["verdict"]["accepted"]
        # The same request without a stream is answered with the same kind of turn.
        assert set(turn) == set(client.post(f"/v1/conversations/{turn['conversation_id']}/messages",
                                            json={"text": "no Topic 2"}).json())  # fmt: skip


def test_the_reply_does_not_wait_for_the_model_and_each_text_comes_when_it_is_ready(
    house: "House", server: "ModelServer"
) -> None:
    with running(asking(house, server)) as client:
        server.tell({"do": "answer", "after": 1.0})
        started = time.perf_counter()
        with said(client) as told:
            at = [(name, time.perf_counter() - started) for name, _ in told]
    when = {name: [seconds for other, seconds in at if other == name] for name, _ in at}
    assert when["reply"][0] < 1.5 and when["turn"][0] < 1.5
    gaps = [b - a for a, b in zip(when["explanation"], when["explanation"][1:], strict=False)]
    assert all(gap > 0.5 for gap in gaps), "they came together"


def test_the_texts_of_a_slate_can_be_followed_and_are_told_again(
    house: "House", server: "ModelServer"
) -> None:
    with running(asking(house, server)) as client:
        server.tell({"do": "answer", "after": 0.3})
        slate = client.post("/v1/recommendations", json={"user_id": "u1"}).json()
        assert {text["state"] for text in texts(client, slate["id"])} == {"pending"}
        path = f"/v1/recommendations/{slate['id']}/explanations/stream"
        for while_pending in (True, False):
            with client.stream("GET", path) as answer:
                seen = list(events(answer.iter_lines()))
            explained = [data for name, data in seen if name == "explanation"]
            assert seen[-1] == ("done", {})
            assert explained == texts(client, slate["id"]), while_pending
        missing = client.get("/v1/recommendations/nothing/explanations/stream")
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "application/problem+json"


def test_what_the_model_answered_about_a_user_goes_with_them(
    house: "House", server: "ModelServer"
) -> None:
    app = create_app(asking(house, server))
    with TestClient(app) as client:
        for user in ("u1", "u2"):
            slate = client.post("/v1/recommendations", json={"user_id": user}).json()
            path = f"/v1/recommendations/{slate['id']}/explanations/stream"
            assert client.get(path).text.rstrip().endswith("event: done\ndata: {}")
        answers = app.state.platform.model.answers
        assert len(answers) == 8
        assert client.delete("/v1/users/u1").status_code == 200
        assert len(answers) == 4
        assert client.delete("/v1/users/u2").status_code == 200
        assert len(answers) == 0


def test_who_goes_away_stops_the_work(house: "House", server: "ModelServer") -> None:
    with running(asking(house, server, k=8)) as client:
        server.tell({"do": "answer", "after": 0.5})
        with said(client) as told:
            turn = next(data for name, data in told if name == "turn")
        slate = turn["recommendation"]["id"]
        awaited(lambda: {text["state"] for text in texts(client, slate)} == {"final"})
        endings = [text["ending"] for text in texts(client, slate)]
        assert endings.count("cancelled") >= 5, endings
        assert len(server.asked()) <= 3
        shown = [item["explanation"]["text"] for item in turn["recommendation"]["items"]]
        kept = [text["text"] for text in texts(client, slate)]
        for ending, before, now in zip(endings, shown, kept, strict=True):
            assert ending == "written" or before == now


def test_another_listener_keeps_the_work_going(house: "House", server: "ModelServer") -> None:
    with running(asking(house, server)) as client:
        server.tell({"do": "answer", "after": 0.4})
        with said(client) as told:
            slate = next(data for name, data in told if name == "turn")["recommendation"]["id"]
            other = client.stream("GET", f"/v1/recommendations/{slate}/explanations/stream")
            answer = other.__enter__()
            heard = events(answer.iter_lines())
            first = next(heard)
        try:
            seen = [first, *heard]
        finally:
            other.__exit__(None, None, None)
        assert [d["ending"] for n, d in seen if n == "explanation"] == ["written"] * 4


def test_the_line_is_kept_open(
    house: "House", server: "ModelServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "KEEPALIVE_SECONDS", 0.1)
    with running(asking(house, server, k=1)) as client:
        server.tell({"do": "answer", "after": 2.5})
        with said(client) as told:
            assert "comment" in [name for name, _ in told]


def test_without_a_model_all_is_told_at_once(house: "House") -> None:
    with running(house.settings) as client:
        started = time.perf_counter()
        with said(client) as told:
            seen = list(told)
        assert time.perf_counter() - started < 5.0
        explained = [data for name, data in seen if name == "explanation"]
        assert {(one["state"], one["ending"], one["source"]) for one in explained} == {
            ("final", None, "template_no_model")
        }
        assert client.get("/health/model").status_code == 503


def test_a_stream_begins_with_an_error_as_any_answer_does(house: "House") -> None:
    with running(house.settings) as client:
        headers = {"Accept": "text/event-stream"}
        answer = client.post("/v1/conversations/nothing/messages", json=WISH, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_text_left_pending_by_a_process_that_ended_lapses(house: "House") -> None:
    made = house.recommender().recommend("u1", 3)
    items = [item.item_id for item in made.items]
    with house.database.session() as session:
        for row in session.query(Explanation).filter_by(recommendation_id=made.id):
            ago = timedelta(seconds=1 if row.item_id == items[0] else -60)
            row.provenance = row.provenance | {"later": asked_later(utc_now() - ago)}
    with house.database.session() as session:
        found = wordings_of(session, made.id)
        assert [(one.state, one.ending) for one in found] == [
            ("final", "lapsed"),
            ("pending", None),
            ("pending", None),
        ]
        assert settle(session, made.id, items[1], "cancelled")
        assert not settle(session, made.id, items[1], "written"), "it is settled already"
        assert not settle(session, made.id, "nothing", "written")
    assert [one.item_id for one in follow(house.database, None, made.id)] == items[:2]


@given(st.text(st.sampled_from('ab ."!?…\n'), max_size=40))
def test_pieces_make_up_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


def test_full_stops_in_titles_end_no_sentence() -> None:
    text = 'You liked "Mr. Holland. Again!". It shares Drama with it. Good'
    assert sentences(text) == [
        'You liked "Mr. Holland. Again!". ',
        "It shares Drama with it. ",
        "Good",
    ]


def chat(house: "House", server: "ModelServer", *words: str) -> int:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["fairloop", "chat", "u1", "--say", "no Topic 1", *words])
        patched.setenv("FAIRLOOP_HOME", str(house.home.root))
        patched.setenv("FAIRLOOP_MODEL_KIND", "openai")
        patched.setenv("FAIRLOOP_MODEL_BASE_URL", f"{server.url}/v1")
        patched.setenv("FAIRLOOP_MODEL_GRAMMAR", "1")
        patched.setenv("FAIRLOOP_K", "3")
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0)


def test_the_command_prints_each_text_as_it_comes(
    house: "House", server: "ModelServer", capsys: pytest.CaptureFixture[str]
) -> None:
    assert chat(house, server) == 0
    assert capsys.readouterr().out.count("(model)") == 3
    assert chat(house, server, "--json", "--wait") == 0
    (turn,) = json.loads(capsys.readouterr().out)["turns"]
    told = [item["explanation"]["source"] for item in turn["recommendation"]["items"]]
    assert told == ["model"] * 3


def test_the_command_does_not_wait_for_a_slow_model(
    house: "House", server: "ModelServer", capsys: pytest.CaptureFixture[str]
) -> None:
    server.tell({"do": "answer", "after": 20.0})
    started = time.perf_counter()
    assert chat(house, server, "--json") == 0
    assert time.perf_counter() - started < 10.0
    (turn,) = json.loads(capsys.readouterr().out)["turns"]
    told = [item["explanation"]["source"] for item in turn["recommendation"]["items"]]
    assert told == ["template_no_model"] * 3
