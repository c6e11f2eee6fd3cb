"""TD3's networks: an actor that sees the log and starts at 0, critics that may see the truth."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.td3.policies import Actor, TD3Policy
from torch import nn

from ...arrays import FloatArray
from ..policy import CLIP, Layer, WeightPolicy
from .footing import Footing


class Standardised(BaseFeaturesExtractor):
    """The first columns of an observation, standardised and clipped.

    Args:
        space: Of the whole observation.
        mean: Of the columns that are read, shape ``(n,)``.
        scale: Their inverse standard deviations, shape ``(n,)``.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, space: spaces.Space[Any], mean: FloatArray, scale: FloatArray) -> None:
        super().__init__(space, len(mean))
        self.register_buffer("mean", torch.as_tensor(mean))
        self.register_buffer("scale", torch.as_tensor(scale))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """``(B, O + L)`` to ``(B, n)``."""
        read = observations[:, : len(self.mean)]
        return ((read - self.mean) * self.scale).clamp(-CLIP, CLIP)


class ResidualPolicy(TD3Policy):
    """Starts as the tuned weights: the actor's last layer is zero, and tanh(0) = 0.

    Takes the arguments of stable-baselines3's own, and the ``footing``.
    """

    def __init__(self, *args: Any, footing: Footing, **kwargs: Any) -> None:
        self._footing = footing
        super().__init__(*args, activation_fn=nn.Tanh, **kwargs)

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> Actor:
        """An actor that reads what a platform sees."""
        footing, n = self._footing, self._footing.n_actor
        seen = Standardised(self.observation_space, footing.mean[:n], footing.scale[:n])
        actor = super().make_actor(seen)
        with torch.no_grad():
            for parameter in linear_layers(actor)[-1].parameters():
                parameter.zero_()
        return actor

    def make_critic(
        self, features_extractor: BaseFeaturesExtractor | None = None
    ) -> ContinuousCritic:
        """Critics that read all that the simulator knows."""
        footing = self._footing
        return super().make_critic(
            Standardised(self.observation_space, footing.mean, footing.scale)
        )


class TailMean:
    """Mean of an actor's parameters over the end of learning (Polyak & Juditsky 1992)."""

    def __init__(self) -> None:
        self._mean: list[torch.Tensor] = []
        self._n = 0

    def add(self, parameters: Sequence[nn.Parameter]) -> None:
        """Take in the parameters as they are now."""
        self._n += 1
        if self._n == 1:
            self._mean = [torch.zeros_like(p, requires_grad=False) for p in parameters]
        for mean, parameter in zip(self._mean, parameters, strict=True):
            mean += (parameter.detach() - mean) / self._n

    def into(self, actor: Actor) -> Actor:
        """Write the mean into an actor; nothing where nothing was taken in."""
        with torch.no_grad():
            for mean, parameter in zip(self._mean, actor.mu.parameters(), strict=False):
                parameter.copy_(mean)
        return actor


def actor_parameters(model: Any) -> list[nn.Parameter]:
    """Everything that decides the actions of a TD3 model."""
    return list(model.actor.mu.parameters())


def linear_layers(actor: Actor) -> list[nn.Linear]:
    """The actor's linear layers from the first to the last, each followed by a tanh."""
    return [module for module in actor.mu if isinstance(module, nn.Linear)]


def exported(actor: Actor, frame: WeightPolicy) -> WeightPolicy:
    """The actor as a policy of plain arrays.

    Its last layer ends in a tanh, as hidden layers of a `WeightPolicy` do: so it becomes one, and
    the head hands it on as it is. Actions lie within (-1, 1), where clipping changes nothing.
    """

    def array(tensor: torch.Tensor) -> FloatArray:
        return np.array(tensor.detach().numpy(), np.float32)

    hidden = tuple(Layer(array(m.weight), array(m.bias)) for m in linear_layers(actor))
    n = frame.n_actions
    as_it_is = Layer(np.eye(n, dtype=np.float32), np.zeros(n, np.float32))
    return replace(frame, hidden=hidden, head=as_it_is)
