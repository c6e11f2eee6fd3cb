"""Several worlds as one stable-baselines3 environment, for training.

stable-baselines3 (and with it torch) is imported here alone in this room.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ...arrays import FloatArray, IntArray
from ...rerankers.constraints import Constraints
from ...simulators.actions import ActionMap
from ...simulators.envs.sb3 import TaskVecEnv
from ...simulators.envs.task import Reward
from ...simulators.gaps import Controller, constraint_targets
from ...simulators.logged import LoggedPopulation
from ...simulators.outcome import StepOutcome
from ...simulators.world import World
from .many_worlds import ManyWorldsTask


class ManyWorldsVecEnv(TaskVecEnv):
    """One row per user of any world; what a learner reads is named as in `RerankVecEnv`.

    Args:
        worlds: See `ManyWorldsTask`; `randomise.training_worlds` draws them.
        constraints: Floors that are observed and measured.
        seed: Root of the users' luck.
        rows: Rows of each world, repeats allowed; every user once by default.
        action_map: From actions in [-1, 1]^A to weights.
        reward: Expected engagement given the slate (less variance, same optimum), or sampled.
        privileged: Whether latent state and the worlds' parameters are part of the observation.
        make_controller: See `ManyWorldsTask`.
        desynchronise: Cut each row's first episode at a random visit; see `RerankVecEnv`.
    """

    task: ManyWorldsTask

    def __init__(
        self,
        worlds: Sequence[World],
        constraints: Constraints | None = None,
        seed: int = 0,
        rows: Sequence[IntArray] | None = None,
        action_map: ActionMap | None = None,
        reward: Reward = "expected",
        privileged: bool = True,
        make_controller: Callable[[], Controller] | None = None,
        desynchronise: bool = False,
    ) -> None:
        task = ManyWorldsTask(
            worlds, constraints, seed, rows, action_map, reward, privileged, make_controller
        )
        self._targets = constraint_targets(Constraints() if constraints is None else constraints)
        self.n_actor_obs = task.n_actor_obs
        self.actor_slice = slice(0, task.n_actor_obs)
        self.privileged_slice = slice(task.n_actor_obs, task.observation_space.shape[0])
        super().__init__(task, worlds[0].config.horizon_days if desynchronise else None, seed)

    @property
    def logged(self) -> LoggedPopulation:
        """The users of the first world. All worlds share its horizon, slate size and catalogue."""
        return self.task.parts[0].logged

    @property
    def weight_offsets(self) -> FloatArray:
        """Added to all weights besides the controllers', shape ``(A,)``."""
        return self.task.weight_offsets

    @weight_offsets.setter
    def weight_offsets(self, offsets: FloatArray) -> None:
        self.task.weight_offsets = offsets

    @property
    def last_outcome(self) -> StepOutcome | None:
        """All that the last slates brought; None before the first."""
        return self.task.outcome

    @property
    def last_costs(self) -> FloatArray:
        """Target minus measured of the last slates, ``(n, C)``; 0 for no target."""
        costs = self._targets - self.task.measured
        return np.where(self._targets > 0, costs, np.float32(0.0))
