"""``fairloop/Rerank-v0``: choose the weights of a linear re-ranker at each visit.

Observation: ``Box`` ``(O,)``, the columns of ``rerankers.features.observation_names``; all of it
follows from what a platform logs. Action: ``Box`` ``(A,)`` in [-1, 1], mapped to weights by an
``ActionMap``. The gaps to the constraints that are observed, and a controller that steers by them,
belong to the platform: they are measured over all users of the environment.
"""

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from ...arrays import BoolArray, FloatArray, IntArray
from ...rerankers.constraints import Constraints
from ..actions import ActionMap, checked_action_map
from ..gaps import Controller, RunningGaps
from ..logged import LoggedPopulation
from ..outcome import StepOutcome
from ..world import World
from .default_world import default_world
from .single import TaskEnv
from .task import Info, Reward, Task, Visit, chosen_rows, observation_box
from .vector import TaskVectorEnv


class RerankTask(Task):
    """Weights for many users.

    Args:
        world: The truth about the users, one row each.
        constraints: Floors that are observed and measured.
        seed: Root of the users' luck.
        action_map: From actions to weights.
        controller: Watches, and may shift, the weights of all users; measures only, by default.
        reward: Satisfaction sampled, or expected given slate and state.
        privileged: Whether the latent state follows in the observation, for critics.

    Attributes:
        logged: The users.
        controller: As given.
        action_map: As given.
        n_actor_obs: Columns of the observation that follow from the log; all, or the first ones.
        weight_offsets: Added to all weights besides the controller's, shape ``(A,)``.
        outcome: All that the last slates brought; None before the first.
        measured: Exposure share of each floor's group, then diversity, of the last slates,
            shape ``(n, C)``.
    """

    def __init__(
        self,
        world: World,
        constraints: Constraints | None = None,
        seed: int = 0,
        action_map: ActionMap | None = None,
        controller: Controller | None = None,
        reward: Reward = "sampled",
        privileged: bool = False,
    ) -> None:
        self._constraints = Constraints() if constraints is None else constraints
        self.action_map = checked_action_map(action_map, self._constraints)
        self.controller = RunningGaps(self._constraints) if controller is None else controller
        self._expected, self._privileged = reward == "expected", privileged
        self.logged = LoggedPopulation(world, self._constraints, seed)
        self.n_actor_obs = self.logged.observation(self.controller.gaps).shape[1]
        self.weight_offsets: FloatArray = np.zeros(len(self.action_map.center), np.float32)
        self.outcome: StepOutcome | None = None
        self.measured: FloatArray = np.zeros(
            (len(world), len(self._constraints.exposure) + 1), np.float32
        )
        self.observation_space = observation_box(self.observe().shape[1])
        self.action_space = spaces.Box(-1.0, 1.0, self.action_map.center.shape, np.float32)

    def __len__(self) -> int:
        return len(self.logged)

    def seed(self, seed: int) -> None:
        """See ``Task``; the controller forgets what it has measured, too."""
        old = self.logged
        self.logged = LoggedPopulation(old.world, self._constraints, seed, context=old.context)
        self.controller.reset()

    def reset(self, rows: BoolArray | None = None) -> None:
        """See ``Task``; the controller keeps what it has measured."""
        self.logged.reset(rows)

    def observe(self) -> FloatArray:
        """See ``Task``."""
        seen = self.logged.observation(self.controller.gaps)
        if not self._privileged:
            return seen
        return np.concatenate([seen, self.logged.population.privileged()], axis=1)

    def step(self, actions: FloatArray) -> Visit:
        """Show every user the slate that their weights make."""
        weights = self.action_map.weights(np.asarray(actions, np.float32))
        weights += self.controller.offsets()
        columns = self.logged.slates(weights + self.weight_offsets, self.action_map.response)
        self.measured = self.logged.measured(columns)
        self.outcome = outcome = self.logged.step(columns)
        self.controller.update(self.measured, outcome.active)
        reward = outcome.engagement
        if self._expected:
            reward = outcome.expected_engagement * outcome.active
        return Visit(reward, outcome.left, outcome.ended, self._info(columns, outcome))

    def start_info(self) -> Info:
        """See ``Task``."""
        return {"user": self.logged.world.users, "day": np.zeros(len(self), np.float32)}

    def _info(self, columns: IntArray, outcome: StepOutcome) -> Info:
        return {
            "user": self.logged.world.users,
            "day": outcome.day,
            "engagement": outcome.engagement,
            "expected_engagement": outcome.expected_engagement,
            "clicks": outcome.clicks,
            "exposure": self.measured[:, :-1],
            "diversity": self.measured[:, -1],
            "slate": np.take_along_axis(self.logged.world.pools.items, columns, axis=1),
        }


class RerankEnv(TaskEnv):
    """One user; registered as ``fairloop/Rerank-v0``.

    Args:
        world: The truth about the users; ``default_world()`` where none is given.
        constraints: Floors that are observed and measured.
        seed: Root of the user's luck until ``reset(seed=...)`` gives another.
        action_map: From actions to weights; 3 around 0 by default.
        row: Row of the world whose user this is.
        controller: Watches, and may shift, the weights; measures only, by default.
        reward: Satisfaction sampled, or expected given slate and state.
    """

    def __init__(
        self,
        world: World | None = None,
        constraints: Constraints | None = None,
        seed: int = 0,
        action_map: ActionMap | None = None,
        row: int = 0,
        controller: Controller | None = None,
        reward: Reward = "sampled",
    ) -> None:
        world = default_world() if world is None else world
        one = world.take(chosen_rows(len(world), 1, np.array([row])))
        super().__init__(RerankTask(one, constraints, seed, action_map, controller, reward))


class RerankVectorEnv(TaskVectorEnv):
    """One row per user; ``gymnasium.make_vec("fairloop/Rerank-v0", num_envs=…)`` makes it.

    Args:
        world: The truth about the users; ``default_world()`` where none is given.
        constraints: Floors that are observed and measured.
        seed: Root of the users' luck until ``reset(seed=...)`` gives another.
        num_envs: Rows; every user of the world once by default.
        rows: Rows of the world, repeats allowed; the first ``num_envs``, around and around, by
            default.
        action_map: From actions to weights; 3 around 0 by default.
        controller: Watches, and may shift, the weights; measures only, by default.
        reward: Satisfaction sampled, or expected given slate and state.
        autoreset_mode: What follows on the end of an episode; see ``TaskVectorEnv``.
    """

    def __init__(
        self,
        world: World | None = None,
        constraints: Constraints | None = None,
        seed: int = 0,
        num_envs: int | None = None,
        rows: IntArray | None = None,
        action_map: ActionMap | None = None,
        controller: Controller | None = None,
        reward: Reward = "sampled",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        world = default_world() if world is None else world
        many = world.take(chosen_rows(len(world), num_envs, rows))
        task = RerankTask(many, constraints, seed, action_map, controller, reward)
        super().__init__(task, autoreset_mode)
