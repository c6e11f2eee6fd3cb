"""Top-k: the base model's own order."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..candidates.pools import CandidatePools
from .base import Slates, require_k


class TopKConfig(BaseModel):
    """Top-k has nothing to configure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Literal["top-k"] = "top-k"


class TopKReranker:
    """The ``k`` best base scores; equal ones resolve to the lowest column."""

    name = "top-k"

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`. O(U · N log N), and O(U · N) where pools come sorted."""
        require_k(pools, k)
        cost = np.where(pools.valid, -pools.scores, np.inf)
        columns = np.argsort(cost, axis=1, kind="stable")[:, :k]
        return Slates.from_columns(pools, columns)
