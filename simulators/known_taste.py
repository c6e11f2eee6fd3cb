"""What is known of users' tastes before anybody met them; what is not is one number per candidate.

A world that `fit.fit_world` makes gives each user a hidden taste h ~ N(0, 1) for each candidate,
which moves the log-odds of a click and the expected rating, both in proportion. The rest follows
from ratings and candidates. A reference that knows everything but h reads it here, and no policy
that could serve does: it would need the simulator's parameters.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..arrays import FloatArray, IntArray
from ..errors import InvalidValue
from .dynamics import log_odds

LEAST_WORTH, LARGEST_WORTH = 0.02, 0.98
"""Mean satisfaction is kept between them, so that its log-odds are finite."""


@dataclass(frozen=True, slots=True)
class KnownWorth:
    """Mean satisfaction with a click at rest, as a function of hidden taste.

    Attributes:
        known: Expected rating without hidden taste, shape ``(U, N)``; log-odds of satisfaction
            where there is no ``scale``.
        slope: What a unit of hidden taste adds to it.
        scale: Lowest and highest rating; None where ratings do not vary.
    """

    known: FloatArray
    slope: float
    scale: tuple[float, float] | None

    def mean_at(self, hidden: FloatArray) -> FloatArray:
        """Mean satisfaction in (0, 1) at each of some hidden tastes, ``(H,)`` to ``(U, N, H)``."""
        return self._mean(self.known[..., None] + self.slope * hidden)

    def log_odds(self, hidden: FloatArray) -> FloatArray:
        """Log-odds of mean satisfaction with each candidate's hidden taste, ``(U, N)``."""
        value = self.known + np.float64(self.slope) * hidden
        return value if self.scale is None else log_odds(self._mean(value))

    def _mean(self, value: FloatArray) -> FloatArray:
        if self.scale is None:
            return 1.0 / (1.0 + np.exp(-value))
        low, high = self.scale
        return np.clip((value - low) / (high - low), LEAST_WORTH, LARGEST_WORTH)

    def take(self, at: IntArray | slice | tuple[IntArray, IntArray]) -> Self:
        """Some users, or some candidates of some users."""
        return replace(self, known=self.known[at])


@dataclass(frozen=True, slots=True)
class KnownTaste:
    """The truth about ``U`` users as a function of their hidden tastes.

    Attributes:
        users: User indices, shape ``(U,)``.
        appeal: Click log-odds at rest of each candidate without hidden taste, ``(U, N)``, float32.
        appeal_slope: What a unit of hidden taste adds to them.
        worth: Mean satisfaction.
    """

    users: IntArray
    appeal: FloatArray
    appeal_slope: float
    worth: KnownWorth

    def take(self, rows: IntArray | slice) -> Self:
        """Some users, repeats allowed."""
        return replace(
            self, users=self.users[rows], appeal=self.appeal[rows], worth=self.worth.take(rows)
        )

    def of(self, users: IntArray) -> Self:
        """The users of these indices, in that order, repeats allowed.

        Raises:
            InvalidValue: Nothing is known of one of them.
        """
        order = np.argsort(self.users, kind="stable")
        place = np.searchsorted(self.users, users, sorter=order)
        rows = order[np.minimum(place, len(order) - 1)]
        if not np.array_equal(self.users[rows], users):
            raise InvalidValue(
                "nothing is known of some of these users",
                field="known.users",
                mend="Fit it on the candidates and pools that the world was fit on.",
            )
        return self.take(rows)
