"""What may be spent on a model in a day.

A request is made only if its worst case still fits: its tokens are held before it is sent, and what
it really took is settled afterwards. So the bound holds with many threads, too.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ...explain.model import Attempt, Question

MAYBE_WRITTEN = ("late", "malformed", "too_long")
"""Outcomes after which the server may have written, and billed, an answer that it did not count."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Price of 1,000 tokens sent and received, in any one currency."""

    per_1k_in: float = 0.0
    per_1k_out: float = 0.0

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.per_1k_in + tokens_out * self.per_1k_out) / 1000


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens, sent and received, and their cost."""

    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens - other.tokens, self.cost - other.cost)


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


class Budget:
    """Tokens and money for each UTC day of this process. Safe to share between threads.

    Args:
        tokens: Most tokens a day; None for no bound.
        cost: Most money a day; None for no bound.
        prices: What tokens cost.
        day: The present day.
    """

    def __init__(
        self,
        tokens: int | None = None,
        cost: float | None = None,
        prices: Prices | None = None,
        day: Callable[[], date] = today,
    ) -> None:
        self.tokens = tokens
        self.cost = cost
        self.prices = prices or Prices()
        self._today = day
        self._lock = threading.Lock()
        self._day = day()
        self._spent = Spent()
        self._held = Spent()

    @property
    def spent(self) -> Spent:
        """What was spent today."""
        with self._lock:
            self._turn()
            return self._spent

    def hold(self, question: Question) -> Spent | None:
        """Set the worst case of a request aside; None where it does not fit any more."""
        sent = question.most_tokens - question.max_tokens
        worst = Spent(question.most_tokens, self.prices.of(sent, question.max_tokens))
        with self._lock:
            self._turn()
            then = self._spent + self._held + worst
            if self.tokens is not None and then.tokens > self.tokens:
                return None
            if self.cost is not None and then.cost > self.cost:
                return None
            self._held += worst
            return worst

    def settle(self, held: Spent, tried: Attempt | None) -> Spent:
        """Give back what was held, and count what was spent; None where nothing was asked.

        Where the server did not say how many tokens it took, and may have written some, the worst
        case counts.
        """
        if tried is None:
            took = Spent()
        elif tried.tokens_in is not None and tried.tokens_out is not None:
            cost = self.prices.of(tried.tokens_in, tried.tokens_out)
            took = Spent(tried.tokens_in + tried.tokens_out, cost)
        elif tried.outcome == "answered" or tried.outcome in MAYBE_WRITTEN:
            took = held
        else:
            took = Spent()
        with self._lock:
            self._turn()
            self._held -= held
            self._spent += took
        return took

    def _turn(self) -> None:
        """Begin anew with a new day."""
        now = self._today()
        if now != self._day:
            self._day, self._spent = now, Spent()
