"""A task of one user as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ...arrays import FloatArray
from ...errors import InvalidValue
from .task import Info, Task


class TaskEnv(gymnasium.Env[Any, Any]):
    """One user. What resets, ends and seeds mean is said in ``task``.

    Args:
        task: Of one user.

    Attributes:
        task: As given.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  (Gymnasium's attribute)

    def __init__(self, task: Task) -> None:
        self.task = task
        self._over = True
        self.observation_space = task.observation_space
        self.action_space = task.action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start an episode: the first one of a given seed, or the next one without a seed."""
        super().reset(seed=seed)
        self.task.begin(seed)
        self._over = False
        return self.task.observe()[0], _first_row(self.task.start_info())

    def step(self, action: NDArray[Any]) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        """Let the user react.

        Raises:
            InvalidValue: The episode is over, or has not begun.
        """
        if self._over:
            raise InvalidValue("no episode is under way", field="step", mend="Call reset() first.")
        reward, terminated, truncated, info = self.task.step(np.asarray(action)[None])
        left, ended = terminated.item(), truncated.item()
        self._over = left or ended
        return self.task.observe()[0], reward.item(), left, ended, _first_row(info)


def _first_row(info: Info) -> dict[str, Any]:
    """The only user's facts: Python numbers, and arrays where a user has several."""
    return {k: v.item() if v.ndim == 1 else v[0] for k, v in info.items()}
