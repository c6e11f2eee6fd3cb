"""Users who are shown slates drawn by a policy that learns, and what a gradient needs of them."""

from dataclasses import dataclass, fields

import numpy as np

from ...arrays import BoolArray, FloatArray, IntArray
from ...rerankers.features import linear_scores, scoring_features
from ...simulators.gaps import RunningGaps
from ...simulators.logged import LoggedPopulation
from ..lagrange import penalised
from ..luck import luck_of_return
from ..outcomes import Arena
from ..policy import WeightPolicy
from ..train import REWARD_SCALE
from .footing import Footing, observe_both, spread_rows
from .sampled import distances_above, draw_slates


@dataclass(frozen=True, slots=True)
class Rollout:
    """``T`` slates of each of ``U`` users.

    Attributes:
        seen: What actor and critic saw, shape ``(T, U, O + L)``; the actor the first columns.
        features: Of every candidate, shape ``(T, U, N, F)``.
        distances: Of every candidate to what stands above each position, ``(T, U, k, N)``.
        open_columns: Candidates left at each position, bool, ``(T, U, k, N)``.
        columns: The slates, shape ``(T, U, k)``.
        rewards: Expected engagement in units of the start's, luck of returning taken out; shape
            ``(T, U)``.
        costs: Target minus measured, shape ``(T, U, C)``.
        ends: Whether the episode ended, shape ``(T, U)``.
        last: What the critic sees after the last slate, shape ``(U, O + L)``.
    """

    seen: FloatArray
    features: FloatArray
    distances: FloatArray
    open_columns: BoolArray
    columns: IntArray
    rewards: FloatArray
    costs: FloatArray
    ends: BoolArray
    last: FloatArray

    def priced(self, multipliers: FloatArray) -> FloatArray:
        """Rewards less the priced violations, shape ``(T, U)``."""
        cells = penalised(
            self.rewards.ravel(), self.costs.reshape(-1, self.costs.shape[2]), multipliers
        )
        return REWARD_SCALE * cells.reshape(self.rewards.shape)


class SlateRollouts:
    """Users who live on from rollout to rollout; who leaves starts anew at once.

    The first episodes are cut at a random visit, so that they do not all start and end together.

    Args:
        arena: The training users and the limits.
        footing: Units of the reward.
        n_rows: Users side by side.
        temperature: Of the draws, in units of the score.
        seed: Root of the users' luck, of the cuts and of the draws.
    """

    def __init__(
        self, arena: Arena, footing: Footing, n_rows: int, temperature: float, seed: int
    ) -> None:
        self._rng = np.random.default_rng(seed)
        rows = spread_rows(len(arena), n_rows, self._rng)
        self._arena, self._footing, self._temperature = arena, footing, temperature
        self._logged = LoggedPopulation(arena.world, arena.constraints, seed, rows, arena.context)
        self._gaps = RunningGaps(arena.constraints)
        horizon = max(int(arena.world.config.horizon_days), 1)
        self._left_of_first = self._rng.integers(1, horizon + 1, n_rows)

    def collect(self, policy: WeightPolicy, n_steps: int) -> Rollout:
        """Show every user ``n_steps`` slates."""
        steps = [self._step(policy) for _ in range(n_steps)]
        stacked = {name: np.stack([step[name] for step in steps]) for name in steps[0]}
        return Rollout(**stacked, last=observe_both(self._logged, self._gaps.gaps))

    def _step(self, policy: WeightPolicy) -> dict[str, np.ndarray]:
        """One slate of every user: the fields of a `Rollout` but ``last``."""
        logged, footing, arena = self._logged, self._footing, self._arena
        k, n_users = logged.world.config.slate_size, len(logged)
        seen = observe_both(logged, self._gaps.gaps)
        weights = policy.weights(seen[:, : footing.n_actor])
        features = scoring_features(logged.context, logged.observed)
        columns, _ = draw_slates(
            linear_scores(features, weights[:, :-1]),
            weights[:, -1],
            logged.context,
            self._temperature,
            self._rng.random((n_users, k)),
        )
        distances = distances_above(logged.context, columns)
        open_columns = still_open(logged.context.valid, columns)
        measured = logged.measured(columns)
        outcome = logged.step(columns)
        self._gaps.update(measured, outcome.active)
        rewards = outcome.expected_engagement / footing.unit
        rewards += footing.per_day * luck_of_return(outcome, arena.world.config.horizon_days)
        costs = np.where(arena.targets > 0, arena.targets - measured, 0.0)
        self._left_of_first -= 1
        # At the horizon an episode ends as the objective does: nothing counts after it.
        ends = outcome.left | outcome.ended | (self._left_of_first == 0)
        logged.reset(ends)
        return {
            "seen": seen,
            "features": features,
            "distances": distances,
            "open_columns": open_columns,
            "columns": columns,
            "rewards": rewards,
            "costs": costs,
            "ends": ends,
        }


def still_open(valid: BoolArray, columns: IntArray) -> BoolArray:
    """Candidates left at each position, ``(U, N)`` and ``(U, k)`` to ``(U, k, N)``."""
    n_users, k = columns.shape
    taken = np.zeros((n_users, k, valid.shape[1]), np.bool_)
    below = np.arange(k)[:, None] > np.arange(k)[None, :]
    users, place, above = np.nonzero(np.broadcast_to(below, (n_users, k, k)))
    taken[users, place, columns[users, above]] = True
    return valid[:, None, :] & ~taken


def advantages(
    rewards: FloatArray, values: FloatArray, ends: BoolArray, gamma: float, gae_lambda: float
) -> FloatArray:
    """Generalised advantage estimates.

    Schulman, Moritz, Levine, Jordan & Abbeel 2016, "High-Dimensional Continuous Control Using
    Generalized Advantage Estimation".

    Args:
        rewards: Shape ``(T, U)``.
        values: Of the state before each slate and after the last one, shape ``(T + 1, U)``.
        ends: Whether nothing follows a slate, shape ``(T, U)``.
        gamma: Discount.
        gae_lambda: How far to trust what was earned over what the critic expects.

    Returns:
        Shape ``(T, U)``.
    """
    goes_on = 1.0 - ends
    surprise = rewards + gamma * goes_on * values[1:] - values[:-1]
    out, ahead = np.empty(rewards.shape), np.zeros(rewards.shape[1])
    for t in range(len(rewards) - 1, -1, -1):
        ahead = surprise[t] + gamma * gae_lambda * goes_on[t] * ahead
        out[t] = ahead
    return out


def flattened(rollout: Rollout) -> dict[str, np.ndarray]:
    """Time and users as one axis: every field but ``last`` by its name."""
    names = [field.name for field in fields(rollout) if field.name != "last"]
    return {
        name: array.reshape(-1, *array.shape[2:])
        for name in names
        for array in [getattr(rollout, name)]
    }
