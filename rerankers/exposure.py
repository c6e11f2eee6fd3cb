"""The exposure controller: base scores plus bonuses that hold the floors over time."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from ..arrays import FloatArray, IntArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from .base import Reranker, Slates, require_k
from .config import RerankerSettings
from .constraints import Constraints
from .context import PoolContext
from .controller import ConstraintController, ControllerConfig
from .greedy import build_slates, slate_diversity, slate_exposure_share
from .knowledge import Knowledge
from .order import serving_order
from .patterns import TopicPatterns


class ExposureConfig(RerankerSettings):
    """The controller, and how often it acts.

    Attributes:
        controller: Gains, margin and start.
        block: Users served between two updates of the controller. Within a batch they are taken
            in an order that depends on the users and on how many slates were shown before, not on
            where they stand in the batch.
    """

    algorithm: Literal["exposure-controller"] = "exposure-controller"
    controller: ControllerConfig = ControllerConfig()
    block: Annotated[int, Field(ge=1, le=256)] = 16

    def make(self, knowledge: Knowledge) -> Reranker:
        """See `RerankerSettings.make`."""
        return ExposureReranker(self, knowledge.catalogue, knowledge.constraints)

    def _scaled(self, strength: float) -> Self:
        gains = ("integral", "proportional", "start_bonus", "start_diversity")
        values = self.controller.model_dump()
        scaled = {name: strength * values[name] for name in gains}
        return self.changed(controller={**values, **scaled})


class ExposureReranker:
    """Holds each amortised exposure share, and the mean diversity, within their limits.

    It learns as it serves: each call moves the state of ``controller``, so equal slates need equal
    generators *and* equal states. Save the state with ``controller.to_json()``. O(U · N · k).
    """

    name = "exposure-controller"

    def __init__(
        self, config: ExposureConfig, catalogue: Catalogue, constraints: Constraints
    ) -> None:
        self.controller = ConstraintController(constraints, config.controller)
        self._block = config.block
        self._catalogue, self._constraints = catalogue, constraints
        self._patterns = TopicPatterns.of(catalogue)

    def rerank(self, pools: CandidatePools, k: int, rng: np.random.Generator) -> Slates:
        """See `Reranker.rerank`."""
        require_k(pools, k)
        context = PoolContext.of(pools, self._catalogue, self._constraints, self._patterns)
        columns = np.empty((len(pools), k), np.intp)
        # By a hash, so that no one is always served by an unsettled controller.
        order = serving_order(pools.users, self.controller.n_slates)
        ordered = context.take(order)
        for start in range(0, len(order), self._block):
            block = slice(start, start + self._block)
            part = ordered.take(block)
            bonuses = self.controller.bonuses
            chosen = build_slates(_lifted(part, bonuses[:-1]), bonuses[-1], part, k)
            self.controller.update(measure(part, chosen))
            columns[order[block]] = chosen
        return Slates.from_columns(pools, columns)


def measure(context: PoolContext, columns: IntArray) -> FloatArray:
    """Exposure share of what every limit lifts, and diversity, of each slate, ``(U, C)``."""
    return np.vstack([slate_exposure_share(context, columns), slate_diversity(context, columns)]).T


def _lifted(context: PoolContext, bonuses: FloatArray) -> FloatArray:
    """Standardised base scores plus the bonuses of what the limits lift, ``(U, N)``."""
    lift = np.tensordot(bonuses.astype(np.float32), context.floors, axes=1)
    return context.memoryless[:, 0] + lift
