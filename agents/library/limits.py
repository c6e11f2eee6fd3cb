"""Limits on what an environment measures, priced while learning.

The multipliers of `agents.lagrange` follow the mean of each entry of ``info`` over a rollout (Ray,
Achiam & Amodei 2019; Stooke, Achiam & Abbeel 2020): what goes beyond a limit is taken off the
reward, at a price that rises as long as it is broken and falls once it holds.
"""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from stable_baselines3.common.vec_env import VecEnvWrapper

from ...arrays import BoolArray, FloatArray
from ..lagrange import LagrangeConfig, Multipliers, penalised
from .adapter import GymnasiumVecEnv


class Limit(BaseModel):
    """The mean of an entry of ``info`` over all steps is kept on one side of a value.

    Attributes:
        name: The entry; one number a step.
        bound: The value.
        side: Whether the mean is to stay ``"below"`` or ``"above"`` it.
        scale: What counts as one unit of violation; a tenth of what the entry may vary by is a
            good start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    bound: float
    side: Literal["below", "above"] = "below"
    scale: float = Field(default=1.0, gt=0.0)

    def violation(self, measured: FloatArray) -> FloatArray:
        """How far values lie on the wrong side, in units of ``scale``; negative where they hold."""
        beyond = measured - self.bound
        return (beyond if self.side == "below" else -beyond) / self.scale


class Priced(VecEnvWrapper):
    """Rewards in units of ``unit``, less the priced violations.

    Violations are centred at the limit and of either sign, so that a longer episode is neither
    punished nor rewarded by a limit that holds.

    Args:
        env: Measures the entries of the limits, in their order.
        limits: What is priced.
        config: Gains of the multipliers, in units of ``unit`` a unit of violation.
        unit: Typical size of a step's reward.
    """

    venv: GymnasiumVecEnv

    def __init__(
        self,
        env: GymnasiumVecEnv,
        limits: tuple[Limit, ...],
        config: LagrangeConfig,
        unit: float,
    ) -> None:
        super().__init__(env)
        self.multipliers = Multipliers(np.zeros(len(limits)), config)
        self._limits, self._unit = limits, unit
        self._forget()

    def reset(self) -> FloatArray:
        """Start all rows anew."""
        observation = self.venv.reset()
        assert isinstance(observation, np.ndarray)  # the adapter takes no other observations
        return observation

    def step_wait(self) -> tuple[FloatArray, FloatArray, BoolArray, list[dict[str, Any]]]:
        """One step of every row."""
        seen, rewards, dones, infos = self.venv.step_wait()
        measured = self.venv.last_measured
        self._rewards.append(float(rewards.mean()))
        self._measured.append(measured.mean(axis=0))
        columns = [limit.violation(measured[:, i]) for i, limit in enumerate(self._limits)]
        costs = np.stack(columns, axis=1) if columns else np.zeros((len(rewards), 0))
        priced = penalised(rewards / self._unit, costs, self.multipliers.values)
        return seen, priced.astype(np.float32), dones, infos

    def close_rollout(self) -> tuple[float, FloatArray, FloatArray]:
        """Mean reward and entries since the last call, and the multipliers that follow."""
        reward, measured = float(np.mean(self._rewards)), np.mean(self._measured, axis=0)
        violations = [limit.violation(measured[i]) for i, limit in enumerate(self._limits)]
        self._forget()
        return reward, measured, self.multipliers.update(np.array(violations, np.float64))

    def _forget(self) -> None:
        self._rewards: list[float] = []
        self._measured: list[FloatArray] = []
