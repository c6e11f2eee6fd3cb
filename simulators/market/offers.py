"""What is on offer: items appear when they are due, and go with their provider."""

import numpy as np

from ...arrays import MISSING, BoolArray, IntArray
from .providers import Providers


class Offers:
    """The items of a market, from release to withdrawal.

    Args:
        provider_of_item: Shape ``(I,)``; items of ``MISSING`` belong to nobody, are due on the
            calendar and never withdrawn.
        lifetime: Days that an item stays; 0 for good.

    Attributes:
        provider_of_item: As given.
        owner: The same with ``P`` for ``MISSING``, and a last entry ``P`` for no item at all (an
            index of ``PAD``), shape ``(I + 1,)``.
        due_day: Day on its provider's clock at which each item is due, shape ``(I,)``.
        release_day: Day of each item's release, shape ``(I,)``; −1 before.
        available: Items on offer today, shape ``(I,)``.
    """

    def __init__(self, provider_of_item: IntArray, lifetime: float) -> None:
        self.provider_of_item = provider_of_item
        self._owned = provider_of_item != MISSING
        n_providers = int(provider_of_item.max()) + 1
        self.owner = np.append(np.where(self._owned, provider_of_item, n_providers), n_providers)
        self._lifetime = lifetime
        self.reset(np.zeros_like(provider_of_item))

    def reset(self, due_day: IntArray) -> None:
        """Nothing is out yet."""
        self.due_day = due_day
        self.release_day = np.full(len(due_day), -1)
        self.available: BoolArray = np.zeros(len(due_day), np.bool_)

    def open(self, day: int, providers: Providers) -> None:
        """Release what is due today, withdraw what is gone, and let providers enter."""
        owner = self.owner[:-1]
        there = np.append(providers.viable, True)[owner]
        clock = np.append(providers.clock, float(day))[owner]
        due = there & (self.release_day < 0) & (self.due_day <= clock)
        self.release_day[due] = day
        self.available = there & (self.release_day >= 0)
        if self._lifetime > 0:
            self.available &= day - self.release_day < self._lifetime
        providers.entered[owner[self.available & self._owned]] = True
