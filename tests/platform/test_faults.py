"""Every way a real model server can fail: what is shown is true, recorded and in time."""

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fairloop.platform.api import create_app
from fairloop.platform.recommender import open_recommender
from fairloop.platform.settings import Settings
from fairloop.platform.store.model_calls import calls_of
from fairloop.platform.wording import make_explainer
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from conftest import House, ModelServer

KEY = "sk-hidden-0123456789abcdef"
TIMEOUT = 1.5
SLACK = 2.0
"""Seconds that a busy machine may add to a deadline."""


@pytest.fixture(scope="module", autouse=True)
def clients_loaded() -> None:
    """Their import takes longer than the deadlines here."""
    import langchain_openai  # noqa: F401 - for its loading alone
    import openai  # noqa: F401 - likewise


Open = Callable[..., TestClient]


@pytest.fixture
def serve(house: "House", server: "ModelServer") -> Iterator[Open]:
    opened: list[TestClient] = []

    def serve(**changed: Any) -> TestClient:
        settings = house.settings.model_validate(
            house.settings.model_dump()
            | {
                "model_kind": "openai",
                "model_base_url": f"{server.url}/v1",
                "model_api_key": KEY,
                "model_grammar": True,
                "model_timeout": TIMEOUT,
                "model_retries": 1,
            }
            | changed
        )
        client = TestClient(create_app(settings))
        client.__enter__()
        opened.append(client)
        settled_health(client)  # its probe must not take a step of the script
        return client

    yield serve
    for client in opened:
        client.__exit__(None, None, None)


def settled_health(client: TestClient) -> dict[str, Any]:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        health = client.get("/health/model").json()
        if health["state"] != "unknown":
            return health
        time.sleep(0.02)
    raise AssertionError("the health check does not end")


def recommended(client: TestClient, user: str = "u1", k: int = 1) -> dict[str, Any]:
    """A slate, after a look at its texts: the template's, without waiting for the model."""
    made = client.post("/v1/recommendations", json={"user_id": user, "k": k})
    assert made.status_code == 201, made.text
    for item in made.json()["items"]:
        assert item["explanation"]["source"] == "template_no_model"
        assert item["explanation"]["verdict"]["accepted"]
        assert item["explanation"]["provenance"]["later"]["state"] in ("pending", "dropped")
    return made.json()


def final(client: TestClient, slate: dict[str, Any], within: float = 20.0) -> list[dict[str, Any]]:
    """Its explanations once none of them waits for the model."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        texts = client.get(f"/v1/recommendations/{slate['id']}/explanations").json()
        if all(text["state"] == "final" for text in texts):
            read = client.get(f"/v1/recommendations/{slate['id']}").json()
            return [item["explanation"] for item in read["items"]]
        time.sleep(0.02)
    raise AssertionError(f"still pending after {within} s")


def calls(house: "House", slate: dict[str, Any]) -> list[Any]:
    with house.database.reading() as session:
        return calls_of(session, slate["id"])


def status(code: int, **more: Any) -> dict[str, Any]:
    return {"do": "status", "status": code, **more}


FAULTS = {
    "slow": ({"do": "answer", "after": 30.0}, "late", 1),
    "drip": ({"do": "drip"}, "late", 1),
    "truncated JSON": ({"do": "truncated"}, "malformed", 1),
    "wrong schema": ({"do": "schema"}, "malformed", 1),
    "HTML": ({"do": "html"}, "malformed", 1),
    "invalid UTF-8": ({"do": "bytes"}, "malformed", 1),
    "no body": ({"do": "no body"}, "malformed", 1),
    "endless": ({"do": "huge"}, "too_long", 1),
    "long": ({"do": "long"}, "too_long", 1),
    "empty": ({"do": "no text"}, "empty", 1),
    "token limit": ({"do": "length"}, "cut_off", 1),
    "cut": ({"do": "cut"}, "unreachable", 2),
    "cut in a chunk": ({"do": "cut chunk"}, "unreachable", 2),
    "reset": ({"do": "reset"}, "unreachable", 2),
    "500": (status(500), "server_error", 2),
    "503": (status(503, body="<html>", headers={"Retry-After": "0"}), "server_error", 2),
    "429": (status(429), "rate_limited", 2),
    "429, later than the deadline": (
        status(429, headers={"Retry-After": "60"}),
        "rate_limited",
        1,
    ),
    "wrong key": (
        status(401, body=json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}})),
        "refused",
        1,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_failing_model_leaves_the_template_on_record(
    name: str, serve: Open, server: "ModelServer", house: "House", caplog: pytest.LogCaptureFixture
) -> None:
    step, outcome, attempts = FAULTS[name]
    client = serve()
    server.tell(step)
    caplog.set_level(logging.DEBUG)
    started = time.perf_counter()
    slate = recommended(client)
    (text,) = final(client, slate)
    assert time.perf_counter() - started < TIMEOUT + SLACK
    assert text["source"] == "template_model_error"
    assert text["verdict"]["accepted"]
    assert text["text"] == slate["items"][0]["explanation"]["text"]
    later = text["provenance"]["later"]
    assert later["state"] == "written"
    assert later["before"]["text"] == text["text"]
    (call,) = calls(house, slate)
    assert (call.outcome, call.attempts, call.cached) == (outcome, attempts, False), call
    assert call.error and text["provenance"]["error"].endswith(call.error)
    assert call.latency_s < TIMEOUT + SLACK
    assert len(server.asked()) == attempts
    # The key is in no text that is answered, logged or stored; in parts neither.
    stored = b"".join(file.read_bytes() for file in house.home.root.glob("fairloop.db*"))
    told = json.dumps(text) + caplog.text + client.get("/health/ready").text
    assert KEY[:12] not in told and KEY[:12].encode() not in stored


def test_an_honest_model_words_each_text_once_for_equal_evidence(
    serve: Open, server: "ModelServer", house: "House"
) -> None:
    client = serve(model_price_in=1.0, model_price_out=2.0)
    server.tell({"do": "answer"})  # and forget the health check's request
    first, again = recommended(client, k=3), recommended(client, k=3)
    texts = final(client, first)
    assert [text["source"] for text in texts] == ["model"] * 3
    assert all(text["verdict"]["accepted"] for text in texts)
    assert [t["text"] for t in final(client, again)] == [t["text"] for t in texts]
    made, cached = calls(house, first), calls(house, again)
    assert [(call.outcome, call.cached, call.attempts) for call in made] == [
        ("answered", False, 1)
    ] * 3
    assert [(call.outcome, call.cached, call.attempts) for call in cached] == [
        ("answered", True, 0)
    ] * 3
    assert [(call.tokens_in, call.tokens_out) for call in made] == [(100, 10)] * 3
    assert [call.cost for call in made] == pytest.approx([0.12] * 3)
    assert [call.cost for call in cached] == [0.0] * 3
    assert len(server.asked()) == 3
    assert client.get("/health/ready").json()["model"]["answers_found"] == 3
    # What was shown first stays on record beside what replaced it.
    before = texts[0]["provenance"]["later"]["before"]
    assert before["text"] == first["items"][0]["explanation"]["text"]
    assert before["source"] == "template_no_model"


def test_a_lie_is_neither_shown_nor_kept(
    serve: Open, server: "ModelServer", house: "House"
) -> None:
    client = serve()
    server.tell({"do": "answer", "text": "A masterpiece by Kubrick."}, {"do": "answer"})
    (lied,) = final(client, recommended(client))
    assert lied["source"] == "template_check_failed"
    assert lied["provenance"]["rejected_text"] == "A masterpiece by Kubrick."
    second = recommended(client)
    (told,) = final(client, second)
    assert told["source"] == "model"
    assert [call.cached for call in calls(house, second)] == [False]


@pytest.mark.parametrize(
    "fault", [{"do": "truncated"}, {"do": "cut"}, {"do": "no text"}, status(500)]
)
def test_a_failure_is_not_kept(
    serve: Open, server: "ModelServer", house: "House", fault: dict[str, Any]
) -> None:
    client = serve(model_retries=0)
    server.tell(fault, {"do": "answer"})
    assert final(client, recommended(client))[0]["source"] == "template_model_error"
    assert final(client, recommended(client))[0]["source"] == "model"


def test_a_passing_failure_is_asked_again(
    serve: Open, server: "ModelServer", house: "House"
) -> None:
    client = serve(model_retries=2, model_timeout=10.0)
    server.tell({"do": "cut"}, status(429, headers={"Retry-After": "1"}), {"do": "answer"})
    slate = recommended(client)
    (text,) = final(client, slate)
    assert text["source"] == "model"
    (call,) = calls(house, slate)
    assert (call.outcome, call.attempts) == ("answered", 3)
    assert call.latency_s > 1.0, "it did not wait as long as it was asked to"


def test_a_server_that_is_down_and_comes_back(
    house: "House", serve: Open, start_model_server: Callable[[int], "ModelServer"]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = serve(
        model_base_url=f"http://127.0.0.1:{port}/v1",
        model_retries=0,
        model_breaker_failures=2,
        model_breaker_seconds=1.0,
    )
    assert settled_health(client)["state"] == "fails"
    slate = recommended(client, k=4)
    texts = final(client, slate)
    assert [text["source"] for text in texts] == ["template_model_error"] * 4
    assert all(text["verdict"]["accepted"] for text in texts)
    made = calls(house, slate)
    assert [call.outcome for call in made] == ["unreachable"] * 2 + ["breaker_open"] * 2
    assert [call.attempts for call in made] == [1, 1, 0, 0]
    assert all(call.latency_s < 0.1 for call in made[2:]), "an open breaker costs nothing"
    assert client.get("/health/ready").status_code == 200, "templates serve"
    assert client.get("/health/model").json()["breaker"] in ("open", "half_open")
    start_model_server(port)
    time.sleep(1.0)
    back = recommended(client, k=4)
    assert [text["source"] for text in final(client, back)] == ["model"] * 4
    assert client.get("/health/model").json()["breaker"] == "closed"


def test_a_spent_budget_leaves_the_template(
    serve: Open, server: "ModelServer", house: "House"
) -> None:
    client = serve(model_price_in=1.0, model_price_out=1.0, model_cost_budget=0.5)
    slate = recommended(client)
    (text,) = final(client, slate)
    assert text["source"] == "template_model_error" and "budget" in text["provenance"]["error"]
    (call,) = calls(house, slate)
    assert (call.outcome, call.attempts, call.cost) == ("budget_spent", 0, 0.0)
    assert client.get("/health/model").json()["cost_today"] <= 0.5


def test_too_many_texts_keep_the_templates(serve: Open, server: "ModelServer") -> None:
    client = serve(model_queue=2, model_timeout=10.0)
    server.tell({"do": "answer", "after": 0.3})
    slate = recommended(client, k=5)
    states = [item["explanation"]["provenance"]["later"]["state"] for item in slate["items"]]
    assert states == ["pending"] * 2 + ["dropped"] * 3
    texts = final(client, slate)
    assert [t["source"] for t in texts] == ["model"] * 2 + ["template_no_model"] * 3
    told = client.get(f"/v1/recommendations/{slate['id']}/explanations").json()
    assert [t["ending"] for t in told] == ["written"] * 2 + ["dropped"] * 3


def test_a_text_that_waits_too_long_lapses(serve: Open, server: "ModelServer") -> None:
    client = serve(model_patience=0.2, model_timeout=10.0)
    server.tell({"do": "answer", "after": 0.5})
    slate = recommended(client, k=3)
    final(client, slate)
    time.sleep(1.0)
    told = client.get(f"/v1/recommendations/{slate['id']}/explanations").json()
    assert [t["ending"] for t in told] == ["written", "lapsed", "lapsed"]


def test_a_request_never_waits_for_the_model(serve: Open, server: "ModelServer") -> None:
    client = serve(model_timeout=30.0)
    recommended(client)
    server.tell({"do": "answer", "after": 10.0})
    started = time.perf_counter()
    recommended(client, user="u2", k=5)
    assert time.perf_counter() - started < 3.0, "0.05 s on an idle core"


def test_erased_meanwhile_nothing_is_written(
    serve: Open, server: "ModelServer", house: "House"
) -> None:
    client = serve(model_timeout=10.0)
    server.tell({"do": "answer", "after": 0.5})
    slate = recommended(client, user="u5")
    assert client.delete("/v1/users/u5").is_success
    until = time.monotonic() + 10
    while not server.asked() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(1.0)
    assert client.get(f"/v1/recommendations/{slate['id']}/explanations").json() == []
    assert calls(house, slate) == []


def test_requests_that_were_waited_for_are_recorded_with_their_slates(
    house: "House", server: "ModelServer"
) -> None:
    wanted = {
        "model_kind": "openai",
        "model_base_url": f"{server.url}/v1",
        "model_grammar": True,
    }
    settings = Settings.model_validate(house.settings.model_dump() | wanted)
    recommender = open_recommender(settings, house.database, make_explainer(settings))
    made = recommender.recommend_many(["u1", "u2"], 2, explain=True)
    for slate in made:
        assert [item.explanation.source for item in slate.items if item.explanation] == [
            "model"
        ] * 2
        with house.database.reading() as session:
            found = calls_of(session, slate.id)
        assert [call.outcome for call in found] == ["answered"] * 2
