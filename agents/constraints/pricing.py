"""The price of an engagement gap: whose rewards count for more while learning.

A limit ``(m − m_g) / m ≤ l`` is linear in everybody's engagement: ``(1 − l) m − m_g ≤ 0``. With a
multiplier λ_g ≥ 0 on each, the Lagrangian of the mean engagement is again a mean of engagement,
only weighted by user::

    w_u = 1 + Σ_g λ_g (1[u ∈ g] / p_g − (1 − l_g)),    p_g the share of users in g

so it can be learned from per-visit rewards multiplied with ``w_u`` (the cost-to-reward form of a
constrained decision process, Altman 1999, "Constrained Markov Decision Processes").
"""

import numpy as np

from ...arrays import BoolArray, FloatArray
from ..lagrange import GapGains, Multipliers
from .user_groups import UserGaps


def reward_weights(member: BoolArray, limits: FloatArray, multipliers: FloatArray) -> FloatArray:
    """Factor on each user's rewards, ``w_u`` above.

    Args:
        member: Who is in which group, shape ``(G, U)``; a group without users has no effect.
        limits: Largest shortfalls, shape ``(G,)``.
        multipliers: λ, shape ``(G,)``.

    Returns:
        Shape ``(U,)``.
    """
    share = member.mean(axis=1)
    price = np.where(share > 0, multipliers, 0.0)
    lifted = (price / np.where(share > 0, share, 1.0)) @ member
    return 1.0 + lifted - float(price @ (1.0 - limits))


def within_reach(multipliers: FloatArray, limits: FloatArray, least: float) -> FloatArray:
    """The multipliers, scaled down together until no reward weight is below ``least``.

    Who is in no priced group has the smallest weight, ``1 − Σ_g λ_g (1 − l_g)``.
    """
    taken = float(multipliers @ (1.0 - limits))
    return multipliers * min(1.0, (1.0 - least) / taken) if taken > 0 else multipliers


class GapPrices:
    """Measures engagement by group while users act side by side, and prices what is short.

    Users come again and again, so what a row's user brings over a horizon is what the row earned
    over how many of its episodes ended (renewal-reward). Both sums fade, because the policy moves;
    a row counts from its first fresh start on, and once one of its episodes has ended.

    Args:
        gaps: The limits, over the rows of the environment.
        gains: How the prices answer.
    """

    def __init__(self, gaps: UserGaps, gains: GapGains) -> None:
        n_groups, n_rows = gaps.member.shape
        self.gaps, self._gains = gaps, gains
        self._multipliers = Multipliers(
            np.full(n_groups, gains.margin), gains, (1.0 - gains.least_weight) / (1.0 - gaps.limits)
        )
        self._earned, self._ended = np.zeros(n_rows), np.zeros(n_rows)
        self._counts = np.zeros(n_rows, np.bool_)

    @property
    def values(self) -> FloatArray:
        """The multipliers, shape ``(G,)``."""
        return within_reach(self._multipliers.values, self.gaps.limits, self._gains.least_weight)

    @property
    def weights(self) -> FloatArray:
        """Factor on each row's rewards, shape ``(U,)``; all 1 without a limit."""
        return reward_weights(self.gaps.member, self.gaps.limits, self.values)

    def record(self, rewards: FloatArray, ended: BoolArray, restarted: BoolArray) -> None:
        """Take in one visit of each row, each of shape ``(U,)``.

        Args:
            rewards: Not weighted.
            ended: Whose episode came to its own end with this visit.
            restarted: Who starts anew next, for whatever reason.
        """
        self._earned += rewards * self._counts
        self._ended += ended & self._counts
        self._counts |= restarted

    def shortfalls(self) -> FloatArray:
        """Relative shortfall of each group lately, shape ``(G,)``; NaN before an episode ended."""
        rows = np.flatnonzero(self._ended)
        return self.gaps.take(rows).shortfalls(self._earned[rows] / self._ended[rows])

    def close_rollout(self) -> tuple[FloatArray, FloatArray]:
        """Shortfall above the limit of each group, and the multipliers that follow, ``(G,)``."""
        excess = np.nan_to_num(self.shortfalls() - self.gaps.limits, nan=-self._gains.margin)
        self._multipliers.update(excess)
        self._earned *= self._gains.memory
        self._ended *= self._gains.memory
        return excess, self.values
