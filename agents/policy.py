"""The learned policy as plain arrays: tuned weights plus what a small network adds to them.

For each request the policy chooses one weight per scoring feature and the strength of diversity.
A greedy builder makes the slate of them (`rerankers.linear`). Nothing here needs torch, so a
serving process loads the policy with numpy alone.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import FloatArray
from ..errors import InvalidValue
from ..rerankers.constraints import Constraints
from ..rerankers.features import FEATURES, LOGGED, REWARD
from ..rerankers.response import ResponseModel

CLIP = 5.0
"""Standardised observations are clipped to ±CLIP, so that an odd user cannot drive the policy far
outside what it was trained on."""

DIVERSITY = "diversity"
"""Name of the last entry of a weight vector: the strength of diversity."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One linear layer: ``x @ weight.T + bias`` with ``weight`` of shape ``(out, in)``."""

    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True, slots=True)
class WeightPolicy:
    """Observation to weights: ``centre + offsets + reach * clip(network(observation), ±1)``.

    Attributes:
        constraints: The limits it was trained and calibrated for; they fix the feature columns.
        feature_names: Names of the ``F`` features; a weight vector has ``A = F + 1`` entries, the
            last one the strength of diversity, never below 0.
        observation_names: Names of the ``O`` columns it reads.
        mean: Subtracted from the observation, shape ``(O,)``.
        scale: Multiplies what is left, shape ``(O,)``; 0 makes the policy blind to a column.
        hidden: Tanh layers; without any, and with a zero head, the weights are static.
        head: Last layer, ``A`` outputs.
        centre: Tuned static weights, shape ``(A,)``.
        reach: How far the network may move each weight, shape ``(A,)``.
        offsets: Calibrated so that the constraints hold with a margin, shape ``(A,)``.
        response: What gives the features in ``REWARD``; without it they weigh nothing.
    """

    constraints: Constraints
    feature_names: tuple[str, ...]
    observation_names: tuple[str, ...]
    mean: FloatArray
    scale: FloatArray
    hidden: tuple[Layer, ...]
    head: Layer
    centre: FloatArray
    reach: FloatArray
    offsets: FloatArray
    response: ResponseModel | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit together.

        Raises:
            InvalidValue: A shape contradicts the names or the layer before it.
        """
        n_obs, n_act = len(self.observation_names), self.n_actions
        _require_shape("mean", self.mean, (n_obs,))
        _require_shape("scale", self.scale, (n_obs,))
        width = n_obs
        for i, layer in enumerate(self.hidden):
            _require_shape(f"hidden.{i}.weight", layer.weight, (len(layer.bias), width))
            width = len(layer.bias)
        _require_shape("head.weight", self.head.weight, (n_act, width))
        _require_shape("head.bias", self.head.bias, (n_act,))
        for name in ("centre", "reach", "offsets"):
            _require_shape(name, getattr(self, name), (n_act,))
        if self.response is not None:
            _require_shape("response", self.response.click, (len(LOGGED),))

    @property
    def n_actions(self) -> int:
        """Entries of a weight vector, ``A``."""
        return len(self.feature_names) + 1

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the entries of a weight vector."""
        return (*self.feature_names, DIVERSITY)

    def actions(self, observation: FloatArray) -> FloatArray:
        """Mean action of the network before clipping, ``(U, O)`` to ``(U, A)``, float32.

        Raises:
            InvalidValue: The observation has other columns than the policy was trained on.
        """
        if observation.ndim != 2 or observation.shape[1] != len(self.observation_names):
            raise InvalidValue(
                f"observation of shape {observation.shape}, "
                f"but the policy reads {len(self.observation_names)} columns",
                field="observation",
                mend="Use the catalogue and the constraints that the policy was trained for.",
            )
        x = (observation.astype(np.float32, copy=False) - self.mean) * self.scale
        x = np.clip(x, -CLIP, CLIP)
        for layer in self.hidden:
            x = np.tanh(x @ layer.weight.T + layer.bias)
        return x @ self.head.weight.T + self.head.bias

    def weights(self, observation: FloatArray, offsets: FloatArray | None = None) -> FloatArray:
        """The weights for each user, ``(U, O)`` to ``(U, A)``, float32.

        Args:
            observation: What the policy sees of each user.
            offsets: Added by a controller that holds the constraints while serving, shape
                ``(A,)`` or ``(U, A)``.
        """
        moved = self.reach * np.clip(self.actions(observation), -1.0, 1.0)
        weights = self.centre + self.offsets + moved
        if offsets is not None:
            weights = weights + offsets.astype(np.float32)
        return self.sound(weights.astype(np.float32, copy=False))

    def sound(self, weights: FloatArray) -> FloatArray:
        """Weights ``(U, A)`` within their bounds, in place.

        Diversity is never below 0, and what no response model gives weighs nothing.
        """
        weights[:, -1] = np.maximum(weights[:, -1], 0.0)
        if self.response is None:
            weights[:, _REWARD] = 0.0
        return weights

    def with_gain(self, gain: float) -> "WeightPolicy":
        """The same policy with its network's actions multiplied; 0 leaves the tuned weights."""
        head = Layer(
            (self.head.weight * gain).astype(np.float32), (self.head.bias * gain).astype(np.float32)
        )
        return replace(self, head=head)

    def with_offsets(self, offsets: FloatArray) -> "WeightPolicy":
        """The same policy with other calibrated offsets."""
        return replace(self, offsets=offsets.astype(np.float32))


def static_policy(
    weights: FloatArray,
    constraints: Constraints,
    feature_names: tuple[str, ...],
    observation_names: tuple[str, ...],
    response: ResponseModel | None = None,
) -> WeightPolicy:
    """A policy that gives every user the same weights, shape ``(A,)``."""
    n_obs, n_act = len(observation_names), len(feature_names) + 1
    return WeightPolicy(
        constraints=constraints,
        feature_names=feature_names,
        observation_names=observation_names,
        mean=np.zeros(n_obs, np.float32),
        scale=np.zeros(n_obs, np.float32),
        hidden=(),
        head=Layer(np.zeros((n_act, n_obs), np.float32), np.zeros(n_act, np.float32)),
        centre=weights.astype(np.float32),
        reach=np.zeros(n_act, np.float32),
        offsets=np.zeros(n_act, np.float32),
        response=response,
    )


_REWARD = [FEATURES.index(name) for name in REWARD]


def size_of(weights: FloatArray, units: FloatArray) -> float:
    """Root mean square of the weights in standard deviations of score.

    A linear scorer has no scale of its own, so what moves its weights follows their size.
    """
    return max(float(np.sqrt(np.mean((weights / units) ** 2))), 1e-3)


def _require_shape(name: str, array: FloatArray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InvalidValue(f"shape {array.shape}, expected {shape}", field=f"policy.{name}")
