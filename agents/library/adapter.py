"""Any Gymnasium environment for stable-baselines3, many rows in one process, with what limits cost.

stable-baselines3 starts a row's next episode in the step that ends it, and hands the final
observation over aside. Gymnasium's vector environments do so in one of three modes; here all three
become stable-baselines3's, and no step is spent on a reset.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from ...arrays import BoolArray, FloatArray
from ...errors import InvalidValue

AnyEnv = gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]
MakeEnv = Callable[[], gymnasium.Env[Any, Any]]


class GymnasiumVecEnv(VecEnv):
    """A Gymnasium vector environment as stable-baselines3 wants it.

    Weights (``Box``) are decided in [-1, 1] and laid onto the box; slates (``MultiDiscrete``) pass
    as they are.

    Args:
        env: Its observations are a ``Box``. In the modes ``NEXT_STEP`` and ``DISABLED`` it must
            take ``reset(options={"reset_mask": mask})``, as Gymnasium's own do.
        measured: Entries of ``info``, one number a row, that are kept in ``last_measured``.

    Attributes:
        env: As given.
        laid: From actions as they are learned to actions as ``env`` takes them.
        last_measured: What the last step had of each entry, 0 where it was absent, ``(n, C)``.
        absent: Entries that no info has had so far.

    Raises:
        InvalidValue: A space is of another kind, or a box of weights has no bounds.
    """

    render_mode = None  # read by stable-baselines3

    def __init__(self, env: VectorEnv[Any, Any, Any], measured: Sequence[str] = ()) -> None:
        self.env, self._measured = env, tuple(measured)
        self._mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self.laid, learned_space = _actions(env.single_action_space)
        self._actions: NDArray[Any] = np.zeros(0)
        n = env.num_envs
        self.absent = set(self._measured)
        self.last_measured: FloatArray = np.zeros((n, len(self._measured)))
        self._returns, self._lengths = np.zeros(n), np.zeros(n, np.int64)
        super().__init__(n, _flat(env.single_observation_space), learned_space)

    def reset(self) -> FloatArray:
        """Start an episode of every row; after ``seed(s)``, with Gymnasium's meaning of ``s``."""
        observation, _ = self.env.reset(seed=self._seeds[0])
        self._returns[:], self._lengths[:] = 0.0, 0
        self._reset_seeds()
        self._reset_options()
        return _copied(observation)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> tuple[FloatArray, FloatArray, BoolArray, list[dict[str, Any]]]:
        """One step of every row; rows that end start anew."""
        return self.step_as_given(self.laid(self._actions))

    def step_as_given(
        self, actions: NDArray[Any]
    ) -> tuple[FloatArray, FloatArray, BoolArray, list[dict[str, Any]]]:
        """The same with actions as the environment takes them."""
        step = self.env.step(actions)
        observation, reward = _copied(step[0]), np.array(step[1], np.float64)
        terminated, truncated = np.array(step[2], np.bool_), np.array(step[3], np.bool_)
        done, found = terminated | truncated, step[4]
        final, facts = observation, found
        if self._mode is AutoresetMode.SAME_STEP and done.any():
            final, facts = found["final_obs"], found.get("final_info", {})
        elif done.any():
            first, _ = self.env.reset(options={"reset_mask": done})
            observation = np.where(_like(done, observation), first, observation)
        for column, name in enumerate(self._measured):
            over, rest = _entry(facts, name, self.num_envs), _entry(found, name, self.num_envs)
            self.last_measured[:, column] = np.where(done, over, rest)
            if name in found or name in facts:
                self.absent.discard(name)
        self._returns += reward
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(done).tolist():
            infos[row] = {
                "terminal_observation": np.array(final[row]),
                "TimeLimit.truncated": bool(truncated[row] and not terminated[row]),
                "episode": {"r": float(self._returns[row]), "l": int(self._lengths[row])},
            }
        self._returns[done], self._lengths[done] = 0.0, 0
        return observation, reward.astype(np.float32), done, infos

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute of the whole environment, once per row."""
        return [getattr(self.env, attr_name) for _ in self._rows(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the whole environment.

        Raises:
            NotImplementedError: Only some rows are meant; a vector environment is one object.
        """
        if len(self._rows(indices)) != self.num_envs:
            # The exception that SB3's interface has for what an environment cannot do.
            raise NotImplementedError("rows share their attributes; set all of them")
        setattr(self.env, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Call a method of the whole environment once; its result, once per row."""
        result = getattr(self.env, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._rows(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: VecEnvIndices = None) -> list[bool]:
        """Rows are not wrapped one by one."""
        return [False for _ in self._rows(indices)]

    def _rows(self, indices: VecEnvIndices) -> range | list[int]:
        if indices is None:
            return range(self.num_envs)
        return [indices] if isinstance(indices, int) else list(indices)


def adapted(
    env: AnyEnv | MakeEnv, measured: Sequence[str] = (), num_envs: int = 1
) -> GymnasiumVecEnv:
    """Any environment for stable-baselines3.

    Args:
        env: A vector environment, a single one, or what makes a single one.
        measured: As of `GymnasiumVecEnv`.
        num_envs: Rows, where ``env`` makes them.

    Raises:
        InvalidValue: As of `GymnasiumVecEnv`, or several rows of one environment are asked for.
    """
    if isinstance(env, VectorEnv):
        return GymnasiumVecEnv(cast(VectorEnv[Any, Any, Any], env), measured)
    if isinstance(env, gymnasium.Env):
        if num_envs != 1:
            raise InvalidValue(
                f"{num_envs} rows of one environment",
                field="num_envs",
                mend="Pass what makes it (`lambda: MyEnv()`), or a vector environment.",
            )
        one = cast(gymnasium.Env[Any, Any], env)
        makers: list[MakeEnv] = [lambda: one]
    else:
        makers = [env] * num_envs
    return GymnasiumVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP), measured)


Laid = Callable[[NDArray[Any]], NDArray[Any]]


def _actions(space: spaces.Space[Any]) -> tuple[Laid, spaces.Space[Any]]:
    """From what is learned to what the environment takes, and the space that is learned in."""
    if isinstance(space, spaces.MultiDiscrete):
        return lambda actions: actions.reshape(len(actions), *space.shape), space
    if not isinstance(space, spaces.Box):
        raise InvalidValue(
            f"actions are {type(space).__name__}",
            field="action_space",
            mend="Use a Box of weights, or a MultiDiscrete of one candidate a position.",
        )
    if not (np.isfinite(space.low) & np.isfinite(space.high)).all():
        raise InvalidValue(
            "a box of weights without bounds",
            field="action_space",
            mend="Bound it: learning starts in its middle and explores in proportion to it.",
        )
    middle, half = (space.high + space.low) / 2.0, (space.high - space.low) / 2.0

    def lay(actions: NDArray[Any]) -> NDArray[Any]:
        return (middle + half * np.clip(actions, -1.0, 1.0)).astype(space.dtype)

    return lay, spaces.Box(-1.0, 1.0, space.shape, np.float32)


def _flat(space: spaces.Space[Any]) -> spaces.Box:
    if not isinstance(space, spaces.Box):
        raise InvalidValue(
            f"observations are {type(space).__name__}",
            field="observation_space",
            mend="Wrap it in gymnasium.wrappers.vector.FlattenObservation.",
        )
    return space


def _entry(info: dict[str, Any], name: str, n: int) -> FloatArray:
    """A number a row out of an info, 0 in rows that lack it."""
    values = np.asarray(info.get(name, np.zeros(n)), np.float64)
    there = np.asarray(info.get(f"_{name}", np.ones(n, np.bool_)), np.bool_)
    return np.where(there, values, 0.0)


def _like(mask: BoolArray, array: NDArray[Any]) -> BoolArray:
    return mask.reshape(-1, *[1] * (array.ndim - 1))


def _copied(observation: Any) -> FloatArray:
    """An array of one's own: some environments reuse theirs."""
    return np.array(observation, np.float32)
