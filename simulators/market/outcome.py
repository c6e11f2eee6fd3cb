"""What one round of slates brought."""

from dataclasses import dataclass

from ...arrays import BoolArray, FloatArray, IntArray
from ..outcome import StepOutcome


@dataclass(frozen=True, slots=True)
class MarketOutcome:
    """One round of slates: a whole day, unless users ask for more than one slate in a session.

    ``P`` providers, ``U`` users, ``I`` items, ``k`` positions.

    Attributes:
        day: Which, from 0.
        day_over: Whether this was the day's last round; providers act then.
        present: Users who saw a slate, shape ``(U,)``.
        arrived: Those of them who came for the first time, shape ``(U,)``.
        items: Item at each position, shape ``(U, k)``; ``PAD`` in blanks and for users away.
        step: How the users reacted, by row of the population.
        exposure: Probability of having been examined, summed by provider, shape ``(P,)``.
        clicks: Clicks by provider, shape ``(P,)``.
        engagement: Satisfaction with what was clicked, summed by provider, shape ``(P,)``.
        shortfall: Share of its need that each provider lacks after this, shape ``(P,)``.
        providers_left: Providers who left at the end of the day, shape ``(P,)``.
        entered: Providers with an item on offer today or before, shape ``(P,)``.
        released: Items on offer today for the first time, shape ``(I,)``.
        available: Items on offer today, shape ``(I,)``.
    """

    day: int
    day_over: bool
    present: BoolArray
    arrived: BoolArray
    items: IntArray
    step: StepOutcome
    exposure: FloatArray
    clicks: FloatArray
    engagement: FloatArray
    shortfall: FloatArray
    providers_left: BoolArray
    entered: BoolArray
    released: BoolArray
    available: BoolArray
