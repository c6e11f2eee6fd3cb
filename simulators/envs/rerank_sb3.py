"""The task of ``fairloop/Rerank-v0`` as a stable-baselines3 environment, for training."""

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...rerankers.constraints import Constraints
from ..actions import ActionMap
from ..gaps import Controller, constraint_targets
from ..logged import LoggedPopulation
from ..outcome import StepOutcome
from ..world import World
from .default_world import default_world
from .rerank import RerankTask
from .sb3 import TaskVecEnv
from .task import Reward, chosen_rows


class RerankVecEnv(TaskVecEnv):
    """One row per user; the action is the weights of a linear re-ranker.

    Observation: flat float32 ``(n_envs, O + L)``: what a policy may see, then what only a critic
    may. ``actor_slice`` and ``privileged_slice`` tell them apart.

    Args:
        world: The truth about the users; ``default_world()`` where none is given.
        constraints: Floors that are observed and measured.
        seed: Root of the users' luck.
        rows: Rows of the world, repeats allowed; every user once by default.
        action_map: From actions in [-1, 1]^A to weights.
        controller: Watches, and may shift, the weights of all users; measures only, by default.
        reward: Expected engagement given the slate (less variance, same optimum), or sampled.
        privileged: Whether the latent state is part of the observation.
        desynchronise: Cut each row's first episode at a random visit (a truncation), so that
            episodes do not all start and end together. Off for evaluation.
    """

    task: RerankTask

    def __init__(
        self,
        world: World | None = None,
        constraints: Constraints | None = None,
        seed: int = 0,
        rows: IntArray | None = None,
        action_map: ActionMap | None = None,
        controller: Controller | None = None,
        reward: Reward = "expected",
        privileged: bool = True,
        desynchronise: bool = False,
    ) -> None:
        world = default_world() if world is None else world
        many = world.take(chosen_rows(len(world), None, rows))
        task = RerankTask(many, constraints, seed, action_map, controller, reward, privileged)
        self._targets = constraint_targets(Constraints() if constraints is None else constraints)
        self.n_actor_obs = task.n_actor_obs
        n_observed = task.observation_space.shape[0]
        self.actor_slice = slice(0, self.n_actor_obs)
        self.privileged_slice = slice(self.n_actor_obs, n_observed)
        super().__init__(task, world.config.horizon_days if desynchronise else None, seed)

    @property
    def logged(self) -> LoggedPopulation:
        """The users."""
        return self.task.logged

    @property
    def controller(self) -> Controller:
        """What watches the constraints."""
        return self.task.controller

    @property
    def weight_offsets(self) -> FloatArray:
        """Added to all weights besides the controller's, shape ``(A,)``."""
        return self.task.weight_offsets

    @weight_offsets.setter
    def weight_offsets(self, offsets: FloatArray) -> None:
        self.task.weight_offsets = offsets

    @property
    def last_outcome(self) -> StepOutcome | None:
        """All that the last slates brought; None before the first."""
        return self.task.outcome

    @property
    def last_exposure(self) -> FloatArray:
        """Exposure share of each floor's group in the last slates, ``(n, n_floors)``."""
        return self.task.measured[:, :-1]

    @property
    def last_diversity(self) -> FloatArray:
        """Diversity of the last slates, ``(n,)``."""
        return self.task.measured[:, -1]

    @property
    def last_costs(self) -> FloatArray:
        """Target minus measured of the last slates, ``(n, C)``; 0 for no target."""
        costs = self._targets - self.task.measured
        return np.where(self._targets > 0, costs, np.float32(0.0))

    @property
    def last_columns(self) -> IntArray:
        """Pool columns of the last slates, ``(n, k)``."""
        return self._brought().columns

    @property
    def last_engagement(self) -> FloatArray:
        """Sampled engagement of the last slates, ``(n,)``."""
        return self._brought().engagement

    @property
    def last_expected_engagement(self) -> FloatArray:
        """Expected engagement of the last slates, ``(n,)``."""
        return self._brought().expected_engagement

    @property
    def last_left(self) -> BoolArray:
        """Rows that left, ``(n,)``."""
        return self._brought().left

    @property
    def last_ended(self) -> BoolArray:
        """Rows that reached the horizon (or were cut to de-synchronise), ``(n,)``."""
        return self.last_truncated

    def _brought(self) -> StepOutcome:
        if self.task.outcome is None:
            raise AttributeError("nothing was shown yet; step first")
        return self.task.outcome
