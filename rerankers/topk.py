"""Top-k: the base model's own order."""

from typing import Literal, Self

import numpy as np

from ..candidates.pools import CandidatePools
from .base import Reranker, Slates, require_k
from .config import RerankerSettings
from .knowledge import Knowledge
from .order import base_order


class TopKConfig(RerankerSettings):
    """Top-k has nothing to configure."""

    algorithm: Literal["top-k"] = "top-k"

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return TopKReranker()

    def _scaled(self, strength: float) -> Self:
        return self


class TopKReranker:
    """The ``k`` best base scores; equal ones resolve to the lowest column."""

    name = "top-k"

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`. O(U · N log N), and O(U · N) where pools come sorted."""
        require_k(pools, k)
        return Slates.from_columns(pools, base_order(pools)[:, :k].copy())
