"""A task as a native Gymnasium vector environment: thousands of users in one process."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ...arrays import BoolArray, FloatArray
from ...errors import InvalidValue
from .task import Info, Task

VectorStep = tuple[FloatArray, FloatArray, BoolArray, BoolArray, dict[str, Any]]


class TaskVectorEnv(gymnasium.vector.VectorEnv[FloatArray, Any, NDArray[Any]]):
    """One row per user; what resets, ends and seeds mean is said in ``task``.

    What follows on the end of an episode is said by ``metadata["autoreset_mode"]``, as Gymnasium
    1.4 defines it and as its own ``SyncVectorEnv`` does it:

    - ``NEXT_STEP`` (Gymnasium's default, and the one that all of its wrappers know): the step that
      ends an episode returns the final observation. The next step ignores that row's action, starts
      its next episode, and returns the first observation with reward 0 and no end.
    - ``SAME_STEP``: the step that ends an episode also starts the next one and returns its first
      observation. The final observation is in ``infos["final_obs"]`` and what else was measured
      in ``infos["final_info"]``, in the rows where ``infos["_final_obs"]`` is True. No step is
      wasted.
    - ``DISABLED``: rows that are over must be reset before the next step, with
      ``reset(options={"reset_mask": over})``.

    ``infos`` are arrays with a row per user, beside ``_name`` masks of the rows that have the fact.

    Args:
        task: Of the users.
        autoreset_mode: As above; its name in Gymnasium (``"SameStep"``) is understood too.

    Attributes:
        task: As given.
    """

    def __init__(
        self, task: Task, autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP
    ) -> None:
        self.task = task
        self._mode = _known(autoreset_mode)
        self._over = np.ones(len(task), np.bool_)
        self.num_envs = len(task)
        self.metadata = {"render_modes": [], "autoreset_mode": self._mode}
        self.single_observation_space = task.observation_space
        self.single_action_space = task.action_space
        self.observation_space = batch_space(task.observation_space, len(task))
        self.action_space = batch_space(task.action_space, len(task))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start an episode of every row, or of those in ``options["reset_mask"]``.

        Args:
            seed: Root of all rows' luck; see ``task``. Not together with a mask.
            options: ``{"reset_mask": mask}`` with a boolean mask ``(n,)``, at least one True.

        Raises:
            InvalidValue: The mask has another shape or kind, is empty, or comes with a seed.
        """
        super().reset(seed=seed)
        mask = None if options is None else options.get("reset_mask")
        if mask is None:
            self.task.begin(seed)
            mask = np.ones(self.num_envs, np.bool_)
        else:
            _check_mask(mask, self.num_envs, seed)
            self.task.reset(mask)
        self._over = self._over & ~mask
        infos: dict[str, Any] = {}
        _put(infos, self.task.start_info(), mask)
        return self.task.observe(), infos

    def step(self, actions: NDArray[Any]) -> VectorStep:
        """Let every user react.

        Raises:
            InvalidValue: Automatic resets are off, and a row is over.
        """
        over, infos = self._over, dict[str, Any]()
        if self._mode is AutoresetMode.DISABLED and over.any():
            raise InvalidValue(
                f"{int(over.sum())} rows have no episode under way",
                field="step",
                mend='Call reset(options={"reset_mask": over}) first.',
            )
        reward, terminated, truncated, info = self.task.step(np.asarray(actions))
        ends = terminated | truncated
        if self._mode is AutoresetMode.SAME_STEP:
            if ends.any():
                _put_final(infos, self.task.observe(), info, ends)
            over, ends = ends, np.zeros_like(ends)
        self._over = ends
        _put(infos, info, ~over)
        if over.any():
            self.task.reset(over)
            _put(infos, self.task.start_info(), over)
        rewards = reward.astype(np.float64)
        return self.task.observe(), rewards, terminated, truncated, infos


def _known(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError as error:
        raise InvalidValue(
            f"no mode {mode!r}",
            field="autoreset_mode",
            mend=f"Use one of {', '.join(m.value for m in AutoresetMode)}.",
        ) from error


def _check_mask(mask: Any, n: int, seed: int | None) -> None:
    """Refuse a mask that Gymnasium would refuse, and a seed for some rows alone."""
    if not isinstance(mask, np.ndarray) or mask.shape != (n,) or mask.dtype != np.bool_:
        raise InvalidValue(
            "must be a boolean array with an entry per environment",
            field="reset_mask",
            mend=f"Pass a numpy array of shape ({n},) and dtype bool.",
        )
    if not mask.any():
        raise InvalidValue("is all False", field="reset_mask", mend="Mark a row to reset.")
    if seed is not None:
        raise InvalidValue(
            "a seed is the root of all rows' luck", field="seed", mend="Leave out the mask."
        )


def _put_final(infos: dict[str, Any], observation: FloatArray, info: Info, at: BoolArray) -> None:
    """The last observation and facts of the rows that end."""
    final = np.full(len(at), None, dtype=object)
    for row in np.flatnonzero(at).tolist():
        final[row] = observation[row]
    facts: dict[str, Any] = {}
    _put(facts, info, at)
    infos.update(final_obs=final, _final_obs=at.copy(), final_info=facts, _final_info=at.copy())


def _put(infos: dict[str, Any], info: Info, at: BoolArray) -> None:
    """Add facts of some rows: 0 in the others, and a mask that tells them apart."""
    if not at.any():
        return
    for name, value in info.items():
        mask = at.reshape(-1, *[1] * (value.ndim - 1))
        infos[name] = np.where(mask, value, infos.get(name, np.zeros((), value.dtype)))
        infos[f"_{name}"] = at | infos.get(f"_{name}", False)
