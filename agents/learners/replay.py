"""Transitions kept for replay, whose prices are those of today."""

from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from ...arrays import FloatArray
from ...simulators.envs.rerank_sb3 import RerankVecEnv
from ..lagrange import Multipliers, penalised
from ..train import REWARD_SCALE


class PricedReplay(ReplayBuffer):
    """Keeps rewards and costs apart, and prices them when they are drawn.

    The multipliers move while a transition lies in the buffer. With the price of its own day it
    would teach the critics a mixture of objectives. It draws from its own generator, where
    stable-baselines3 draws from numpy's global one.

    Args:
        args: Of stable-baselines3's buffer.
        users: Who brought the transitions.
        multipliers: Price of each constraint.
        seed: Of the draws.
        kwargs: Of stable-baselines3's buffer.
    """

    def __init__(
        self, *args: Any, users: RerankVecEnv, multipliers: Multipliers, seed: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._users, self._multipliers = users, multipliers
        self._rng = np.random.default_rng(seed)
        shape = (self.buffer_size, self.n_envs, len(multipliers.values))
        self._costs = np.zeros(shape, np.float32)

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Take in the latest step of all users."""
        self._costs[self.pos] = self._users.last_costs
        super().add(*args, **kwargs)

    def sample(self, batch_size: int, env: object = None) -> ReplayBufferSamples:
        """Draw transitions with replacement; ``env`` is not read, nothing is standardised here."""
        n = self.buffer_size if self.full else self.pos
        at = self._rng.integers(0, n, batch_size), self._rng.integers(0, self.n_envs, batch_size)
        priced = penalised(self.rewards[at], self._costs[at], self._multipliers.values)
        return ReplayBufferSamples(
            observations=_tensor(self.observations[at]),
            actions=_tensor(self.actions[at]),
            next_observations=_tensor(self.next_observations[at]),
            dones=_tensor(self.dones[at][:, None]),
            rewards=_tensor(REWARD_SCALE * priced[:, None]),
        )


def _tensor(array: FloatArray) -> torch.Tensor:
    return torch.as_tensor(array.astype(np.float32, copy=False))
