"""One user as a Gymnasium environment, registered as ``fairloop/Rerank-v0``.

Semantics of an episode's end:

- ``terminated``: the user left for good. Nothing can be earned afterwards; do not bootstrap.
- ``truncated``: the user's next visit would fall beyond the horizon. They would have come again;
  bootstrap from the final observation.
- Both are never True together, and leaving wins when both could be.
"""

from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces

from ..arrays import FloatArray
from ..rerankers.constraints import Constraints
from ..rerankers.features import observation_names
from .actions import OBSERVATION_LIMIT, ActionMap, checked_action_map
from .gaps import Controller, RunningGaps
from .logged import LoggedPopulation
from .world import World

ENV_ID = "fairloop/Rerank-v0"


class RerankEnv(gymnasium.Env[FloatArray, FloatArray]):
    """Choose the weights of a linear re-ranker at each visit of one user.

    Observation: ``Box`` of shape ``(O,)``, the columns of ``observation_names``. Action: ``Box``
    of shape ``(A,)`` in [-1, 1], mapped to weights by an ``ActionMap``. Reward: the satisfaction
    earned at this visit.

    Args:
        world: The truth about the users.
        constraints: Floors that are observed and measured.
        seed: Root of the user's luck until ``reset(seed=...)`` gives another.
        action_map: From actions to weights.
        row: Row of the world whose user this is.
        controller: Watches, and may shift, the weights; measures only, by default.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  (Gymnasium's attribute)

    def __init__(
        self,
        world: World,
        constraints: Constraints | None = None,
        seed: int = 0,
        action_map: ActionMap | None = None,
        row: int = 0,
        controller: Controller | None = None,
    ) -> None:
        self._constraints = Constraints() if constraints is None else constraints
        self._world = world.take(np.array([row]))
        self._map = checked_action_map(action_map, self._constraints)
        self._controller = RunningGaps(self._constraints) if controller is None else controller
        self._logged = LoggedPopulation(self._world, self._constraints, seed)
        self._fresh = True
        n_observed = len(observation_names(world.catalogue.topic_names, self._constraints))
        self.observation_space = spaces.Box(
            -OBSERVATION_LIMIT, OBSERVATION_LIMIT, (n_observed,), np.float32
        )
        self.action_space = spaces.Box(-1.0, 1.0, self._map.center.shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start an episode: the first one of a given seed, or the next one without a seed.

        A seed also makes the controller forget; without one it keeps what it has measured.
        """
        super().reset(seed=seed)
        if seed is not None:
            context = self._logged.context
            self._logged = LoggedPopulation(self._world, self._constraints, seed, context=context)
            self._controller.reset()
        elif not self._fresh:
            self._logged.reset()
        self._fresh = False
        return self._observe(), {"user": int(self._world.users[0]), "day": 0.0}

    def step(
        self, action: FloatArray
    ) -> tuple[FloatArray, SupportsFloat, bool, bool, dict[str, Any]]:
        """Show the slate that the weights make, and let the user react."""
        weights = self._map.weights(np.asarray(action, np.float32)[None])
        columns = self._logged.slates(weights + self._controller.offsets())
        measured = self._logged.measured(columns)
        outcome = self._logged.step(columns)
        self._controller.update(measured, outcome.active)
        info = {
            "user": int(self._world.users[0]),
            "day": float(outcome.day[0]),
            "engagement": float(outcome.engagement[0]),
            "expected_engagement": float(outcome.expected_engagement[0]),
            "clicks": int(outcome.feedback.clicks[0].sum()),
            "exposure": measured[0, :-1],
            "diversity": float(measured[0, -1]),
            "slate": self._world.pools.items[0, columns[0]],
        }
        reward = float(outcome.engagement[0])
        return self._observe(), reward, bool(outcome.left[0]), bool(outcome.ended[0]), info

    def _observe(self) -> FloatArray:
        return self._logged.observation(self._controller.gaps)[0]


def register() -> None:
    """Make ``gymnasium.make("fairloop/Rerank-v0", world=...)`` known; safe to call again."""
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(ENV_ID, entry_point="fairloop.simulators.env:RerankEnv")
