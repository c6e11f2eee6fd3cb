"""A population together with what a platform could log of it."""

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from ..rerankers.features import observation
from ..rerankers.greedy import slate_diversity, slate_exposure_share
from ..rerankers.linear import linear_slates
from ..rerankers.observe import observe
from ..rerankers.response import ResponseModel
from ..rerankers.state import EVERYONE, ObservedState, new_state, reset_rows
from .population import StepOutcome, UserPopulation
from .world import World


class LoggedPopulation:
    """Users whose slates and clicks are observed as they happen.

    Args:
        world: The truth.
        constraints: Floors that the context and the observation know of.
        seed: Root of the users' luck.
        rows: Rows of the world, repeats allowed; all once by default.
        context: ``PoolContext.of(world.pools, world.catalogue, constraints)`` where it is at hand.
        twins: Rows of one user have the same luck.

    Attributes:
        row: Which row of the population at its start each user is, shape ``(U,)``.
        population: The users themselves.
        context: Static arrays of their pools.
        observed: The state that follows from what was logged.
    """

    def __init__(
        self,
        world: World,
        constraints: Constraints,
        seed: int = 0,
        rows: IntArray | None = None,
        context: PoolContext | None = None,
        twins: bool = False,
    ) -> None:
        if context is None:
            context = PoolContext.of(world.pools, world.catalogue, constraints)
        self.population = UserPopulation(world, seed, rows, twins)
        self.row: IntArray = np.arange(len(self.population))
        self.context = context if rows is None else context.take(rows)
        self.observed: ObservedState = new_state(
            len(self.population), world.n_candidates, world.n_topics
        )

    def __len__(self) -> int:
        return len(self.population)

    @property
    def world(self) -> World:
        """The truth, one row per user of this population."""
        world = self.population.world
        assert isinstance(world, World)  # it was made with one, and pools are of one only
        return world

    def reset(self, rows: IntArray | BoolArray | None = None) -> None:
        """Start the next episode of the given rows, of which nothing is known yet."""
        if rows is not None and rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        if rows is not None and len(rows) == 0:
            return
        self.population.reset(rows)
        reset_rows(self.observed, EVERYONE if rows is None else rows)

    def step(self, columns: IntArray) -> StepOutcome:
        """Show each user one slate and take in what follows."""
        outcome = self.population.step(columns)
        active = None if outcome.active.all() else outcome.active
        observe(self.observed, self.context, outcome.feedback, active)
        return outcome

    def observation(self, gaps: FloatArray) -> FloatArray:
        """What a policy sees, shape ``(U, O)``; ``gaps`` as a ``Controller`` measures them."""
        return observation(self.context, self.observed, gaps)

    def slates(self, weights: FloatArray, response: ResponseModel | None = None) -> IntArray:
        """The slates of a linear policy: feature weights, then the diversity strength.

        Args:
            weights: Shape ``(U, A)``; a diversity strength below 0 counts as 0.
            response: What the policy expects of a look, if it weighs rewards; that of the context
                by default.
        """
        context = self.context if response is None else self.context.answered_by(response)
        k = self.world.config.slate_size
        diversity = np.maximum(weights[:, -1], np.float32(0.0))
        return linear_slates(context, self.observed, weights[:, :-1], diversity, k)

    def measured(self, columns: IntArray) -> FloatArray:
        """Exposure share of each floor's group, then diversity, of each slate, ``(U, C)``."""
        out = np.empty((len(self), len(self.context.floors) + 1), np.float32)
        out[:, :-1] = slate_exposure_share(self.context, columns).T
        out[:, -1] = slate_diversity(self.context, columns)
        return out

    def take(self, rows: IntArray) -> "LoggedPopulation":
        """A copy of some rows in mid-flight."""
        copy = object.__new__(LoggedPopulation)
        copy.population = self.population.take(rows)
        copy.row = self.row[rows]
        copy.context = self.context.take(rows)
        copy.observed = self.observed.take(rows)
        return copy
