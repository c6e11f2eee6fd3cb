"""Observations on one scale, as the first layer of the network: stored and loaded with it."""

from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from ..policy import CLIP


class Standardised(BaseFeaturesExtractor):
    """``clip((observation − mean) · scale)``, flattened.

    Args:
        observation_space: A ``Box``.
        mean: Of each number, nested as the box is shaped.
        scale: Inverse deviation of each number; 0 makes the network blind to it.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self, observation_space: spaces.Box, mean: Sequence[Any], scale: Sequence[Any]
    ) -> None:
        flat = torch.as_tensor(mean, dtype=torch.float32).flatten()
        super().__init__(observation_space, len(flat))
        self.register_buffer("mean", flat)
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32).flatten())

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Standardise a batch."""
        flat = observations.flatten(start_dim=1)
        return ((flat - self.mean) * self.scale).clamp(-CLIP, CLIP)
