"""The limits around a model, each alone: retries, breaker, budget, cache, and what is recorded."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import format_datetime

import httpx2
import pytest
from fairloop.explain.calls import logged_calls
from fairloop.explain.model import Attempt, NoAnswer, Question
from fairloop.explain.prompts import prompt_hash
from fairloop.platform.models.breaker import Breaker
from fairloop.platform.models.budget import Budget, Prices, Spent
from fairloop.platform.models.cache import AnswerCache
from fairloop.platform.models.client import ServerChat, retry_after
from fairloop.platform.models.guarded import GuardedModel
from fairloop.platform.models.retries import Retries
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import SecretStr

ASK = Question((HumanMessage("hello"),), None, 1, 8)


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


# --- retries ---------------------------------------------------------------------------------


@given(
    number=st.integers(1, 12),
    asked=st.floats(0, 100),
    left=st.floats(0, 100),
    drawn=st.floats(0, 1, exclude_max=True),
)
def test_waits_are_jittered_bounded_and_end_before_the_deadline(number, asked, left, drawn) -> None:
    retries = Retries(most=10, base=0.5, longest=8.0, draw=lambda: drawn)
    wait = retries.wait(Attempt("rate_limited", again_after=asked), number, left)
    expected = asked + drawn * min(8.0, 0.5 * 2 ** (number - 1))
    assert wait == (expected if number <= 10 and expected < left else None)


def test_what_cannot_pass_is_not_asked_again() -> None:
    assert Retries().wait(Attempt("malformed"), 1, 100.0) is None


def test_jitter_is_drawn_anew() -> None:
    waits = {Retries().wait(Attempt("server_error", again_after=0.0), 2, 100.0) for _ in range(50)}
    assert len(waits) == 50 and all(wait is not None and 0 <= wait < 1.0 for wait in waits)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("inf", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (format_datetime(datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC), usegmt=True), 30.0),
        (format_datetime(datetime(2025, 1, 1, tzinfo=UTC), usegmt=True), 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert retry_after(httpx2.Headers({"Retry-After": said}), lambda: now) == seconds


# --- breaker ---------------------------------------------------------------------------------


def test_the_breaker_opens_tries_once_and_closes() -> None:
    clock = Clock()
    breaker = Breaker(threshold=2, cooldown=10.0, clock=clock)
    for _ in range(2):
        assert breaker.state == "closed" and breaker.admits()
        breaker.failed()
    assert breaker.state == "open" and not breaker.admits()
    clock.now = 10.0
    assert breaker.state == "half_open"
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert breaker.state == "open" and not breaker.admits()
    clock.now = 20.0
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.state == "closed" and breaker.admits() and breaker.admits()
    breaker.failed()
    assert breaker.state == "closed", "the count began anew"


def test_only_failures_in_a_row_count() -> None:
    breaker = Breaker(threshold=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state == "closed"


def test_a_trial_that_never_ends_does_not_keep_the_breaker_shut() -> None:
    clock = Clock()
    breaker = Breaker(threshold=1, cooldown=10.0, clock=clock)
    breaker.failed()
    clock.now = 10.0
    assert breaker.admits()
    clock.now = 20.0
    assert breaker.admits()


# --- budget ----------------------------------------------------------------------------------


def test_the_worst_case_is_held_and_what_was_taken_is_counted() -> None:
    budget = Budget(tokens=100, prices=Prices(1.0, 2.0))
    held = budget.hold(ASK)
    assert held is not None and held.tokens == ASK.most_tokens <= 50
    took = budget.settle(held, Attempt("answered", "hi", tokens_in=10, tokens_out=5))
    assert took == budget.spent == Spent(15, pytest.approx(0.02))


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        ("answered", True),
        ("late", True),
        ("malformed", True),
        ("unreachable", False),
        ("rate_limited", False),
        ("server_error", False),
    ],
)
def test_without_a_count_the_worst_case_is_taken_where_something_was_written(
    outcome, counts
) -> None:
    budget = Budget(tokens=1000)
    held = budget.hold(ASK)
    assert held is not None
    assert budget.settle(held, Attempt(outcome)) == (held if counts else Spent())


def test_threads_together_do_not_pass_the_bound() -> None:
    budget = Budget(tokens=ASK.most_tokens * 10)
    admitted: list[Spent] = []

    def ask() -> None:
        for _ in range(20):
            held = budget.hold(ASK)
            if held is not None:
                admitted.append(budget.settle(held, Attempt("late")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 10
    assert budget.spent.tokens == budget.tokens


def test_a_new_day_has_a_new_budget() -> None:
    days = [date(2026, 1, 1)]
    budget = Budget(tokens=ASK.most_tokens, day=lambda: days[-1])
    held = budget.hold(ASK)
    assert held is not None
    budget.settle(held, Attempt("late"))
    assert budget.hold(ASK) is None
    days.append(date(2026, 1, 2))
    assert budget.spent == Spent() and budget.hold(ASK) is not None


# --- cache -----------------------------------------------------------------------------------


def test_the_least_recently_used_answer_is_forgotten() -> None:
    cache = AnswerCache(2)
    cache.put(("a", "1"), "A")
    cache.put(("b", "1"), "B")
    assert cache.get(("a", "1")) == "A"
    cache.put(("c", "1"), "C")
    assert [cache.get((key, "1")) for key in "abc"] == ["A", None, "C"]
    assert (cache.hits, cache.misses, len(cache)) == (3, 1, 2)
    cache.put(("c", "2"), "D")
    cache.forget("c")
    assert cache.get(("c", "1")) is cache.get(("c", "2")) is None


def test_a_cache_of_no_size_keeps_nothing() -> None:
    cache = AnswerCache(0)
    cache.put(("a", "1"), "A")
    assert cache.get(("a", "1")) is None


# --- all together ----------------------------------------------------------------------------


class Scripted(BaseChatModel):
    """Answers, or raises, what it is told in turn."""

    answers: list
    asked: list

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages, stop=None, run_manager=None, **options):
        self.asked.append(options)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        message = AIMessage(answer, response_metadata={}, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


Make = Callable[..., GuardedModel]


def guarded(*answers: object, **parts: object) -> GuardedModel:
    chat = Scripted(answers=list(answers), asked=[])
    return GuardedModel(chat=chat, name="scripted", **parts)  # type: ignore[arg-type]


def test_each_request_is_logged_with_its_prompt() -> None:
    again = NoAnswer("busy", "rate_limited", 0.0)
    model = guarded(again, "hi", retries=Retries(base=0.01), budget=Budget(prices=Prices(1, 1)))
    with logged_calls() as outer, logged_calls() as log:
        assert model.write(ASK.messages, None, 1, 8, "test-1") == "hi"
        assert model.write(ASK.messages, None, 1, 8, "test-1") == "hi"
        assert model.write(ASK.messages, None, 2, 8, "test-1") == "hi"
    first, second, third = log.calls
    assert (first.outcome, first.attempts, first.cached) == ("answered", 2, False)
    assert (first.tokens_in, first.tokens_out, first.cost) == (7, 3, 0.01)
    assert (second.attempts, second.cached, second.tokens_in, second.cost) == (0, True, None, 0.0)
    assert not third.cached, "another seed may have another answer"
    assert first.parameters == {"seed": 1, "max_tokens": 8, "grammar": False}
    (prompt,) = log.prompts.values()
    assert prompt.hash == first.prompt_hash == prompt_hash(ASK.messages, None, "test-1")
    assert prompt.messages == (("human", "hello"),) and prompt.version == "test-1"
    assert outer.calls == log.calls
    with logged_calls() as empty:
        pass
    assert empty.calls == []


def test_a_refused_answer_is_forgotten() -> None:
    model = guarded("one", "two")
    assert model.write(ASK.messages, None, 1, 8) == "one"
    model.forget(prompt_hash(ASK.messages, None))
    assert model.write(ASK.messages, None, 1, 8) == "two"


def test_an_open_breaker_answers_at_once_and_says_so() -> None:
    model = guarded(NoAnswer("down", "unreachable", 0.0), retries=Retries(most=0))
    for _ in range(3):
        with pytest.raises(NoAnswer, match="down"):
            model.write(ASK.messages, None, 1, 8)
    with logged_calls() as log, pytest.raises(NoAnswer, match="3 requests failed in a row"):
        model.write(ASK.messages, None, 1, 8)
    assert [call.outcome for call in log.calls] == ["breaker_open"]
    assert len(model.chat.asked) == 3  # type: ignore[attr-defined]


def test_errors_of_the_program_are_not_swallowed_and_hold_no_budget() -> None:
    model = guarded(ZeroDivisionError(), budget=Budget(tokens=ASK.most_tokens))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            model.write(ASK.messages, None, 1, 8)


def test_a_key_is_in_no_text_of_the_client() -> None:
    key = "sk-hidden-0123456789abcdef"
    chat = ServerChat(address=lambda: "http://127.0.0.1:1/v1", key=SecretStr(key), model="m")
    assert "hidden" not in repr(chat) + str(chat.model_dump())
    for said in (f"Incorrect key {key}.", "Incorrect key provided: sk-hi*************cdef."):
        shown = chat._without_key(said)
        assert "[key]" in shown and "cdef" not in shown
