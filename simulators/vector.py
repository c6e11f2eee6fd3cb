"""Thousands of users as one stable-baselines3 environment, in one process.

stable-baselines3 (and with it torch) is imported here and nowhere else below ``agents``. The end
of an episode means what it means in ``env``: leaving terminates, the horizon truncates (info key
``TimeLimit.truncated``). A row that ends starts its next episode at once; its last observation is
in ``terminal_observation``.
"""

from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.constraints import Constraints
from .actions import OBSERVATION_LIMIT, ActionMap, checked_action_map
from .gaps import Controller, RunningGaps, constraint_targets
from .logged import LoggedPopulation
from .population import StepOutcome
from .world import World


class RerankVecEnv(VecEnv):
    """One row per user; the action is the weights of a linear re-ranker.

    Observation: flat float32 ``(n_envs, O + L)``: what a policy may see, then what only a critic
    may. ``actor_slice`` and ``privileged_slice`` tell them apart.

    Args:
        world: The truth about the users.
        constraints: Floors that are observed and measured.
        seed: Root of the users' luck.
        rows: Rows of the world, repeats allowed; every user once by default.
        action_map: From actions in [-1, 1]^A to weights.
        controller: Watches, and may shift, the weights of all users; measures only, by default.
        reward: Expected engagement given the slate (less variance, same optimum), or sampled.
        privileged: Whether the latent state is part of the observation.
        desynchronise: Cut each row's first episode at a random visit (a truncation), so that
            episodes do not all start and end together. Off for evaluation.

    Attributes:
        weight_offsets: Added to all weights besides the controller's, shape ``(A,)``.
        last_exposure: Exposure share of each floor's group in the last slates, ``(n, n_floors)``.
        last_diversity: Diversity of the last slates, ``(n,)``.
        last_costs: Target minus measured of the last slates, ``(n, C)``; 0 for no target.
        last_engagement: Sampled engagement of the last slates, ``(n,)``.
        last_expected_engagement: Expected engagement of the last slates, ``(n,)``.
        last_left: Rows that left, ``(n,)``.
        last_ended: Rows that reached the horizon (or were cut to de-synchronise), ``(n,)``.
        last_columns: Pool columns of the last slates, ``(n, k)``.
        last_outcome: All that the last slates brought; None before the first.
    """

    render_mode = None  # read by stable-baselines3

    def __init__(
        self,
        world: World,
        constraints: Constraints | None = None,
        seed: int = 0,
        rows: IntArray | None = None,
        action_map: ActionMap | None = None,
        controller: Controller | None = None,
        reward: Literal["expected", "sampled"] = "expected",
        privileged: bool = True,
        desynchronise: bool = False,
    ) -> None:
        constraints = Constraints() if constraints is None else constraints
        self._map = checked_action_map(action_map, constraints)
        self._controller = RunningGaps(constraints) if controller is None else controller
        self.logged = LoggedPopulation(world, constraints, seed, rows)
        self._targets = constraint_targets(constraints)
        self._sampled = reward == "sampled"
        self._privileged = privileged
        self._desynchronise = desynchronise
        self._seed = seed
        n = len(self.logged)
        self.n_actor_obs = self.logged.observation(self._controller.gaps).shape[1]
        n_latent = self.logged.population.privileged().shape[1] if privileged else 0
        self.actor_slice = slice(0, self.n_actor_obs)
        self.privileged_slice = slice(self.n_actor_obs, self.n_actor_obs + n_latent)
        self.weight_offsets: FloatArray = np.zeros(len(self._map.center), np.float32)
        self._actions: FloatArray = np.zeros((n, len(self._map.center)), np.float32)
        self._started = False
        self.last_outcome: StepOutcome | None = None
        self._forget_last(n)
        self._forget_episodes(n)
        super().__init__(
            n,
            spaces.Box(
                -OBSERVATION_LIMIT, OBSERVATION_LIMIT, (self.n_actor_obs + n_latent,), np.float32
            ),
            spaces.Box(-1.0, 1.0, self._map.center.shape, np.float32),
        )

    def reset(self) -> FloatArray:
        """Start the next episode of every row (the first one, on the first call)."""
        if self._started:
            self.logged.reset()
        self._started = True
        self._forget_episodes(self.num_envs)
        self._reset_seeds()
        self._reset_options()
        return self._observe()

    def step_async(self, actions: FloatArray) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[FloatArray, FloatArray, BoolArray, list[dict[str, Any]]]:
        """Show every user the slate that their weights make."""
        weights = self._map.weights(self._actions) + self._controller.offsets()
        columns = self.logged.slates(weights + self.weight_offsets)
        measured = self.logged.measured(columns)
        outcome = self.logged.step(columns)
        self._controller.update(measured, outcome.active)
        self._keep_last(columns, measured, outcome)
        reward = outcome.engagement if self._sampled else outcome.expected_engagement
        done = self._end_episodes(outcome)
        observation = self._observe()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            observation = self._restart(done, observation, infos)
        return observation, reward, done, infos

    def _observe(self) -> FloatArray:
        seen = self.logged.observation(self._controller.gaps)
        if not self._privileged:
            return seen
        return np.concatenate([seen, self.logged.population.privileged()], axis=1)

    def _end_episodes(self, outcome: StepOutcome) -> BoolArray:
        """Count returns and visits, cut first episodes if asked, and say who is done."""
        self._returns += outcome.engagement
        self._visits += 1
        cut = self._visits >= self._cut_after
        self.last_ended = (outcome.ended | cut) & ~outcome.left
        return outcome.left | self.last_ended

    def _restart(
        self, done: BoolArray, observation: FloatArray, infos: list[dict[str, Any]]
    ) -> FloatArray:
        """Fill the infos of the rows that are done, and start their next episodes."""
        rows = np.flatnonzero(done)
        for row in rows.tolist():
            infos[row] = {
                "terminal_observation": observation[row].copy(),
                "TimeLimit.truncated": bool(self.last_ended[row]),
                "episode": {
                    "r": float(self._returns[row]),
                    "l": int(self._visits[row]),
                    "t": float(self.last_day[row]),
                },
            }
        self._returns[rows] = 0.0
        self._visits[rows] = 0
        self._cut_after[rows] = np.iinfo(np.int64).max
        self.logged.reset(rows)
        return self._observe()

    def _keep_last(self, columns: IntArray, measured: FloatArray, outcome: StepOutcome) -> None:
        self.last_columns = columns
        self.last_exposure = measured[:, :-1]
        self.last_diversity = measured[:, -1]
        self.last_costs = np.where(self._targets > 0, self._targets - measured, np.float32(0.0))
        self.last_engagement = outcome.engagement
        self.last_expected_engagement = outcome.expected_engagement
        self.last_left = outcome.left
        self.last_day = outcome.day
        self.last_outcome = outcome

    def _forget_last(self, n: int) -> None:
        k, zeros = self.logged.world.config.slate_size, np.zeros(n, np.float32)
        self.last_columns: IntArray = np.zeros((n, k), np.intp)
        self.last_exposure: FloatArray = np.zeros((n, len(self._targets) - 1), np.float32)
        self.last_diversity: FloatArray = zeros
        self.last_costs: FloatArray = np.zeros((n, len(self._targets)), np.float32)
        self.last_engagement: FloatArray = zeros
        self.last_expected_engagement: FloatArray = zeros
        self.last_day: FloatArray = zeros
        self.last_left: BoolArray = np.zeros(n, np.bool_)
        self.last_ended: BoolArray = np.zeros(n, np.bool_)

    def _forget_episodes(self, n: int) -> None:
        self._returns = np.zeros(n, np.float64)
        self._visits = np.zeros(n, np.int64)
        self._cut_after = np.full(n, np.iinfo(np.int64).max)
        if self._desynchronise:
            days = self.logged.world.config.horizon_days
            self._cut_after = np.random.default_rng([self._seed, 1]).integers(1, days + 1, n)

    def close(self) -> None:
        """Nothing to release."""

    def _indices(self, indices: VecEnvIndices) -> range | list[int]:
        if indices is None:
            return range(self.num_envs)
        return [indices] if isinstance(indices, int) else list(indices)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, once per row: rows share everything."""
        return [getattr(self, attr_name) for _ in self._indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of all rows.

        Raises:
            NotImplementedError: Only some rows are meant; rows share their attributes.
        """
        if len(self._indices(indices)) != self.num_envs:
            # The exception that SB3's interface has for what an environment cannot do.
            raise NotImplementedError("rows share their attributes; set all of them")
        setattr(self, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Call a method of the whole environment once; its result, once per row."""
        result = getattr(self, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: VecEnvIndices = None) -> list[bool]:
        """Rows are not wrapped."""
        return [False for _ in self._indices(indices)]
