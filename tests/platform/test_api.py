"""The HTTP API: the way through it, its errors as problem+json, and what it must not load."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from fairloop.platform.api import create_app
from fairloop.platform.api.problems import MEDIA_TYPE
from fairloop.platform.db.tables import Event, Recommendation
from fairloop.platform.registry import deploy
from fairloop.platform.settings import Settings
from starlette.testclient import TestClient

if TYPE_CHECKING:
    from conftest import House


@pytest.fixture
def client(house: "House") -> Iterator[TestClient]:
    app = create_app(house.settings.model_copy(update={"max_batch": 50}))
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def problem(response: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    """The body of an error, after a look at what every error must have."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == MEDIA_TYPE
    body = response.json()
    assert body["type"] == f"urn:fairloop:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/")
    return body


def test_recommend_tell_explain_and_audit(client: TestClient, house: "House") -> None:
    made = client.post("/v1/recommendations", json={"user_id": "u3", "k": 5})
    assert made.status_code == 201
    slate = made.json()
    assert [item["position"] for item in slate["items"]] == [1, 2, 3, 4, 5]
    assert client.get(f"/v1/recommendations/{slate['id']}").json() == slate

    reason = slate["items"][0]["explanation"]
    assert client.get(f"/v1/explanations/{reason['id']}").json() == reason
    assert reason["source"] == "template_no_model"

    about = {"user_id": "u3", "item_id": slate["items"][0]["item_id"]}
    events = [
        about | {"kind": "click", "recommendation_id": slate["id"]},
        about | {"kind": "rating", "value": 4, "occurred_at": "2026-01-31T12:00:00Z"},
    ]
    told = client.post("/v1/feedback", json={"events": events})
    assert told.status_code == 201
    assert len(set(told.json()["event_ids"])) == house.rows(Event) == 2

    many = client.post("/v1/recommendations/batch", json={"user_ids": [f"u{n}" for n in range(50)]})
    assert many.status_code == 201
    assert len(many.json()["recommendations"]) == 50

    audit = client.post("/v1/audits", json={"policy_version": "top-k"})
    assert audit.status_code == 201
    stored = audit.json()
    assert audit.headers["location"] == f"/v1/audits/{stored['id']}"
    assert client.get(audit.headers["location"]).json() == stored
    assert stored["scope"]["candidates_version"] == house.version
    page = client.get(f"/v1/audits/{stored['id']}/page")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert stored["report"]["verdict"]["headline"].split(";")[0] in page.text


def test_a_conversation_over_http(client: TestClient) -> None:
    started = client.post("/v1/conversations", json={"user_id": "u1"})
    assert started.status_code == 201
    key = started.json()["id"]
    turn = client.post(f"/v1/conversations/{key}/messages", json={"text": "no Topic 1"})
    assert turn.status_code == 201
    assert turn.json()["refinement"]["exclude_topics"] == ["Topic 1"]
    for item in turn.json()["recommendation"]["items"]:
        assert "Topic 1" not in item["topics"]
    kept = client.get(f"/v1/conversations/{key}").json()
    assert [message["role"] for message in kept["messages"]] == ["user", "assistant"]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "field"),
    [
        ("recommendations", {"user_id": "ghost"}, 404, "unknown-user", "user_id"),
        ("recommendations", {"user_id": "u1", "k": 51}, 422, "invalid-value", "k"),
        ("recommendations", {"user_id": "u1", "k": 0}, 422, "invalid-value", "k"),
        ("recommendations", {"user_id": "u1", "k": "many"}, 422, "invalid-value", "k"),
        ("recommendations", {"k": 5}, 422, "invalid-value", "user_id"),
        ("recommendations", {"user_id": "u1", "kk": 5}, 422, "invalid-value", "kk"),
        ("recommendations", {"user_id": "u" * 256}, 422, "invalid-value", "user_id"),
        (
            "recommendations",
            {"user_id": "u1", "refinement": {"min_year": 2500}},
            422,
            "invalid-value",
            "refinement",
        ),
        (
            "recommendations",
            {"user_id": "u1", "refinement": {"exclude_topics": ["Horor"]}},
            422,
            "invalid-value",
            "refinement.exclude_topics",
        ),
        ("recommendations/batch", {"user_ids": []}, 422, "invalid-value", "user_ids"),
        ("recommendations/batch", {"user_ids": ["u1"] * 51}, 422, "invalid-value", "user_ids"),
        ("recommendations/batch", {"user_ids": ["u1", "gh"]}, 404, "unknown-user", "user_id"),
        ("conversations", {"user_id": "ghost"}, 404, "unknown-user", "user_id"),
        (
            "conversations/nowhere/messages",
            {"text": "hi"},
            404,
            "unknown-record",
            "conversation_id",
        ),
        ("conversations/nowhere/messages", {"text": ""}, 422, "invalid-value", "text"),
        ("conversations/nowhere/messages", {"text": "x" * 1001}, 422, "invalid-value", "text"),
        ("audits", {}, 422, "empty-data", "scope"),
        ("audits", {"policy_version": "ghost"}, 404, "unknown-record", "version"),
        ("audits", {"since": "yesterday"}, 422, "invalid-value", "since"),
    ],
)
def test_a_bad_request_is_a_problem_and_nothing_is_recorded(
    client: TestClient,
    house: "House",
    path: str,
    body: dict[str, Any],
    status: int,
    kind: str,
    field: str,
) -> None:
    found = problem(client.post(f"/v1/{path}", json=body), status, kind)
    assert found["field"] == field
    assert house.rows(Recommendation) == 0


@pytest.mark.parametrize(
    ("change", "status", "kind", "field"),
    [
        ({"user_id": "ghost"}, 404, "unknown-user", "user_id"),
        ({"item_id": "ghost"}, 404, "unknown-item", "item_id"),
        ({"recommendation_id": "ghost"}, 404, "unknown-record", "recommendation_id"),
        ({"kind": "shrug"}, 422, "invalid-value", "events.1.kind"),
        ({"kind": "rating"}, 422, "invalid-value", "value"),
        ({"kind": "rating", "value": 9}, 422, "invalid-value", "value"),
        ({"value": 1}, 422, "invalid-value", "value"),
        ({"occurred_at": "2026-01-31T12:00:00"}, 422, "invalid-value", "occurred_at"),
    ],
)
def test_bad_feedback_is_a_problem_and_none_of_it_is_recorded(
    client: TestClient, house: "House", change: dict[str, Any], status: int, kind: str, field: str
) -> None:
    good = {"user_id": "u1", "item_id": "i1", "kind": "click"}
    answer = client.post("/v1/feedback", json={"events": [good, good | change]})
    assert problem(answer, status, kind)["field"] == field
    assert house.rows(Event) == 0


def test_a_nan_rating_is_a_problem(client: TestClient, house: "House") -> None:
    events = '{"events": [{"user_id": "u1", "item_id": "i1", "kind": "rating", "value": NaN}]}'
    answer = client.post(
        "/v1/feedback", content=events, headers={"content-type": "application/json"}
    )
    assert problem(answer, 422, "invalid-value")["field"] in ("value", "events.0.value")
    assert house.rows(Event) == 0


def test_every_invalid_field_is_listed(client: TestClient) -> None:
    found = problem(client.post("/v1/recommendations", json={"k": 0}), 422, "invalid-value")
    assert {one["field"] for one in found["errors"]} == {"user_id", "k"}


def test_what_is_not_json_not_there_or_too_much_is_a_problem(client: TestClient) -> None:
    problem(client.post("/v1/recommendations", content=b"{"), 422, "invalid-value")
    problem(client.get("/v1/nothing"), 404, "not-found")
    answer = client.delete("/v1/recommendations")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"
    for name in ("recommendations", "explanations", "conversations", "audits"):
        found = problem(client.get(f"/v1/{name}/nothing"), 404, "unknown-record")
        assert found["field"] == f"{name.removesuffix('s')}_id"
    problem(client.get("/v1/audits/nothing/page"), 404, "unknown-record")
    problem(client.get(f"/v1/explanations/{'x' * 65}"), 422, "invalid-value")


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(
    client: TestClient,
) -> None:
    body = json.dumps({"user_id": "u" * 1_100_000}).encode()
    problem(client.post("/v1/recommendations", content=body), 413, "request-entity-too-large")
    pieces = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    problem(client.post("/v1/recommendations", content=pieces), 413, "request-entity-too-large")


def test_health(client: TestClient, house: "House") -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "candidates_version": house.version,
        "policy_version": "top-k",
    }


def test_a_database_that_is_not_migrated_is_named_by_every_route(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(home=tmp_path / "home"))) as client:
        assert client.get("/health/live").status_code == 200
        for answer in (
            client.get("/health/ready"),
            client.get("/v1/explanations/x"),
            client.get("/v1/conversations/x"),
            client.post("/v1/audits", json={}),
            client.post("/v1/recommendations", json={"user_id": "u1"}),
            client.post("/v1/feedback", json={"events": [_click()]}),
        ):
            assert "fairloop db upgrade" in problem(answer, 503, "not-migrated")["mend"]
    assert not (tmp_path / "home").exists()


def _click() -> dict[str, str]:
    return {"user_id": "u1", "item_id": "i1", "kind": "click"}


def test_a_changed_artifact_is_not_ready(client: TestClient, house: "House") -> None:
    folder = house.home.candidate_set(house.version)
    victim = max(folder.rglob("*.npz"), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-10])
    problem(client.get("/health/ready"), 500, "corrupt-artifact")


def test_a_full_disk_is_507(
    client: TestClient, house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/health/ready").status_code == 200
    engine = client.app.state.platform.database.engine

    @sa.event.listens_for(engine, "begin")
    def no_more_pages(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    answer = client.post("/v1/recommendations", json={"user_id": "u1"})
    assert "Free some space" in problem(answer, 507, "storage-full")["mend"]
    assert house.rows(Recommendation) == 0


def test_an_unexpected_error_tells_nothing_of_itself(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("fairloop.platform.recommender.measure", broken)
    answer = client.post("/v1/recommendations", json={"user_id": "u1"})
    problem(answer, 500, "internal-server-error")
    assert "secret" not in answer.text


def test_what_is_deployed_meanwhile_serves_from_the_next_request_on(
    client: TestClient, house: "House"
) -> None:
    assert client.get("/health/ready").json()["policy_version"] == "top-k"
    deploy(house.database, "mmr")
    made = client.post("/v1/recommendations", json={"user_id": "u1", "explain": False})
    assert made.json()["policy_version"] == "mmr"


def test_the_description_has_examples_and_problems(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"]
            if path.startswith("/v1"):
                assert MEDIA_TYPE in operation["responses"]["404"]["content"]
            if method == "post":
                content = operation["requestBody"]["content"]["application/json"]
                name = content["schema"]["$ref"].rsplit("/", 1)[-1]
                assert described["components"]["schemas"][name]["examples"]


def test_a_real_server_answers_quickly_without_a_model(house: "House") -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = uvicorn.Config(
        create_app(house.settings), host="127.0.0.1", port=port, log_level="error"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            assert client.get("/health/ready").status_code == 200
            client.post("/v1/recommendations", json={"user_id": "u1"})
            started = time.perf_counter()
            made = client.post("/v1/recommendations", json={"user_id": "u2"})
            taken = time.perf_counter() - started
            assert made.status_code == 201
            assert made.json()["items"][0]["explanation"]["source"] == "template_no_model"
            assert taken < 3.0, f"{taken:.2f} s"  # 0.05 s on an idle core
            problem(client.get("/v1/explanations/nothing"), 404, "unknown-record")
    finally:
        server.should_exit = True
        thread.join(timeout=20)
    assert not thread.is_alive()


def test_serving_loads_neither_recbole_nor_ray_nor_torch() -> None:
    code = (
        "import sys, fairloop.platform.api; "
        "print(sorted({'recbole', 'ray', 'torch', 'stable_baselines3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_requests_in_the_readme_are_understood(client: TestClient) -> None:
    """Its user and item are MovieLens', so they are unknown here; the shape must be right."""
    text = (Path(__file__).parents[2] / "README.md").read_text().replace("\\\n", " ")
    talk = client.post("/v1/conversations", json={"user_id": "u1"}).json()["id"]
    requests = re.findall(r"curl -s localhost:8000(\S+) .*?-d '(.+?)'\n", text)
    assert len(requests) >= 4
    for path, body in requests:
        answer = client.post(path.replace("/ID/", f"/{talk}/"), json=json.loads(body))
        assert answer.status_code in (201, 404), (path, answer.text)
