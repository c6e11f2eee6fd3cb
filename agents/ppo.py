"""The network that learns: an actor that sees the log, a critic that may see the truth.

Proximal policy optimisation is stable-baselines3's (Schulman et al. 2017). The critic is asymmetric
(Pinto et al. 2018, "Asymmetric Actor Critic for Image-Based Robot Learning"): during learning it
reads the simulator's hidden state too, which makes advantages less noisy and costs the served
policy nothing.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

from ..arrays import FloatArray
from .policy import CLIP, Layer


class AsymmetricExtractor(nn.Module):
    """Standardises the flat observation and runs the actor's and the critic's layers.

    Args:
        n_actor: The first columns, which the actor reads; the critic reads all of them.
        mean: Subtracted from every column, shape ``(O + L,)``.
        scale: Multiplies what is left, shape ``(O + L,)``; 0 for columns nobody should read.
        actor_hidden: Widths of the actor's layers.
        critic_hidden: Widths of the critic's layers.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        n_actor: int,
        mean: FloatArray,
        scale: FloatArray,
        actor_hidden: tuple[int, ...],
        critic_hidden: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.n_actor = n_actor
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))
        self.actor = _tanh_layers(n_actor, actor_hidden)
        self.critic = _tanh_layers(len(mean), critic_hidden)
        self.latent_dim_pi = actor_hidden[-1] if actor_hidden else n_actor
        self.latent_dim_vf = critic_hidden[-1] if critic_hidden else len(mean)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Latent codes of the actor and the critic."""
        standardised = self._standardised(features)
        return self.actor(standardised[:, : self.n_actor]), self.critic(standardised)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        """Latent code of the actor, from the first ``n_actor`` columns alone."""
        return self.actor(self._standardised(features)[:, : self.n_actor])

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        """Latent code of the critic."""
        return self.critic(self._standardised(features))

    def _standardised(self, features: torch.Tensor) -> torch.Tensor:
        return ((features - self.mean) * self.scale).clamp(-CLIP, CLIP)


class ResidualActorCritic(ActorCriticPolicy):
    """Starts as the tuned static weights: the action head is zero, so the mean action is 0.

    Takes the arguments of `AsymmetricExtractor` under ``extractor`` beside SB3's own.
    """

    def __init__(self, *args: Any, extractor: dict[str, Any], **kwargs: Any) -> None:
        self._extractor = extractor
        super().__init__(*args, net_arch=[], **kwargs)

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = AsymmetricExtractor(**self._extractor)  # pyright: ignore[reportAttributeAccessIssue] - typed as SB3's own; it reads `latent_dim_pi` and `latent_dim_vf` alone

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        with torch.no_grad():
            for parameter in self.action_net.parameters():
                parameter.zero_()


def actor_layers(policy: ActorCriticPolicy) -> tuple[tuple[Layer, ...], Layer]:
    """The actor's hidden layers and its head, as float32 arrays."""
    extractor: Any = policy.mlp_extractor
    hidden = [m for m in extractor.actor if isinstance(m, nn.Linear)]
    head: Any = policy.action_net
    return tuple(_as_layer(m) for m in hidden), _as_layer(head)


def actor_parameters(policy: Any) -> list[nn.Parameter]:
    """Everything that decides the distribution of actions."""
    modules = (policy.mlp_extractor.actor, policy.action_net)
    return [p for m in modules for p in m.parameters()] + [policy.log_std]


def _as_layer(module: nn.Linear) -> Layer:
    def array(tensor: torch.Tensor) -> FloatArray:
        return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=np.float32)

    return Layer(array(module.weight), array(module.bias))


def _tanh_layers(width: int, hidden: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.Tanh()]
        width = size
    return nn.Sequential(*layers)
