"""A language model with its limits around it: cache, budget, breaker, repetitions, deadline."""

import json
import time
from dataclasses import dataclass, field

from ...explain.calls import ModelCall, Outcome
from ...explain.model import Attempt, LanguageModel, Question
from .breaker import Breaker
from .budget import Budget, Spent
from .cache import AnswerCache
from .retries import Retries

SERVER_IS_WELL = ("answered", "cut_off")
"""An answer longer than was allowed is the question's fault."""


@dataclass(frozen=True, slots=True)
class GuardedModel(LanguageModel):
    """A model that is never asked in vain, and whose failures cost a bounded time.

    Attributes:
        retries: When a request is repeated.
        breaker: When the server is left alone.
        budget: What may be spent.
        answers: What was answered before.
    """

    retries: Retries = field(default_factory=Retries)
    breaker: Breaker = field(default_factory=Breaker)
    budget: Budget = field(default_factory=Budget)
    answers: AnswerCache = field(default_factory=AnswerCache)

    def ask(self, question: Question) -> tuple[str, ModelCall]:
        """From the cache, else from the server, before one deadline for all attempts.

        A failure is an outcome of the record, never an error.
        """
        started = time.perf_counter()
        key = (question.prompt.hash, json.dumps(question.parameters, sort_keys=True))
        known = self.answers.get(key)
        if known is not None:
            return known, self._record(question, [Attempt("answered")], started, 0, cached=True)
        if not self.breaker.admits():
            why = f"not asked: {self.breaker.threshold} requests failed in a row"
            return "", self._record(question, [Attempt("breaker_open", error=why)], started, 0)
        tried, spent = self._attempts(question, started)
        asked = sum(one.outcome != "budget_spent" for one in tried)
        call = self._record(question, tried, started, asked, spent=spent)
        if call.outcome == "answered":
            self.answers.put(key, tried[-1].text)
        return tried[-1].text, call

    def forget(self, prompt_hash: str) -> None:
        """See `LanguageModel.forget`."""
        self.answers.forget(prompt_hash)

    def _attempts(self, question: Question, started: float) -> tuple[list[Attempt], Spent]:
        """Ask until there is an answer, or no time, no money or no sense in asking again."""
        tried: list[Attempt] = []
        spent = Spent()
        ended: Outcome | None = None
        try:
            while True:
                held = self.budget.hold(question)
                if held is None:
                    tried.append(Attempt("budget_spent", error="not asked: the budget is spent"))
                    break
                one, took = self._once(question, held, self._left(started))
                spent += took
                tried.append(one)
                ended = one.outcome
                wait = self.retries.wait(one, len(tried), self._left(started))
                if wait is None:
                    break
                time.sleep(wait)
        finally:
            if ended in SERVER_IS_WELL:
                self.breaker.succeeded()
            elif ended is not None:
                self.breaker.failed()
        return tried, spent

    def _once(self, question: Question, held: Spent, left: float) -> tuple[Attempt, Spent]:
        """Ask once, and settle what was held whatever happens."""
        try:
            one = self.attempt(question, left)
        except BaseException:
            self.budget.settle(held, None)
            raise
        return one, self.budget.settle(held, one)

    def _left(self, started: float) -> float:
        """Seconds until the deadline."""
        return max(0.0, started + self.timeout - time.perf_counter())

    def _record(
        self,
        question: Question,
        tried: list[Attempt],
        started: float,
        attempts: int,
        *,
        cached: bool = False,
        spent: Spent | None = None,
    ) -> ModelCall:
        last = tried[-1]
        return ModelCall(
            model=self.name,
            parameters=question.parameters,
            prompt_hash=question.prompt.hash,
            outcome=last.outcome,
            attempts=attempts,
            cached=cached,
            tokens_in=_total([one.tokens_in for one in tried]),
            tokens_out=_total([one.tokens_out for one in tried]),
            cost=spent.cost if spent else 0.0,
            latency_s=time.perf_counter() - started,
            error=last.error,
        )


def _total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
