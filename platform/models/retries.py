"""When a request is repeated: exponential backoff with full jitter.

Full jitter draws each wait uniformly between 0 and the bound that doubles, so that clients that
failed together do not come back together (Brooker, "Exponential Backoff And Jitter", AWS
Architecture Blog 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom

from ...explain.model import Attempt


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when.

    Attributes:
        most: Repetitions after the first attempt.
        base: Seconds that the first wait may take at most.
        longest: Seconds that any wait of ours may take at most; a server may ask for more.
        draw: Uniform numbers in [0, 1).
    """

    most: int = 2
    base: float = 0.5
    longest: float = 8.0
    draw: Callable[[], float] = SystemRandom().random

    def wait(self, tried: Attempt, number: int, left: float) -> float | None:
        """Seconds until the next attempt; None where there is none.

        Args:
            tried: What the last attempt came to.
            number: How many there were, from 1.
            left: Seconds until the deadline. A wait beyond it is of no use, so it is not begun.
        """
        if tried.again_after is None or number > self.most:
            return None
        jitter = self.draw() * min(self.longest, self.base * 2 ** (number - 1))
        seconds = tried.again_after + jitter
        return seconds if seconds < left else None
