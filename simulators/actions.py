"""From a bounded action to the weights of a linear re-ranker."""

from dataclasses import dataclass

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidValue
from ..rerankers.constraints import Constraints
from ..rerankers.features import FEATURES, REWARD, feature_names
from ..rerankers.response import ResponseModel

OBSERVATION_LIMIT = 1e6
"""Bound of the observation spaces; observations are means, logs and standardised values."""


@dataclass(frozen=True, slots=True)
class ActionMap:
    """weights = center + scale · action, for an action in [-1, 1]^A.

    Attributes:
        center: Weights at action 0, shape ``(A,)``: each scoring feature in order, then the
            diversity strength. Learning starts well at the best static weights.
        scale: How far an action of 1 moves each weight, shape ``(A,)``, > 0.
        response: What gives the features in ``REWARD``; without it they weigh nothing.
    """

    center: FloatArray
    scale: FloatArray
    response: ResponseModel | None = None

    def __post_init__(self) -> None:
        """Refuse shapes and scales that no action space could have."""
        if self.center.ndim != 1 or self.center.shape != self.scale.shape:
            raise InvalidValue(
                f"center {self.center.shape} and scale {self.scale.shape} must be equal (A,)",
                field="action_map",
            )
        if not (np.isfinite(self.center).all() and (self.scale > 0).all()):
            raise InvalidValue("needs a finite center and scales above 0", field="action_map")

    @classmethod
    def default(cls, constraints: Constraints) -> "ActionMap":
        """Weights from -3 to 3 around 0."""
        n = action_size(constraints)
        return cls(np.zeros(n, np.float32), np.full(n, 3.0, np.float32))

    def weights(self, actions: FloatArray) -> FloatArray:
        """Weights of a batch of actions, ``(U, A)`` to ``(U, A)``, float32."""
        weights = (self.center + self.scale * actions).astype(np.float32, copy=False)
        if self.response is None:
            weights[..., _REWARD] = 0.0
        return weights


_REWARD = slice(FEATURES.index(REWARD[0]), FEATURES.index(REWARD[-1]) + 1)


def action_size(constraints: Constraints) -> int:
    """Number of weights ``A``: scoring features and the diversity strength."""
    return len(feature_names(constraints)) + 1


def checked_action_map(action_map: ActionMap | None, constraints: Constraints) -> ActionMap:
    """The given map, or the default one.

    Raises:
        InvalidValue: It has another number of weights than the constraints ask for.
    """
    if action_map is None:
        return ActionMap.default(constraints)
    if len(action_map.center) != action_size(constraints):
        raise InvalidValue(
            f"{len(action_map.center)} weights, expected {action_size(constraints)}",
            field="action_map",
            mend="One per name in feature_names(constraints), then the diversity strength.",
        )
    return action_map
