"""One task, many users, all in arrays: what every environment of the simulator is made of.

The Gymnasium, vector and stable-baselines3 environments of a task differ in form alone. What holds
in all of them stands here once:

- **terminated**: the user left for good. Nothing can be earned afterwards; do not bootstrap.
- **truncated**: the user's next visit would fall beyond the horizon. They would have come again;
  bootstrap from the final observation.
- Both are never True together: leaving wins.
- **The final observation** is made after the last visit of an episode, before anything is reset. It
  counts that visit, so it differs from the first observation of the next episode.
- **Seeds**: a seed is the root of every user's luck. The luck of a visit is a hash of (seed, user,
  episode, visit, item): it does not depend on how many users an environment holds, in which order,
  or in which API. So row ``i`` of a vector environment started with seed ``s`` lives through what a
  single environment of that user lives through with seed ``s`` (not ``s + i``). Where one user
  stands in ``R`` rows, they share the user's episodes out among them: the r-th lives through
  episodes r, r + R, r + 2R and so on.
- **Without a seed**, a reset starts the user's next episode with new luck, and the first one starts
  from the seed that the environment was made with (0 by default): nothing is ever random by the
  clock.
- **Rewards** are the satisfaction earned in a visit: the sampled one, or its expectation given
  slate and state (less variance, same optimum).
"""

from abc import ABC, abstractmethod
from typing import Any, Literal, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...arrays import BoolArray, FloatArray, IntArray
from ...errors import InvalidValue

Info = dict[str, NDArray[Any]]
"""Facts of a batch by name; every array has a row per user, and is nobody else's to change."""

Reward = Literal["sampled", "expected"]

OBSERVATION_LIMIT = 1e6
"""Bound of the observation spaces; observations are means, logs and standardised values."""


class Visit(NamedTuple):
    """What one step of every user brought; zeros and False for users whose episode was over.

    Attributes:
        reward: Shape ``(n,)``, floating.
        terminated: Shape ``(n,)``.
        truncated: Shape ``(n,)``.
        info: What else was measured.
    """

    reward: FloatArray
    terminated: BoolArray
    truncated: BoolArray
    info: Info


class Task(ABC):
    """A decision problem of ``n`` users, stepped together. A new task stands before its episodes.

    Users whose episode is over stay as they are, and bring nothing, until they are reset.

    Attributes:
        observation_space: What is seen of one user.
        action_space: What is decided for one user.
    """

    observation_space: spaces.Box
    action_space: spaces.Space[Any]
    _fresh = True

    @abstractmethod
    def __len__(self) -> int:
        """Users ``n``."""

    @abstractmethod
    def seed(self, seed: int) -> None:
        """Make every user's coming episode the first one of another root of luck."""

    @abstractmethod
    def reset(self, rows: BoolArray | None = None) -> None:
        """Start the next episode of the rows where the mask ``(n,)`` is True; of all by default."""

    @abstractmethod
    def observe(self) -> FloatArray:
        """What can be seen of every user now, shape ``(n, O)``, float32; a new array each time."""

    @abstractmethod
    def step(self, actions: NDArray[Any]) -> Visit:
        """Let every user react.

        Args:
            actions: A row per user, shape ``(n, …)``.
        """

    @abstractmethod
    def start_info(self) -> Info:
        """What is known at the start of an episode."""

    def begin(self, seed: int | None = None) -> None:
        """Start an episode of every user: the first one of a seed, or the next one without."""
        if seed is not None:
            self.seed(seed)
        elif not self._fresh:
            self.reset()
        self._fresh = False


def observation_box(n_columns: int) -> spaces.Box:
    """The observation space of ``n_columns`` numbers."""
    return spaces.Box(-OBSERVATION_LIMIT, OBSERVATION_LIMIT, (n_columns,), np.float32)


def chosen_rows(n_users: int, num_envs: int | None, rows: IntArray | None) -> IntArray:
    """Rows of a world that a vector environment simulates.

    Args:
        n_users: Users in the world.
        num_envs: How many; as many as there are rows, or users, by default.
        rows: Which, repeats allowed; the first ``num_envs``, around and around, by default.

    Raises:
        InvalidValue: ``num_envs`` is below 1 or contradicts ``rows``, or a row is not in the world.
    """
    if rows is None:
        n = n_users if num_envs is None else num_envs
        if n < 1:
            raise InvalidValue(f"{n} environments", field="num_envs", mend="Use 1 or more.")
        return np.arange(n) % n_users
    if num_envs is not None and num_envs != len(rows):
        raise InvalidValue(
            f"{len(rows)} rows for {num_envs} environments",
            field="num_envs",
            mend="Leave one of the two out, or make them equal.",
        )
    if len(rows) == 0 or int(rows.min()) < 0 or int(rows.max()) >= n_users:
        raise InvalidValue(
            "rows must be indices into the world",
            field="rows",
            mend=f"Use one or more indices from 0 to {n_users - 1}.",
        )
    return rows
