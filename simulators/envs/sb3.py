"""A task as a stable-baselines3 environment: thousands of users in one process.

stable-baselines3 (and with it torch) is imported in the modules named ``…sb3`` and nowhere else
below ``agents``.
"""

from typing import Any, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from ...arrays import BoolArray, FloatArray
from .registration import register
from .task import Task
from .vector import TaskVectorEnv

NEVER = np.iinfo(np.int64).max


def make_sb3(name: str, num_envs: int, **settings: Any) -> "TaskVecEnv":
    """A registered environment for stable-baselines3; ``gymnasium.make_vec`` is for others.

    Args:
        name: Id, such as ``"fairloop/Slate-v0"``.
        num_envs: Users.
        settings: Passed on to the environment, such as ``world`` and ``seed``.
    """
    register()
    env = gymnasium.make_vec(name, num_envs, **settings)
    return TaskVecEnv(cast(TaskVectorEnv, env.unwrapped).task)


class TaskVecEnv(VecEnv):
    """One row per user; what resets, ends and seeds mean is said in ``task``.

    A row that ends starts its next episode at once. Its info then holds ``terminal_observation``
    (the final observation), ``TimeLimit.truncated`` (it did not end by leaving) and ``episode``
    (return, length, day of the last visit); the infos of other rows are empty.

    ``seed(s)`` takes effect at the next reset and gives all rows the root ``s``.

    Args:
        task: Of the users.
        cut_within: Cut each row's first episode after 1 to this many visits, drawn at random (a
            truncation), so that episodes do not all start and end together. Never by default.
        cut_seed: Root of those draws.

    Attributes:
        task: As given.
        last_truncated: Rows whose episode ended in the last step otherwise than by leaving, (n,).
    """

    render_mode = None  # read by stable-baselines3

    def __init__(self, task: Task, cut_within: int | None = None, cut_seed: int = 0) -> None:
        self.task = task
        self._cut_within, self._cut_seed = cut_within, cut_seed
        self._actions: NDArray[Any] = np.zeros(0)
        self.last_truncated: BoolArray = np.zeros(len(task), np.bool_)
        self._forget_episodes()
        super().__init__(len(task), task.observation_space, task.action_space)

    def reset(self) -> FloatArray:
        """Start an episode of every row: the first one of a new seed, or the next one."""
        self.task.begin(self._seeds[0])
        self._forget_episodes()
        self._reset_seeds()
        self._reset_options()
        return self.task.observe()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[FloatArray, FloatArray, BoolArray, list[dict[str, Any]]]:
        """Let every user react."""
        reward, terminated, truncated, info = self.task.step(self._actions)
        self._returns += reward
        self._visits += 1
        self.last_truncated = (truncated | (self._visits >= self._cut_after)) & ~terminated
        done = terminated | self.last_truncated
        observation = self.task.observe()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            self._say_ends(np.flatnonzero(done).tolist(), observation, info["day"], infos)
            self._returns[done], self._visits[done], self._cut_after[done] = 0.0, 0, NEVER
            self.task.reset(done)
            observation = self.task.observe()
        return observation, reward, done, infos

    def _say_ends(
        self, rows: list[int], final: FloatArray, day: FloatArray, infos: list[dict[str, Any]]
    ) -> None:
        for row in rows:
            infos[row] = {
                "terminal_observation": final[row].copy(),
                "TimeLimit.truncated": bool(self.last_truncated[row]),
                "episode": {
                    "r": float(self._returns[row]),
                    "l": int(self._visits[row]),
                    "t": float(day[row]),
                },
            }

    def _forget_episodes(self) -> None:
        n = len(self.task)
        self._returns = np.zeros(n, np.float64)
        self._visits = np.zeros(n, np.int64)
        self._cut_after = np.full(n, NEVER)
        if self._cut_within is not None:
            rng = np.random.default_rng([self._cut_seed, 1])
            self._cut_after = rng.integers(1, self._cut_within + 1, n)

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
