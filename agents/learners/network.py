"""The networks of a learner in torch: a `WeightPolicy` that can be differentiated, and a critic."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from ...arrays import FloatArray
from ..policy import CLIP, Layer, WeightPolicy
from .footing import Footing


class WeightNetwork(nn.Module):
    """The weights that a policy gives, and their gradients with respect to its layers.

    Args:
        policy: Where the parameters start; its other parts stay as they are.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    base: torch.Tensor
    reach: torch.Tensor

    def __init__(self, policy: WeightPolicy) -> None:
        super().__init__()
        self._policy = policy
        self.register_buffer("mean", torch.as_tensor(policy.mean))
        self.register_buffer("scale", torch.as_tensor(policy.scale))
        self.register_buffer("base", torch.as_tensor(policy.centre + policy.offsets))
        self.register_buffer("reach", torch.as_tensor(policy.reach))
        self.layers = nn.ModuleList(_linear(layer) for layer in (*policy.hidden, policy.head))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Weights ``(B, A)`` of observations ``(B, O)``, as `WeightPolicy.weights` gives them."""
        x = ((observation - self.mean) * self.scale).clamp(-CLIP, CLIP)
        *hidden, head = self.layers
        for layer in hidden:
            x = torch.tanh(layer(x))
        weights = self.base + self.reach * head(x).clamp(-1.0, 1.0)
        return torch.cat([weights[:, :-1], weights[:, -1:].clamp(min=0.0)], dim=1)

    def exported(self) -> WeightPolicy:
        """The policy with the parameters as they are now."""
        *hidden, head = (_layer(module) for module in self.layers)
        return replace(self._policy, hidden=tuple(hidden), head=head)


class Critic(nn.Module):
    """What will be earned from here on, from all that a simulator knows.

    Args:
        footing: Scales of all columns.
        hidden: Widths of the tanh layers.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, footing: Footing, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(footing.mean))
        self.register_buffer("scale", torch.as_tensor(footing.scale))
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((len(footing.mean), *hidden)):
            layers += [nn.Linear(n_in, n_out), nn.Tanh()]
        widths = (len(footing.mean), *hidden)
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Values ``(B,)`` of ``(B, O + L)``."""
        x = ((observation - self.mean) * self.scale).clamp(-CLIP, CLIP)
        return self.layers(x)[:, 0]


def _linear(layer: Layer) -> nn.Linear:
    n_out, n_in = layer.weight.shape
    module = nn.Linear(n_in, n_out)
    with torch.no_grad():
        module.weight.copy_(torch.as_tensor(layer.weight))
        module.bias.copy_(torch.as_tensor(layer.bias))
    return module


def _layer(module: nn.Module) -> Layer:
    assert isinstance(module, nn.Linear)  # as `_linear` makes them

    def array(tensor: torch.Tensor) -> FloatArray:
        # A copy: the tensor goes on changing while learning goes on.
        return np.array(tensor.detach().numpy(), np.float32)

    return Layer(array(module.weight), array(module.bias))
