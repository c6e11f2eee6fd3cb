"""Evaluate a policy: one episode of every user, measured user by user.

Same world and seed, same luck for each user whatever the policy: compare policies by the
difference of each user's outcomes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from .gaps import Controller, RunningGaps
from .logged import LoggedPopulation
from .policies import SlatePolicy
from .population import StepOutcome
from .randomness import POLICY
from .world import World


@dataclass(frozen=True, slots=True)
class UserOutcomes:
    """What one episode brought each user, arrays of shape ``(U,)`` unless said otherwise.

    Attributes:
        users: User indices.
        engagement: Sum of satisfaction over clicks.
        expected_engagement: Sum over visits of its expectation given slate and state.
        clicks: Number of clicks.
        n_slates: Number of visits.
        exposure: Sum over slates of each floor group's exposure share, shape ``(U, n_floors)``.
        diversity: Sum over slates of their intra-list distance.
        days: Day on which the user left, or the horizon.
        retained: Whether the user was still there at the horizon.
    """

    users: IntArray
    engagement: FloatArray
    expected_engagement: FloatArray
    clicks: FloatArray
    n_slates: FloatArray
    exposure: FloatArray
    diversity: FloatArray
    days: FloatArray
    retained: BoolArray

    def __len__(self) -> int:
        return len(self.users)

    def exposure_shares(self) -> FloatArray:
        """Each floor group's share of the exposure over all slates, shape ``(n_floors,)``."""
        return self.exposure.sum(axis=0) / max(float(self.n_slates.sum()), 1.0)

    def mean_diversity(self) -> float:
        """Mean intra-list distance over all slates."""
        return float(self.diversity.sum()) / max(float(self.n_slates.sum()), 1.0)

    def take(self, rows: slice) -> "UserOutcomes":
        """Those of some users."""
        return UserOutcomes(*(getattr(self, f.name)[rows] for f in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence["UserOutcomes"]) -> "UserOutcomes":
        """Several runs, one after the other."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


def simulate(
    world: World,
    policy: SlatePolicy,
    constraints: Constraints | None = None,
    seed: int = 0,
    controller: Controller | None = None,
    rows: IntArray | None = None,
    context: PoolContext | None = None,
    progress: Callable[[int, int], None] | None = None,
    twins: bool = False,
) -> UserOutcomes:
    """Let every user come until they leave or the horizon is reached.

    Args:
        world: The truth; its horizon and slate size hold.
        policy: Makes the slates.
        constraints: Floors to measure.
        seed: Root of the users' luck, and of the policy's own draws (another stream).
        controller: Watches, and may shift, the weights of a linear policy; measures only, by
            default.
        rows: Rows of the world, repeats allowed (each with its own luck); all once by default.
        context: ``PoolContext.of(world.pools, world.catalogue, constraints)`` where it is at hand.
        progress: Called with users finished and users in all.
        twins: Rows of one user have the same luck instead.
    """
    constraints = Constraints() if constraints is None else constraints
    controller = RunningGaps(constraints) if controller is None else controller
    logged = LoggedPopulation(world, constraints, seed, rows, context, twins)
    rng = np.random.default_rng([seed, POLICY])
    totals = _Totals(logged.world.users, len(constraints.exposure), world.config.horizon_days)
    at = np.arange(len(logged))
    alive = logged.population.alive
    while alive.any():
        columns = policy.slates(logged, alive, controller, rng)
        measured = logged.measured(columns)
        outcome = logged.step(columns)
        controller.update(measured, outcome.active)
        totals.add(at, outcome, measured)
        alive = logged.population.alive
        if progress is not None:
            progress(len(totals.users) - int(alive.sum()), len(totals.users))
        if 0.0 < alive.mean() < _KEEP:
            rows_left = np.flatnonzero(alive)
            logged, at, alive = logged.take(rows_left), at[rows_left], alive[rows_left]
    return totals.outcomes()


_KEEP = 0.7  # Dropping those who are gone pays once they are this many: a copy costs a few steps.


class _Totals:
    """Running sums of one simulation, one row per user."""

    def __init__(self, users: IntArray, n_floors: int, horizon: float) -> None:
        n = len(users)
        self.users = users
        self._sums = np.zeros((5, n))
        self._exposure = np.zeros((n, n_floors))
        self._days = np.full(n, float(horizon))
        self._retained = np.ones(n, np.bool_)

    def add(self, at: IntArray, outcome: StepOutcome, measured: FloatArray) -> None:
        """Add one visit of the users at rows ``at``."""
        here = outcome.active
        visit = [
            outcome.engagement,
            outcome.expected_engagement * here,
            outcome.feedback.clicks.sum(axis=1),
            here,
            measured[:, -1] * here,
        ]
        self._sums[:, at] += np.stack(visit)
        self._exposure[at] += measured[:, :-1] * here[:, None]
        gone = at[outcome.left]
        self._days[gone] = outcome.day[outcome.left]
        self._retained[gone] = False

    def outcomes(self) -> UserOutcomes:
        """The sums so far."""
        engagement, expected, clicks, n_slates, diversity = self._sums
        return UserOutcomes(
            self.users,
            engagement,
            expected,
            clicks,
            n_slates,
            self._exposure,
            diversity,
            self._days,
            self._retained,
        )
