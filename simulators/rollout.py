"""Evaluate a policy: one episode of every user, measured user by user.

Same world and seed, same luck for each user whatever the policy: compare policies by the
difference of each user's outcomes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from ..arrays import BoolArray, FloatArray, IntArray
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from .gaps import Controller, RunningGaps
from .logged import LoggedPopulation
from .outcome import StepOutcome
from .policies import Decision, PolicyLuck, SlatePolicy
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


@dataclass(frozen=True, slots=True)
class Shown:
    """One slate of each user who has not long been gone.

    Attributes:
        at: Row of each user at the start of the simulation, shape ``(U,)``.
        number: Slates that these users were shown before in this episode.
        world: The truth about them.
        decision: What the policy chose.
        outcome: What came of it; ``outcome.active`` says who was still there.
        measured: Exposure share of each floor's group, then diversity, shape ``(U, C)``.
    """

    at: IntArray
    number: int
    world: World
    decision: Decision
    outcome: StepOutcome
    measured: FloatArray


def slates_shown(
    world: World,
    policy: SlatePolicy,
    constraints: Constraints | None = None,
    seed: int = 0,
    controller: Controller | None = None,
    rows: IntArray | None = None,
    context: PoolContext | None = None,
    twins: bool = False,
) -> Iterator[Shown]:
    """Let every user come until they leave or the horizon is reached, one slate each at a time.

    See ``simulate`` for the arguments.
    """
    constraints = Constraints() if constraints is None else constraints
    controller = RunningGaps(constraints) if controller is None else controller
    logged = LoggedPopulation(world, constraints, seed, rows, context, twins)
    at, number = np.arange(len(logged)), 0
    alive = logged.population.alive
    while alive.any():
        decision = policy.decide(logged, alive, controller, PolicyLuck.at(logged, seed, number))
        measured = logged.measured(decision.columns)
        outcome = logged.step(decision.columns)
        controller.update(measured, outcome.active)
        yield Shown(at, number, logged.world, decision, outcome, measured)
        alive, number = logged.population.alive, number + 1
        if 0.0 < alive.mean() < _KEEP:
            rows_left = np.flatnonzero(alive)
            logged, at, alive = logged.take(rows_left), at[rows_left], alive[rows_left]


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
    """What one episode brings every user.

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
    totals = Totals.of(world, constraints, rows)
    for shown in slates_shown(world, policy, constraints, seed, controller, rows, context, twins):
        totals.add(shown)
        if progress is not None:
            progress(totals.n_gone, len(totals.users))
    return totals.outcomes()


_KEEP = 0.7  # Dropping those who are gone pays once they are this many: a copy costs a few steps.


class Totals:
    """Running sums of one simulation, one row per user.

    Args:
        users: User index of each row, shape ``(U,)``.
        n_floors: Floors that are measured.
        horizon: Days.
    """

    def __init__(self, users: IntArray, n_floors: int, horizon: float) -> None:
        n = len(users)
        self.users = users
        self.n_gone = 0
        self._sums = np.zeros((5, n))
        self._exposure = np.zeros((n, n_floors))
        self._days = np.full(n, float(horizon))
        self._retained = np.ones(n, np.bool_)

    @classmethod
    def of(cls, world: World, constraints: Constraints | None, rows: IntArray | None) -> "Totals":
        """Those of a simulation of these rows, before its first slate."""
        users = world.users if rows is None else world.users[rows]
        n_floors = 0 if constraints is None else len(constraints.exposure)
        return cls(users, n_floors, world.config.horizon_days)

    def add(self, shown: Shown) -> None:
        """Add one slate of each user."""
        at, outcome, here = shown.at, shown.outcome, shown.outcome.active
        visit = [
            outcome.engagement,
            outcome.expected_engagement * here,
            outcome.clicks.sum(axis=1),
            here,
            shown.measured[:, -1] * here,
        ]
        self._sums[:, at] += np.stack(visit)
        self._exposure[at] += shown.measured[:, :-1] * here[:, None]
        gone = at[outcome.left]
        self._days[gone] = outcome.day[outcome.left]
        self._retained[gone] = False
        self.n_gone += int(np.count_nonzero(outcome.left | outcome.ended))

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
