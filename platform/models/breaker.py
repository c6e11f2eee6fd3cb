"""A circuit breaker: a server that keeps failing is left alone for a while.

Closed, it lets every request through and counts failures in a row. At the threshold it opens:
requests are refused at once, for a cool-down. Then it is half open: one request is let through, and
what comes of it closes the breaker or opens it again (Nygard, *Release It!*, 2nd ed. 2018, ch. 5).
"""

import threading
import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half_open"]


class Breaker:
    """One server's breaker. Safe to share between threads.

    Args:
        threshold: Failures in a row that open it.
        cooldown: Seconds that it stays open.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        threshold: int = 3,
        cooldown: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.threshold = threshold
        self.cooldown = cooldown
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        self._trial: float | None = None

    @property
    def state(self) -> State:
        """What it does with the next request."""
        with self._lock:
            if self._opened is None:
                return "closed"
            cold = self._clock() - self._opened >= self.cooldown
            return "half_open" if cold else "open"

    def admits(self) -> bool:
        """Whether a request may be sent; who is told so reports how it went."""
        with self._lock:
            if self._opened is None:
                return True
            now = self._clock()
            if now - self._opened < self.cooldown:
                return False
            # A trial whose end is never reported must not keep the breaker shut for ever.
            if self._trial is not None and now - self._trial < self.cooldown:
                return False
            self._trial = now
            return True

    def succeeded(self) -> None:
        """A request was answered."""
        with self._lock:
            self._failures, self._opened, self._trial = 0, None, None

    def failed(self) -> None:
        """A request failed."""
        with self._lock:
            self._failures += 1
            if self._failures >= self.threshold or self._trial is not None:
                self._opened, self._trial = self._clock(), None
