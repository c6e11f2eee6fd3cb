"""What the platform has on record: base scores, priors for cold items, and what was shown.

Nothing here reads the truth. A platform knows its base model's scores of the items that have a
history, the topics of all items, and what it has shown to whom with how many clicks. It takes the
examination probabilities of positions as known (from an earlier experiment).
"""

import numpy as np

from ...arrays import PAD, BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ..dynamics import log_odds, sigmoid
from .config import RecordConfig

_MOST_HALVINGS = 60.0  # before float32 amounts are brought back to units of today
_CHUNK = 1024  # users at a time where (users, N, T) would be large


class Record:
    """Scores and counts of ``U`` users with ``N`` candidates each, out of ``I`` items.

    Args:
        pools: Candidates with the base model's scores; those of cold items are not read.
        topics: Topic shares of the items, shape ``(I, T)``.
        popularity: Clicks or ratings before day 0, shape ``(I,)``; those of cold items count 0.
        examination: Probability that each position is looked at, shape ``(k,)``.
        base_rate: Mean probability of a click on an examined item.
        config: How scores are made.

    Attributes:
        relevance: Predicted click log-odds of each candidate, relative to the mean, before any
            click in the market, shape ``(U, N)``; 0 in padding.
        items: The candidates, shape ``(U, N)``, int32; ``I`` in padding.
        mixes: Topic mixes that occur in the catalogue, shape ``(S, T)``.
        mix_of_item: Which of them each item has, shape ``(I + 1,)``; the last is for padding.
        item_clicks: Clicks in the market, shape ``(I,)``.
        item_expected: Clicks expected from ``relevance``, shape ``(I,)``.
        item_examined: Sum of examination probabilities, shape ``(I,)``.
        item_repeats: Showings, a click weighing more, shape ``(U, N)``; times ``fade``.
        topic_repeats: Clicks by topic, shape ``(U, T)``; times ``fade``.
        last_day: Day of each user's latest visit, shape ``(U,)``; 0 before.
    """

    def __init__(
        self,
        pools: CandidatePools,
        topics: FloatArray,
        popularity: FloatArray,
        examination: FloatArray,
        base_rate: float,
        config: RecordConfig,
    ) -> None:
        self.items = np.where(pools.valid, pools.items, len(topics)).astype(np.int32)
        self._pools, self._config = pools, config
        self._topics = np.vstack([topics, np.zeros_like(topics[:1])]).astype(np.float32)
        self.mixes, inverse = np.unique(topics, axis=0, return_inverse=True)
        self.mix_of_item = np.append(inverse.ravel(), 0)
        self._popularity = popularity
        self._examination = examination
        self._intercept = log_odds(base_rate)
        self.reset(np.zeros(len(topics), np.bool_))

    def reset(self, cold: BoolArray) -> None:
        """Forget the market; ``cold`` (I,) says which items have no history before it."""
        n, width = self.items.shape
        n_items, n_topics = len(cold), self._topics.shape[1]
        self.relevance = self._prior(cold)
        self._known_popularity = np.where(cold, 0.0, self._popularity)
        self.item_clicks = np.zeros(n_items)
        self.item_expected = np.zeros(n_items)
        self.item_examined = np.zeros(n_items)
        self.item_repeats = np.zeros((n, width), np.float32)
        self.topic_repeats = np.zeros((n, n_topics), np.float32)
        self.last_day = np.zeros(n, np.float32)
        self._landmark = 0

    def observe(self, day: int, rows: IntArray, columns: IntArray, clicks: BoolArray) -> None:
        """Take in one slate for each of ``R`` users.

        Args:
            day: Today.
            rows: The users, shape ``(R,)``.
            columns: Pool columns shown, ``PAD`` in blanks, shape ``(R, k)``.
            clicks: Shape ``(R, k)``.
        """
        shown, safe = columns != PAD, np.maximum(columns, 0)
        cells = safe + rows[:, None] * self.items.shape[1]
        items = self.items.ravel().take(cells)
        looks = np.broadcast_to(self._examination, items.shape)
        unit = np.float32(1.0 / self.fade(day))
        clicked = clicks.astype(np.float32)  # never in a blank
        seen = np.matmul(clicked[:, None], self._topics.take(items, axis=0))[:, 0]
        self.topic_repeats[rows] += seen * unit
        self.last_day[rows] = day
        if not shown.all():
            cells, items = cells[shown], items[shown]
            looks, clicked = looks[shown], clicked[shown]
        predicted = sigmoid(self.relevance.ravel().take(cells) + self._intercept) * looks
        repeats = self.item_repeats.ravel()  # distinct cells: a user's slate holds no item twice
        repeats[cells] += unit + (unit * np.float32(self.click_weight)) * clicked
        n_items, at = len(self.item_clicks), items.ravel()
        self.item_clicks += np.bincount(at, clicked.ravel(), n_items)
        self.item_expected += np.bincount(at, predicted.ravel(), n_items)
        self.item_examined += np.bincount(at, looks.ravel(), n_items)

    @property
    def click_weight(self) -> float:
        """Showings that one click counts as."""
        return self._config.click_weight

    def fade(self, day: int) -> float:
        """What one unit of ``item_repeats`` and ``topic_repeats`` is worth today.

        All of them fade alike, so what is added today is added in larger units instead of making
        everything else smaller (forward decay: Cormode, Shkapenyuk, Srivastava & Xu 2009, "Forward
        decay: a practical time decay model for streaming systems").
        """
        halvings = (day - self._landmark) / self._config.half_life
        if halvings > _MOST_HALVINGS:
            for repeats in (self.item_repeats, self.topic_repeats):
                repeats *= np.float32(0.5**halvings)
            self._landmark, halvings = day, 0.0
        return 0.5**halvings

    def lift(self) -> FloatArray:
        """Log of each item's clicks over what its scores led to expect, shape ``(I,)``.

        log((clicks + κ) / (c · expected + κ)): the posterior mean of a gamma-Poisson model with
        prior mean 1 (Agarwal et al. 2009), where c scales the expectation to the clicks of the
        whole market. 0 for an item never shown.
        """
        total, strength = self.item_expected.sum(), self._config.click_shrinkage
        scale = self.item_clicks.sum() / total if total > 0 else 1.0
        return np.log((self.item_clicks + strength) / (scale * self.item_expected + strength))

    def popularity(self) -> FloatArray:
        """Log of what was clicked before and in the market, scaled to [0, 1], shape ``(I,)``."""
        counts = np.log1p(self._known_popularity + self.item_clicks)
        return counts / max(float(counts.max(initial=0.0)), 1e-12)

    def newness(self) -> FloatArray:
        """1 / √(1 + examinations): 1 for an item nobody has seen here, shape ``(I,)``.

        The width of a confidence interval around a click rate, up to a constant.
        """
        return 1.0 / np.sqrt(1.0 + self.item_examined)

    def _prior(self, cold: BoolArray) -> FloatArray:
        """The base score z of an item with a history, standardised, times the slope.

        For a cold item, z is what its topics suggest: the user's mean over items with a history,
        topic by topic, shrunk towards 0.
        """
        c, out = self._config, np.empty(self.items.shape, np.float32)
        for start in range(0, len(out), _CHUNK):
            at = slice(start, start + _CHUNK)
            items, valid = self.items[at], self._pools.valid[at]
            warm = valid & ~np.append(cold, True)[items]
            z = _standardised(self._pools.scores[at], warm)
            if (valid & ~warm).any():
                topics = self._topics[items]
                weight = np.einsum("un,unt->ut", warm.astype(np.float32), topics)
                mean = np.einsum("un,unt->ut", z, topics) / (weight + c.cold_shrinkage)
                z = np.where(warm, z, np.einsum("ut,unt->un", mean, topics))
            out[at] = np.where(valid, np.float32(c.score_slope) * z, np.float32(0.0))
        return out


def _standardised(scores: FloatArray, used: BoolArray) -> FloatArray:
    """Zero mean and unit variance over each row's used cells; 0 in the others."""
    n = np.maximum(used.sum(axis=1, keepdims=True), 1)
    values = np.where(used, scores, 0.0).astype(np.float64)
    centred = np.where(used, values - values.sum(axis=1, keepdims=True) / n, 0.0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / n)
    return (centred / np.maximum(spread, 1e-12)).astype(np.float32)
