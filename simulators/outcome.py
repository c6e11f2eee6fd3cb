"""What one visit of each user brought."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.state import SlateFeedback


# Neither frozen nor slotted: both cost more than the arithmetic of a single user's visit, and
# what is seldom asked for is computed when it is.
@dataclass(eq=False)
class StepOutcome:
    """One slate per user. Rows of users who are gone or away hold zeros and False.

    Attributes:
        columns: What was shown, shape ``(U, k)``.
        clicks: Shape ``(U, k)``.
        click_probability: With which the clicks were drawn, exact, shape ``(U, k)``.
        looks: Exact probability that each position was looked at, shape ``(U, k)``, or ``(k,)``
            where it is the same for all; ``examination`` has it for each.
        mean_satisfaction: Expected satisfaction of each item once clicked, shape ``(U, k)``.
        satisfaction: Drawn around it; 0 where not clicked, shape ``(U, k)``.
        engagement: Sum of satisfaction over the clicks, shape ``(U,)``.
        active: Users who were there to see a slate, shape ``(U,)``.
        left: Users who left for good after this visit (termination), shape ``(U,)``.
        ended: Users whose next visit falls beyond the horizon (truncation), shape ``(U,)``.
        session_over: Users who do not ask for another slate on this day, shape ``(U,)``.
        day: Day of this visit, from 0, shape ``(U,)``.
        next_day: Day of the next visit, had the user not left, shape ``(U,)``.
        days_away: Days between the visit before and this one, shape ``(U,)``; 0 at first, and
            within a session.
        leaving_probability: Of leaving once the session is over, shape ``(U,)``; 0 where nobody
            leaves.
        return_hazard: Daily probability of coming back once the session is over, shape ``(U,)``;
            1 where everybody comes back the next day.
        minutes: Minutes on each clicked item, 0 where not clicked, shape ``(U, k)``; None where
            dwell is not simulated.
    """

    columns: IntArray
    clicks: BoolArray
    click_probability: FloatArray
    looks: FloatArray
    mean_satisfaction: FloatArray
    satisfaction: FloatArray
    engagement: FloatArray
    active: BoolArray
    left: BoolArray
    ended: BoolArray
    session_over: BoolArray
    day: FloatArray
    next_day: FloatArray
    days_away: FloatArray
    leaving_probability: FloatArray
    return_hazard: FloatArray
    minutes: FloatArray | None = None

    @cached_property
    def feedback(self) -> SlateFeedback:
        """What a platform could log."""
        seen = np.where(self.clicks, self.satisfaction, np.float32(np.nan))
        return SlateFeedback(self.columns, self.clicks, seen, self.days_away)

    @cached_property
    def expected_engagement(self) -> FloatArray:
        """Expectation of ``engagement`` given the slate and the state, shape ``(U,)``."""
        return np.einsum("uk,uk->u", self.click_probability, self.mean_satisfaction)

    @property
    def examination(self) -> FloatArray:
        """Exact probability that each position was looked at, shape ``(U, k)``."""
        return np.broadcast_to(self.looks, self.clicks.shape)

    @property
    def dwell(self) -> FloatArray:
        """Minutes on each clicked item, 0 where not clicked or not simulated, ``(U, k)``."""
        return np.zeros_like(self.satisfaction) if self.minutes is None else self.minutes

    def spread(self, rows: IntArray, n_users: int) -> "StepOutcome":
        """The same outcome among ``n_users``, the others' rows zero and False."""
        spread: dict[str, FloatArray | None] = {}
        for name in self.__dataclass_fields__:
            part = self.examination if name == "looks" else getattr(self, name)
            if part is not None:
                whole = np.zeros((n_users, *part.shape[1:]), part.dtype)
                whole[rows] = part
                part = whole
            spread[name] = part
        return StepOutcome(**spread)  # pyright: ignore[reportArgumentType]  each keeps its type
