"""Lagrange multipliers that follow the measured violation with a PID controller.

Stooke, Achiam & Abbeel 2020, "Responsive Safety in Reinforcement Learning by PID Lagrangian
Methods", algorithm 2. The integral alone is the usual gradient step on a multiplier: it answers a
violation late, so that price and violation swing around the target. The proportional term answers
at once and damps; the derivative term answers while a cost still rises, before it has gone above
its limit. Both can be smoothed over rollouts, as there.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..arrays import FloatArray


class PIDGains(BaseModel):
    """How multipliers answer to violations, once per rollout.

    Attributes:
        proportional: Gain on the (smoothed) violation.
        integral: Gain on the sum of violations.
        derivative: Gain on how much the smoothed violation rose since the rollout before; a fall
            is not counted, because it needs no braking.
        proportional_smoothing: Weight of the past in the violation that ``proportional`` acts on;
            0 takes the latest as it is.
        derivative_smoothing: The same for ``derivative``; differences are noisier than levels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    proportional: float = Field(default=20.0, ge=0.0)
    integral: float = Field(default=5.0, ge=0.0)
    derivative: float = Field(default=0.0, ge=0.0)
    proportional_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    derivative_smoothing: float = Field(default=0.5, ge=0.0, lt=1.0)


class GapGains(PIDGains):
    """Gains of the prices of engagement gaps, in shares of all users' rewards per unit of gap.

    Attributes:
        margin: Aimed at below each limit.
        least_weight: Least factor on anybody's rewards. It bounds the prices, so that lifting one
            group never pays by making the others' engagement worthless.
        memory: Weight of the past in the engagement per user, per rollout; episodes end rarely.
    """

    proportional: float = Field(default=2.0, ge=0.0)
    integral: float = Field(default=0.5, ge=0.0)
    margin: float = Field(default=0.02, ge=0.0, lt=1.0)
    least_weight: float = Field(default=0.2, gt=0.0, le=1.0)
    memory: float = Field(default=0.8, ge=0.0, lt=1.0)


class LagrangeConfig(PIDGains):
    """Gains, in units of (mean reward per step) per unit of violation.

    Attributes:
        ceiling: Largest multiplier; keeps an unreachable floor from drowning the reward.
        gaps: Gains of the prices of engagement gaps.
    """

    ceiling: float = Field(default=50.0, gt=0.0)
    gaps: GapGains = GapGains()


class Multipliers:
    """One multiplier per constraint, never negative.

    Args:
        margins: Aimed at above each target, shape ``(C,)``; 0 where no target is set.
        gains: How they answer.
        ceiling: Largest multiplier; that of a ``LagrangeConfig`` by default.
    """

    def __init__(
        self, margins: FloatArray, gains: PIDGains, ceiling: float | FloatArray | None = None
    ) -> None:
        if ceiling is None:
            ceiling = gains.ceiling if isinstance(gains, LagrangeConfig) else np.inf
        self.config = gains
        self.margins = np.asarray(margins, dtype=np.float64)
        self._ceiling = ceiling
        n = len(self.margins)
        self._sum, self._level, self._rise = np.zeros(n), np.zeros(n), np.zeros(n)
        self._smooth: FloatArray | None = None

    @property
    def values(self) -> FloatArray:
        """The multipliers, shape ``(C,)``."""
        gains = self.config
        raw = self._sum + gains.proportional * self._level + gains.derivative * self._rise
        return np.clip(raw, 0.0, self._ceiling)

    def update(self, mean_costs: FloatArray) -> FloatArray:
        """Take in the mean violation of a rollout, shape ``(C,)``, and return the new values.

        The integral is itself kept within its bounds, so that a long time on the safe side does
        not have to be paid back before a violation is answered (no wind-up).
        """
        gains = self.config
        cost = np.asarray(mean_costs, dtype=np.float64) + self.margins
        self._sum = np.clip(self._sum + gains.integral * cost, 0.0, self._ceiling)
        if self._smooth is None:
            self._level, self._smooth = cost, cost
            return self.values
        before = self._smooth
        self._smooth = _smoothed(before, cost, gains.derivative_smoothing)
        self._rise = np.maximum(self._smooth - before, 0.0)
        self._level = _smoothed(self._level, cost, gains.proportional_smoothing)
        return self.values


def _smoothed(past: FloatArray, now: FloatArray, weight: float) -> FloatArray:
    return weight * past + (1.0 - weight) * now


def penalised(rewards: FloatArray, costs: FloatArray, multipliers: FloatArray) -> FloatArray:
    """Rewards less the priced violations, ``(U,)`` and ``(U, C)`` to ``(U,)``.

    Costs are centred at the target (target minus measured, of either sign). With a one-sided cost
    a longer life would mean more cost, and a policy could hold a constraint by losing its users.
    """
    return rewards - costs @ multipliers
