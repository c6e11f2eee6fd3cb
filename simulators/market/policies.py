"""Who is shown what: scores that weigh relevance with what providers need and what is new."""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from ...arrays import PAD, FloatArray, IntArray
from .market import Market
from .slates import best_columns


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """Weights of what a platform can know of a candidate; only their ratios matter.

    Attributes:
        relevance: Predicted click log-odds, the item's own clicks so far included.
        popularity: Log of clicks so far, in [0, 1].
        shortfall: Share of its need that the item's provider lacks, in [0, 1].
        newness: 1 / √(1 + examinations), in (0, 1].
        topic_repeat: Recent clicks of this user on the item's topics.
        item_repeat: Recent showings of the item to this user, as a share of one click's.
    """

    relevance: float = 0.0
    popularity: float = 0.0
    shortfall: float = 0.0
    newness: float = 0.0
    topic_repeat: float = 0.0
    item_repeat: float = 0.0

    def array(self) -> FloatArray:
        """The weights in the order above, shape ``(6,)``, float32."""
        return np.array([getattr(self, name) for name in WEIGHT_NAMES], np.float32)


WEIGHT_NAMES = tuple(field.name for field in fields(ScoreWeights))


class MarketPolicy(Protocol):
    """Chooses the slates of a day."""

    @property
    def name(self) -> str:
        """Short name for tables."""
        ...

    def slates(self, market: Market, rng: np.random.Generator) -> IntArray:
        """Pool columns of items on offer, ``PAD`` in blanks, shape ``(U, k)``.

        Rows of users who are not present are ignored.
        """
        ...


class ScorePolicy:
    """The candidates on offer with the highest weighted score.

    Args:
        weights: What counts.
        name: Name for tables.
    """

    def __init__(self, weights: ScoreWeights, name: str = "scores") -> None:
        self._weights = weights.array()
        self.name = name

    def slates(self, market: Market, rng: np.random.Generator) -> IntArray:
        """The highest scores."""
        return best_slates(market, self._weights)


class RandomOffers:
    """Candidates on offer, drawn uniformly without replacement."""

    name = "random"

    def slates(self, market: Market, rng: np.random.Generator) -> IntArray:
        """Uniform draws."""
        rows = np.flatnonzero(market.present)
        items = market.record.items[rows]
        scores = rng.random(items.shape, dtype=np.float32)
        scores[~np.append(market.available, False)[items]] = -np.inf
        return _scattered(market, rows, scores)


def relevance_greedy() -> ScorePolicy:
    """What is most likely to be clicked, repeats avoided; providers do not count."""
    return ScorePolicy(ScoreWeights(relevance=1.0, item_repeat=-1.5), "relevance")


def popularity_greedy() -> ScorePolicy:
    """What was clicked most so far, repeats avoided."""
    return ScorePolicy(ScoreWeights(popularity=1.0, item_repeat=-1.5), "popularity")


def provider_aware(shortfall: float = 1.0, newness: float = 0.2) -> ScorePolicy:
    """``relevance_greedy`` with a boost for providers in want and for items not seen yet.

    The form of a Lagrangian of Mladenov et al. 2020's matching under minimum receipts: what a
    provider lacks is the price at which relevance is given up.
    """
    weights = ScoreWeights(relevance=1.0, shortfall=shortfall, newness=newness, item_repeat=-1.5)
    return ScorePolicy(weights, "provider-aware")


def best_slates(market: Market, weights: FloatArray) -> IntArray:
    """Slates of the highest weighted scores, ``PAD`` where too little is on offer, ``(U, k)``.

    Time O(R · N) for ``R`` users present, beside O(R · T · S) for the topics, where ``S`` is the
    number of different topic mixes in the catalogue.

    Args:
        market: Today.
        weights: In the order of ``WEIGHT_NAMES``, shape ``(6,)``.
    """
    relevance, popularity, shortfall, newness, topic_repeat, item_repeat = weights
    record, rows = market.record, np.flatnonzero(market.present)
    items = record.items[rows]
    per_item = relevance * record.lift() + popularity * record.popularity()
    per_item += newness * record.newness()
    per_item += shortfall * np.append(market.observed_shortfall, 0.0)[market.offers.owner[:-1]]
    per_item[~market.available] = -np.inf
    scores = np.append(per_item, -np.inf).astype(np.float32)[items]
    scores += relevance * record.relevance[rows]
    kept = record.kept(market.day, rows)
    if item_repeat != 0:
        scores += (item_repeat / record.click_weight * kept)[:, None] * record.item_repeats[rows]
    if topic_repeat != 0:
        by_mix = (topic_repeat * kept[:, None] * record.topic_repeats[rows]) @ record.mixes.T
        scores += np.take_along_axis(by_mix, record.mix_of_item[items], axis=1)
    return _scattered(market, rows, scores)


def _scattered(market: Market, rows: IntArray, scores: FloatArray) -> IntArray:
    """The k best columns of the rows, best first; the rows of all others hold ``PAD``."""
    k = len(market.examination)
    columns = np.full((len(market.world), k), PAD)
    if len(rows):
        columns[rows] = best_columns(scores, k)
    return columns
