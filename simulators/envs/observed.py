"""What a platform logs of its users, kept as the observation itself.

The columns mean what they mean in ``rerankers.features.observation``, of which these are the ones
that need neither constraints nor a table of candidates: O(T) numbers per user whatever the number
of items, brought up to date with few array operations.
"""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...rerankers.features import TASTE_PRIOR
from ...rerankers.state import MEMORY, NEUTRAL

# In float32 from the start: a Python float would be converted at every step.
_ONE, _NEUTRAL, _PRIOR = np.float32(1.0), np.float32(NEUTRAL), np.float32(TASTE_PRIOR)
_RECENT, _DAY = np.float32(1.0 - MEMORY.topic_clicks), np.float32(MEMORY.day)
_SATISFACTION = np.float32(MEMORY.satisfaction)
_LATELY, _CLICKS, _LIKED = range(3)

_SCALARS = ("satisfaction", "click_rate", "log_slates", "log_days_away")


def observed_names(topic_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns that `Observed` keeps up to date, in order."""
    return (
        *(f"clicks_lately:{t}" for t in topic_names),
        *(f"taste:{t}" for t in topic_names),
        *_SCALARS,
    )


class Observed:
    """Observations of ``n`` users, updated in place.

    Args:
        topics: How much each item is about each topic, shape ``(I, T)``.
        k: Slate length.
        constant: Further columns that never change, shape ``(n, S)``.
    """

    def __init__(self, topics: FloatArray | BoolArray, k: int, constant: FloatArray) -> None:
        n, t = len(constant), topics.shape[1]
        # One more "topic" that every item has: the same sums also count the whole slate.
        self._topics = np.ones((len(topics), t + 1), np.float32)
        self._topics[:, :t] = topics
        self._signals = np.zeros((n, 3, k), np.float32)
        # Decayed sums by topic, the whole in the last column: clicks lately, clicks, and
        # satisfaction over NEUTRAL; the last column of clicks lately makes the click rate.
        self._sums = np.zeros((n, 3, t + 1), np.float32)
        self._kept = np.full((3, t + 1), MEMORY.topic_seen, np.float32)
        self._kept[_LATELY] = [MEMORY.topic_clicks] * t + [1.0 - MEMORY.click_rate]
        self._rate = np.float32(MEMORY.click_rate / k)
        self._slates_and_days = np.zeros((n, 2), np.float32)

        self._columns = np.zeros((n, 2 * t + len(_SCALARS) + constant.shape[1]), np.float32)
        self._columns[:, 2 * t + len(_SCALARS) :] = constant
        self._changing = self._columns[:, : 2 * t + len(_SCALARS)]
        self._lately, self._taste = self._changing[:, :t], self._changing[:, t : 2 * t]
        self._satisfaction, self._click_rate = self._changing[:, -4], self._changing[:, -3]
        self._logs = self._changing[:, -2:]
        self.forget(slice(None))

    def columns(self) -> FloatArray:
        """The observations, shape ``(n, O)``, float32; a copy."""
        return self._columns.copy()

    def forget(self, rows: BoolArray | slice) -> None:
        """Nothing is known of the given users any more."""
        self._changing[rows] = 0.0
        self._satisfaction[rows] = NEUTRAL
        self._sums[rows] = 0.0
        self._slates_and_days[rows] = 0.0

    def take_in(
        self,
        items: IntArray,
        clicks: BoolArray,
        satisfaction: FloatArray,
        days_away: FloatArray,
        active: BoolArray,
    ) -> None:
        """Take in one slate per user; users that are not active stay as they are.

        Args:
            items: Item indices shown, shape ``(n, k)``.
            clicks: Shape ``(n, k)``.
            satisfaction: In [0, 1], 0 where not clicked, shape ``(n, k)``.
            days_away: Days between this visit and the one before it, shape ``(n,)``.
            active: Shape ``(n,)``.
        """
        if active.all():
            self._add(items, clicks, satisfaction, days_away)
            return
        gone = ~active
        arrays = (self._changing, self._sums, self._slates_and_days)
        before = [array[gone] for array in arrays]
        self._add(items, clicks, satisfaction, days_away)
        for array, old in zip(arrays, before, strict=True):
            array[gone] = old

    def _add(
        self, items: IntArray, clicks: BoolArray, satisfaction: FloatArray, days_away: FloatArray
    ) -> None:
        """Decay what was, add what was clicked and liked by topic, and read the columns off."""
        self._signals[:, :_LIKED] = clicks[:, None]
        np.divide(satisfaction, _NEUTRAL, out=self._signals[:, _LIKED])
        new = np.matmul(self._signals, self._topics.take(items, axis=0))
        sums = self._sums
        sums *= self._kept
        sums[:, _LATELY, :-1] *= (_DAY**days_away)[:, None]
        sums += new
        np.multiply(sums[:, _LATELY, :-1], _RECENT, out=self._lately)
        np.multiply(sums[:, _LATELY, -1], self._rate, out=self._click_rate)
        # belief · (mean − NEUTRAL) / NEUTRAL, with belief = n / (n + prior), in fewer operations
        believed = sums[:, _CLICKS:, :-1] + _PRIOR
        np.divide(believed[:, 1], believed[:, 0], out=self._taste)
        self._taste -= _ONE
        self._move_satisfaction(new[:, _CLICKS, -1], new[:, _LIKED, -1])
        self._slates_and_days[:, 0] += _ONE
        self._slates_and_days[:, 1] = days_away
        np.log1p(self._slates_and_days, out=self._logs)

    def _move_satisfaction(self, n_clicks: FloatArray, liked: FloatArray) -> None:
        """A moving mean over the slates with a click."""
        seen = np.minimum(n_clicks, _ONE)
        step = liked / np.maximum(n_clicks, _ONE)
        step *= _NEUTRAL
        step -= seen * self._satisfaction
        step *= _SATISFACTION
        self._satisfaction += step
