"""FairRec: exposure guaranteed to every producer, handed out to the users in turn.

Patro, Biswas, Ganguly, Gummadi & Chakraborty, "FairRec: Two-Sided Fairness for Personalized
Recommendations in Two-Sided Platforms", WWW 2020.
"""

import math
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import BoolArray, IntArray
from ...candidates.pools import CandidatePools
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import best_first, serving_order
from ..randomness import draw_seed
from .draft import draft_round, producers


class FairRecConfig(RerankerSettings):
    """How much exposure is guaranteed, and to whom.

    Attributes:
        alpha: α of the paper: the guarantee as a share of the maximin share, which is what each
            producer has when all are shown equally often. 0 guarantees nothing.
        attribute: Item attribute whose groups are the producers. None: each item is a producer of
            its own, as in the paper. Items whose group is not known are guaranteed nothing.
    """

    algorithm: Literal["fair-rec"] = "fair-rec"
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    attribute: str | None = None

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return FairRecReranker(self.alpha, *producer_codes(knowledge, self.attribute))

    def _scaled(self, strength: float) -> Self:
        return self.changed(alpha=strength)


class FairRecReranker:
    """Hands out guaranteed copies by greedy round robin, then fills up by score.

    With m users, slates of k and n producers that occur in some pool, each producer has
    ``⌊α m k / n⌋`` copies to hand out: its guarantee, which one whose items fewer users can be
    shown cannot reach. A round gives each user in turn the best candidate that has copies left. A
    user whose pool has none is passed over; the paper, where every pool holds every item, ends the
    phase there. The rest of each slate is filled with the best other candidates. The paper counts
    places, not positions, so the slate is shown in base order.

    With every item in every pool, all producers but at most k - 1 get their guarantee in full.
    Smaller pools can leave more copies over.

    The paper also states that no user prefers another's slate after dropping one item from it
    (EF1). That does not follow where several users hold copies of one item, and a few batches
    break it; see the counterexample in the tests.

    O(U · N · k).
    """

    name = "fair-rec"

    def __init__(self, alpha: float, codes: IntArray, n_producers: int) -> None:
        self._alpha, self._codes, self._n_producers = alpha, codes, n_producers

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        by_turn = serving_order(pools.users, draw_seed(rng))
        ordered, columns = best_first(pools.take(by_turn))
        producer = producers(ordered.items, self._codes, self._n_producers)
        copies = guaranteed_copies(producer, self._n_producers, self._alpha, k)
        taken = round_robin(producer, copies, k)
        places = top_up(taken, ordered.valid, k)
        slates = np.empty((len(pools), k), np.intp)
        slates[by_turn] = np.take_along_axis(columns, places, axis=1)
        return Slates.from_columns(pools, slates)


def producer_codes(knowledge: Knowledge, attribute: str | None) -> tuple[IntArray, int]:
    """Producer of each item, shape ``(I,)``, and how many there are.

    Raises:
        InvalidValue: There is no such item attribute, or one of its groups is empty.
    """
    if attribute is None:
        return np.arange(knowledge.catalogue.n_items), knowledge.catalogue.n_items
    groups = knowledge.item_groups(attribute)
    return groups.codes, len(groups.names)


def guaranteed_copies(producer: IntArray, n_producers: int, alpha: float, k: int) -> IntArray:
    """Copies that each producer hands out, shape ``(P + 1,)``; nobody, the last, has none.

    Args:
        producer: Producer of every candidate, shape ``(U, N)``, in [0, P].
        n_producers: P.
        alpha: Share of the maximin share.
        k: Slate length.
    """
    in_play = np.bincount(producer.ravel(), minlength=n_producers + 1) > 0
    in_play[n_producers] = False
    n_in_play = max(int(in_play.sum()), 1)
    # A hair more, so that 0.57 · 100 counts as the 57 that it is.
    return in_play * math.floor(alpha * len(producer) * k / n_in_play + 1e-9)


def round_robin(producer: IntArray, copies: IntArray, k: int) -> BoolArray:
    """Which candidates the users take while copies last, shape ``(U, N)``.

    Args:
        producer: Producer of every candidate, in [0, P], shape ``(U, N)``: users by turn, best
            candidate first.
        copies: Copies of each, shape ``(P + 1,)``; nobody, the last, has none.
        k: Rounds, at most.
    """
    nobody = len(copies) - 1
    offered, left = producer.copy(), copies.copy()
    taken = np.zeros(producer.shape, np.bool_)
    for _ in range(k):
        rows, chosen = draft_round(offered, left)
        if len(rows) == 0:
            break
        left -= np.bincount(producer[rows, chosen], minlength=len(left))
        taken[rows, chosen] = True
        offered[rows, chosen] = nobody  # nothing is taken twice
    return taken


def top_up(taken: BoolArray, valid: BoolArray, k: int) -> IntArray:
    """Fill each slate up to ``k`` with the best of the rest.

    Args:
        taken: What is in the slate already, best candidate first, at most ``k`` a row, ``(U, N)``.
        valid: Which columns hold a candidate, shape ``(U, N)``.
        k: Slate length.

    Returns:
        Columns of ``taken``, best first, shape ``(U, k)``.
    """
    free = valid & ~taken
    missing = k - taken.sum(axis=1, dtype=np.int32, keepdims=True)
    chosen = taken | (free & (np.cumsum(free, axis=1, dtype=np.int32) <= missing))
    return np.flatnonzero(chosen).reshape(len(taken), k) % taken.shape[1]
