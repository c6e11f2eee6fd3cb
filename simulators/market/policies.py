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
        columns = np.full((len(market.world), len(market.examination)), PAD)
        columns[rows] = best_columns(scores, len(market.examination))
        return columns


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
    record = market.record
    per_item = np.append(item_scores(market, weights), -np.inf).astype(np.float32)
    rows, k = np.flatnonzero(market.present), len(market.examination)
    columns = np.full((len(market.world), k), PAD)
    step = max(_CELLS // record.items.shape[1], 1)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        scores = per_item.take(record.items.take(some, axis=0))
        _add_own_scores(scores, market, some, weights)
        columns[some] = best_columns(scores, k)
    return columns


_CELLS = 2**16  # scores at a time: as many as stay in a processor's cache


def item_scores(market: Market, weights: FloatArray) -> FloatArray:
    """The part of a score that is the same for every user, −inf if not on offer, ``(I,)``."""
    relevance, popularity, shortfall, newness, _, _ = weights
    record, owner = market.record, market.offers.owner[:-1]
    scores = relevance * record.lift() + popularity * record.popularity()
    scores += newness * record.newness()
    scores += shortfall * np.append(market.observed_shortfall, 0.0)[owner]
    scores[~market.available] = -np.inf
    return scores


def _add_own_scores(
    scores: FloatArray, market: Market, rows: IntArray, weights: FloatArray
) -> None:
    """Add what is each user's own to the scores of the rows' candidates, in place, ``(R, N)``."""
    record, fade = market.record, market.record.fade(market.day)
    relevance, *_, topic_repeat, item_repeat = weights
    for weight, table in (
        (relevance, record.relevance),
        (item_repeat * fade / record.click_weight, record.item_repeats),
    ):
        if weight != 0:
            part = table.take(rows, axis=0)
            part *= np.float32(weight)
            scores += part
    if topic_repeat != 0:
        by_mix = (topic_repeat * fade * record.topic_repeats[rows]) @ record.mixes.T
        scores += np.take_along_axis(by_mix, record.mix_of_item[record.items[rows]], axis=1)
