"""FairRec+: users may swap what they were handed before the next round.

Biswas, Patro, Ganguly, Gummadi & Chakraborty, "Toward Fair Recommendation in Two-Sided
Platforms", ACM Transactions on the Web 16(2), 2021.
"""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ...arrays import PAD, IntArray
from ...candidates.pools import CandidatePools
from ..base import Reranker, Slates, require_k
from ..config import RerankerSettings
from ..knowledge import Knowledge
from ..order import best_first, serving_order
from ..randomness import draw_seed
from ..relevance import RelevanceScale, relevance
from .draft import draft_round, producers
from .exchange import ExchangeDesk
from .fair_rec import guaranteed_copies, producer_codes, top_up


class FairRecPlusConfig(RerankerSettings):
    """How much exposure is guaranteed, to whom, and who may swap with whom.

    Attributes:
        alpha: As in `FairRecConfig`.
        attribute: As in `FairRecConfig`.
        relevance: Scale on which a user weighs one bundle against another.
        block: Users who may swap among themselves. Where it is not below the number of users in a
            batch this is the paper's algorithm; time and memory grow with it for each user.
    """

    algorithm: Literal["fair-rec-plus"] = "fair-rec-plus"
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    attribute: str | None = None
    relevance: RelevanceScale = "scaled"
    block: Annotated[int, Field(ge=2, le=4096)] = 512

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        codes, n_producers = producer_codes(knowledge, self.attribute)
        return FairRecPlusReranker(self, codes, n_producers)

    def _scaled(self, strength: float) -> Self:
        return self.changed(alpha=strength)


class FairRecPlusReranker:
    """FairRec with envy cycles removed, and the envious served first, after every round.

    Users who would each rather have the next one's bundle swap along that cycle, until there is no
    such cycle; then the next round begins with those who envy others. Nobody's bundle ever loses
    worth, and the producers' guarantee is FairRec's. A user can only be handed a bundle that lies
    wholly in their pool, so the less pools overlap, the nearer this is to FairRec.

    Bundles are swapped within blocks of users. O(U · (N + block) · k) numbers, and O(U · k) steps
    in Python, each O(block); memory O(U · block).
    """

    name = "fair-rec-plus"

    def __init__(self, config: FairRecPlusConfig, codes: IntArray, n_producers: int) -> None:
        self._config, self._codes, self._n_producers = config, codes, n_producers

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        ordered, columns = best_first(pools)
        items = ordered.items
        worth = relevance(ordered, self._config.relevance)
        producer = producers(items, self._codes, self._n_producers)
        copies = guaranteed_copies(producer, self._n_producers, self._config.alpha, k)
        order = serving_order(pools.users, draw_seed(rng))
        desks = [
            ExchangeDesk(rows, items[rows], worth[rows])
            for rows in np.split(order, range(self._config.block, len(order), self._config.block))
        ]
        held = np.zeros(items.shape, np.bool_)
        for _ in range(k):
            turns = np.concatenate([desk.turns for desk in desks])
            offered = np.where(held, self._n_producers, producer)  # not to be taken twice
            nth, chosen = draft_round(offered[turns], copies)
            if len(nth) == 0:
                break
            rows = turns[nth]
            copies -= np.bincount(producer[rows, chosen], minlength=len(copies))
            columns_taken = np.full(len(items), PAD)
            columns_taken[rows] = chosen
            for desk in desks:
                desk.hand_out(columns_taken[desk.rows])
                desk.swap()
                held[desk.rows] = desk.held
        places = top_up(held, items != PAD, k)
        return Slates.from_columns(pools, np.take_along_axis(columns, places, axis=1))
