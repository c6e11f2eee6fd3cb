"""A policy's network as one vector, and many such networks applied side by side."""

from dataclasses import dataclass, replace

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...simulators.gaps import Controller
from ...simulators.logged import LoggedPopulation
from ...simulators.policies import Decision, PolicyLuck
from ..policy import CLIP, Layer, WeightPolicy


@dataclass(frozen=True)
class Genome:
    """The layers of a policy's network as a point in ``D`` dimensions.

    A coordinate counts in what it moves its layer's output by: the weights of a layer with ``n``
    inputs are divided by the root of ``n``, so that one step size suits all layers.

    Attributes:
        template: The policy whose other parts stay as they are; the point 0 is its own network.
    """

    template: WeightPolicy

    @property
    def size(self) -> int:
        """Dimensions ``D``."""
        return sum(layer.weight.size + layer.bias.size for layer in self._layers)

    def policy(self, point: FloatArray) -> WeightPolicy:
        """The policy at a point, shape ``(D,)``."""
        *hidden, head = (Layer(weight[0], bias[0]) for weight, bias in self.networks(point[None]))
        return replace(self.template, hidden=tuple(hidden), head=head)

    def networks(self, points: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Weights ``(P, out, in)`` and biases ``(P, out)`` of every layer at ``P`` points."""
        found: list[tuple[FloatArray, FloatArray]] = []
        used = 0
        for layer in self._layers:
            n_out, n_in = layer.weight.shape
            moved = points[:, used : used + n_out * n_in].reshape(-1, n_out, n_in)
            used += n_out * n_in
            bias = points[:, used : used + n_out]
            used += n_out
            found.append(
                (
                    (layer.weight + moved / np.sqrt(n_in)).astype(np.float32),
                    (layer.bias + bias).astype(np.float32),
                )
            )
        return found

    @property
    def _layers(self) -> tuple[Layer, ...]:
        return (*self.template.hidden, self.template.head)


class SideBySide:
    """Serves the same users once with each of ``P`` networks, as one large batch.

    The simulation starts with ``P · n`` rows, the ``n`` users of the first network first. Equal to
    ``P`` simulations of `WeightPolicy.weights` up to the rounding of matrix products.

    Args:
        genome: Everything but the networks.
        points: Shape ``(P, D)``.
        n_users: Users of each network, ``n``.
    """

    name = "side by side"

    def __init__(self, genome: Genome, points: FloatArray, n_users: int) -> None:
        self._policy, self._networks = genome.template, genome.networks(points)
        self._shape = (len(points), n_users)

    def decide(
        self,
        logged: LoggedPopulation,
        active: BoolArray,
        controller: Controller,
        luck: PolicyLuck,
    ) -> Decision:
        """The slates of the weights that each row's own network gives it."""
        weights = self._weights(logged, logged.observation(controller.gaps))
        return Decision.certain(
            logged.slates(weights + controller.offsets(), self._policy.response)
        )

    def _weights(self, logged: LoggedPopulation, observation: FloatArray) -> FloatArray:
        """Weights of the rows that are left, ``(U, O)`` to ``(U, A)``."""
        policy = self._policy
        standardised = np.clip((observation - policy.mean) * policy.scale, -CLIP, CLIP)
        # Rows of users who are gone are missing; with zeros in their place all networks have as
        # many users, and a layer is one product of two stacks of matrices.
        x = np.zeros((*self._shape, observation.shape[1]), np.float32)
        x.reshape(-1, x.shape[2])[logged.row] = standardised
        for i, (weight, bias) in enumerate(self._networks):
            x = np.matmul(x, weight.transpose(0, 2, 1)) + bias[:, None]
            if i + 1 < len(self._networks):
                np.tanh(x, out=x)
        actions = np.clip(x.reshape(-1, x.shape[2])[logged.row], -1.0, 1.0)
        weights = policy.centre + policy.offsets + policy.reach * actions
        return policy.sound(weights)
