"""What a platform logs of its users, kept as the observation itself.

The columns mean what they mean in ``rerankers.features.observation``, of which these are the ones
that need neither constraints nor a table of candidates: O(T) numbers per user whatever the number
of items, brought up to date in one compiled pass where numba is installed, and with few array
operations anywhere.
"""

from collections.abc import Callable

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...rerankers.features import TASTE_PRIOR
from ...rerankers.state import MEMORY, NEUTRAL

# In float32 from the start: a Python float would be converted at every step.
_ONE, _NEUTRAL, _PRIOR = np.float32(1.0), np.float32(NEUTRAL), np.float32(TASTE_PRIOR)
_DAY = np.float32(MEMORY.day)
_LATELY, _CLICKS, _LIKED = range(3)


def observed_names(topic_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns that `Observed` keeps up to date, in order."""
    return (
        *(f"clicks_lately:{t}" for t in topic_names),
        "click_rate",
        *(f"taste:{t}" for t in topic_names),
        *("satisfaction", "log_slates", "log_days_away"),
    )


class Observed:
    """Observations of ``n`` users, updated in place.

    Args:
        topics: How much each item is about each topic, shape ``(I, T)``.
        k: Slate length.
        constant: Further columns that never change, shape ``(n, S)``.
        compiled: Whether to use numba.
    """

    def __init__(
        self, topics: FloatArray | BoolArray, k: int, constant: FloatArray, compiled: bool
    ) -> None:
        n, t = len(constant), topics.shape[1]
        # One more "topic" that every item has: the same sums also count the whole slate.
        self._topics = np.ones((len(topics), t + 1), np.float32)
        self._topics[:, :t] = topics
        self._signals = np.zeros((n, 3, k), np.float32)
        self._fill_tables(t, k)
        # Every view that a step needs, made once: a single user's step is made of small calls.
        self._sums = np.zeros((n, 3, t + 1), np.float32)
        self._lately_sums, self._lately_by_topic = self._sums[:, 0], self._sums[:, 0, :t]
        self._taste_sums = self._sums[:, _CLICKS:, :t]
        self._counts = np.zeros((n, 2), np.float32)
        self._n_slates, self._days = self._counts.T
        self._columns = np.zeros((n, 2 * t + 4 + constant.shape[1]), np.float32)
        self._columns[:, 2 * t + 4 :] = constant
        self._changing = self._columns[:, : 2 * t + 4]
        self._lately, self._taste = self._changing[:, : t + 1], self._changing[:, t + 1 : 2 * t + 1]
        self._satisfaction, self._logs = self._changing[:, -3], self._changing[:, -2:]
        self._compiled = _compiled() if compiled else None
        self.forget(slice(None))

    def _fill_tables(self, t: int, k: int) -> None:
        """What a slate leaves of the sums, and what a number of clicks does to satisfaction."""
        m = MEMORY
        # The sums are, by topic and over all of them in the last column: clicks lately, clicks, and
        # satisfaction over NEUTRAL. The last column of clicks lately makes the click rate.
        self._kept = np.full((3, t + 1), m.topic_seen, np.float32)
        self._kept[_LATELY] = [m.topic_clicks] * t + [1.0 - m.click_rate]
        self._per_sum = np.array([1.0 - m.topic_clicks] * t + [m.click_rate / k], np.float32)
        clicks = np.arange(k + 1)
        moved = np.where(clicks > 0, m.satisfaction, 0.0)
        self._satisfaction_kept = (1.0 - moved).astype(np.float32)
        self._per_liked = (moved * NEUTRAL / np.maximum(clicks, 1)).astype(np.float32)

    def columns(self) -> FloatArray:
        """The observations, shape ``(n, O)``, float32; a copy."""
        return self._columns.copy()

    def forget(self, rows: BoolArray | slice) -> None:
        """Nothing is known of the given users any more."""
        self._changing[rows] = 0.0
        self._satisfaction[rows] = NEUTRAL
        self._sums[rows] = 0.0
        self._counts[rows] = 0.0

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
        if self._compiled is not None:
            self._compiled(
                items,
                clicks,
                satisfaction,
                days_away,
                active,
                self._topics,
                self._kept,
                self._per_sum,
                self._satisfaction_kept,
                self._per_liked,
                self._sums,
                self._counts,
                self._columns,
            )
        elif active.all():
            self._add(items, clicks, satisfaction, days_away)
        else:
            gone = ~active
            arrays = (self._changing, self._sums, self._counts)
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
        self._sums *= self._kept
        self._lately_by_topic *= (_DAY**days_away)[:, None]
        self._sums += new
        np.multiply(self._lately_sums, self._per_sum, out=self._lately)
        # belief · (mean − NEUTRAL) / NEUTRAL, with belief = n / (n + prior), in fewer operations
        believed = self._taste_sums + _PRIOR
        np.divide(believed[:, 1], believed[:, 0], out=self._taste)
        self._taste -= _ONE
        # A moving mean over the slates with a click.
        n_clicks = new[:, _CLICKS, -1].astype(np.intp)
        self._satisfaction *= self._satisfaction_kept.take(n_clicks)
        self._satisfaction += new[:, _LIKED, -1] * self._per_liked.take(n_clicks)
        self._n_slates += _ONE
        self._days[:] = days_away
        np.log1p(self._counts, out=self._logs)


def _compiled() -> Callable[..., None]:
    from .observed_compiled import take_in  # numba need not be installed

    return take_in
