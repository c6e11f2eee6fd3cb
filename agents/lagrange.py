"""Lagrange multipliers that follow the measured violation with a PI controller.

Stooke, Achiam & Abbeel 2020, "Responsive Safety in Reinforcement Learning by PID Lagrangian
Methods", without the derivative term: rollout means are smooth enough.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..arrays import FloatArray


class LagrangeConfig(BaseModel):
    """Gains, in units of (mean reward per step) per unit of violation.

    Attributes:
        proportional: Gain on the latest mean violation.
        integral: Gain on the sum of violations.
        ceiling: Largest multiplier; keeps an unreachable floor from drowning the reward.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    proportional: float = Field(default=20.0, ge=0.0)
    integral: float = Field(default=5.0, ge=0.0)
    ceiling: float = Field(default=50.0, gt=0.0)


class Multipliers:
    """One multiplier per constraint, never negative.

    Args:
        margins: Aimed at above each target, shape ``(C,)``; 0 where no target is set.
        config: Gains.
    """

    def __init__(self, margins: FloatArray, config: LagrangeConfig) -> None:
        self.config = config
        self.margins = np.asarray(margins, dtype=np.float64)
        self._sum = np.zeros(len(self.margins))
        self._last = np.zeros(len(self.margins))

    @property
    def values(self) -> FloatArray:
        """The multipliers, shape ``(C,)``."""
        raw = self._sum + self.config.proportional * self._last
        return np.clip(raw, 0.0, self.config.ceiling)

    def update(self, mean_costs: FloatArray) -> FloatArray:
        """Take in the mean violation of a rollout, shape ``(C,)``, and return the new values.

        The integral is itself kept within its bounds, so that a long time on the safe side does
        not have to be paid back before a violation is answered (no wind-up).
        """
        self._last = np.asarray(mean_costs, dtype=np.float64) + self.margins
        integrated = self._sum + self.config.integral * self._last
        self._sum = np.clip(integrated, 0.0, self.config.ceiling)
        return self.values


def penalised(rewards: FloatArray, costs: FloatArray, multipliers: FloatArray) -> FloatArray:
    """Rewards less the priced violations, ``(U,)`` and ``(U, C)`` to ``(U,)``.

    Costs are centred at the target (target minus measured, of either sign). With a one-sided cost
    a longer life would mean more cost, and a policy could hold a constraint by losing its users.
    """
    return rewards - costs @ multipliers
