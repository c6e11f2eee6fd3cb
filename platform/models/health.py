"""Whether the model answers: a real, tiny request, made beside the requests and never in one."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

from ...explain.model import Attempt, Question
from .breaker import State
from .guarded import SERVER_IS_WELL, GuardedModel

PROBE = Question((HumanMessage("Say yes."),), None, 0, 1, "health-1")
"""One token is enough; that the answer is cut off after it is the sign of a well server."""

PROBE_SECONDS = 5.0


class ModelHealth(BaseModel):
    """What is known of the model.

    Attributes:
        model: Its name.
        state: Whether the last look found it answering; ``unknown`` before the first.
        checked_at: When that was.
        latency_s: How long it took.
        error: What went wrong, without any key.
        breaker: Whether requests are let through.
        tokens_today: Tokens spent this UTC day by this process.
        token_budget: Most of them; None for no bound.
        cost_today: Money spent, in the currency of the prices.
        cost_budget: Most of it; None for no bound.
        answers_kept: Answers in the cache.
        answers_found: Requests that the cache answered.
        answers_missed: Requests that it did not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    state: Literal["unknown", "answers", "fails"]
    checked_at: datetime | None
    latency_s: float | None
    error: str | None
    breaker: State
    tokens_today: int
    token_budget: int | None
    cost_today: float
    cost_budget: float | None
    answers_kept: int
    answers_found: int
    answers_missed: int


class HealthCheck:
    """Looks at a model now and then, when somebody wants to know. Safe to share between threads.

    Args:
        model: The model.
        every: Seconds for which a look holds.
        seconds: Deadline of a look.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        model: GuardedModel,
        every: float = 60.0,
        seconds: float = PROBE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model = model
        self._every = every
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None
        self._last: tuple[datetime, float, Attempt] | None = None

    def look(self) -> None:
        """Look on another thread, unless the last look still holds or is under way."""
        with self._lock:
            now = self._clock()
            if self._began is not None and now - self._began < self._every:
                return
            self._began = now
        threading.Thread(target=self._probe, name="model-health", daemon=True).start()

    def report(self) -> ModelHealth:
        """What is known now; it waits for nothing."""
        self.look()
        model, last = self.model, self._last
        spent = model.budget.spent
        well = last is not None and last[2].outcome in SERVER_IS_WELL
        return ModelHealth(
            model=model.name,
            state="unknown" if last is None else "answers" if well else "fails",
            checked_at=last[0] if last else None,
            latency_s=last[1] if last else None,
            error=last[2].error if last and not well else None,
            breaker=model.breaker.state,
            tokens_today=spent.tokens,
            token_budget=model.budget.tokens,
            cost_today=spent.cost,
            cost_budget=model.budget.cost,
            answers_kept=len(model.answers),
            answers_found=model.answers.hits,
            answers_missed=model.answers.misses,
        )

    def _probe(self) -> None:
        """Ask past cache and breaker: an open breaker is just when one wants to know."""
        started = time.perf_counter()
        held = self.model.budget.hold(PROBE)
        if held is None:
            tried = Attempt("budget_spent", error="not asked: the budget is spent")
        else:
            tried = self.model.attempt(PROBE, self._seconds)
            self.model.budget.settle(held, tried)
        self._last = (datetime.now(UTC), time.perf_counter() - started, tried)
