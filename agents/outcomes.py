"""What a policy brings each user, averaged over the seeds of the simulator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..arrays import FloatArray, IntArray
from ..candidates.catalogue import Groups
from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from ..rerankers.response import ResponseModel
from ..simulators.gaps import constraint_targets
from ..simulators.policies import SlatePolicy, StaticWeights
from ..simulators.rollout import UserOutcomes, simulate
from ..simulators.world import World
from .constraints.user_groups import UserGaps

MakePolicy = Callable[[], SlatePolicy]
"""Makes a policy anew, because some carry a state from slate to slate."""


@dataclass(frozen=True, slots=True)
class Arena:
    """Some users, the limits on what they are shown, and what is static about their pools.

    Attributes:
        world: The users.
        constraints: The limits.
        context: Gathered once, because every simulation needs it.
        gaps: The limits on engagement gaps, spelt out over the users.
        user_groups: Groups of all users of the data, by attribute; as far as a limit names them.
        drawn: Worlds of other dynamics with the same users and pools, for learning to meet in
            turn; none where it knows ``world`` alone.
    """

    world: World
    constraints: Constraints
    context: PoolContext
    gaps: UserGaps
    user_groups: Mapping[str, Groups] = field(default_factory=dict[str, Groups])
    drawn: tuple[World, ...] = ()

    @classmethod
    def of(
        cls,
        world: World,
        constraints: Constraints,
        user_groups: Mapping[str, Groups] | None = None,
    ) -> "Arena":
        """Gather the context of a world's pools.

        Args:
            world: The users.
            constraints: The limits, ratios resolved.
            user_groups: Groups of all users of the data, where a limit is on an engagement gap.

        Raises:
            InvalidValue: A limit names groups that are not given, or a ratio was not resolved.
        """
        limits = constraints.engagement_gaps
        gaps = UserGaps.of(limits, world.users, user_groups or {})
        context = PoolContext.of(world.pools, world.catalogue, constraints)
        kept = {gap.attribute: (user_groups or {})[gap.attribute] for gap in limits}
        return cls(world, constraints, context, gaps, kept)

    def answered_by(self, response: ResponseModel | None) -> "Arena":
        """The same users, with a model of how they answer for whoever weighs what it expects."""
        return replace(self, context=self.context.answered_by(response))

    @property
    def worlds(self) -> tuple[World, ...]:
        """What learning goes through: the drawn worlds, or the one there is."""
        return self.drawn or (self.world,)

    def turn(self, number: int) -> "Arena":
        """The same users in the world whose turn it is, round and round."""
        return replace(self, world=self.worlds[number % len(self.worlds)])

    @property
    def targets(self) -> FloatArray:
        """Least level of each limit on slates, ``(C,)``, diversity last; 0 where none is set."""
        return constraint_targets(self.constraints)

    def within_gaps(self, totals: "UserTotals") -> bool:
        """Whether no group of users falls further behind than allowed, by its point estimate."""
        return bool((self.gaps.excess(totals.expected_engagement) <= 0.0).all())

    def __len__(self) -> int:
        return len(self.world)


@dataclass(frozen=True, slots=True)
class UserTotals:
    """Per user, means over seeds.

    Attributes:
        engagement: Satisfaction summed over clicks, shape ``(U,)``.
        expected_engagement: The same with the choice model's probabilities in place of sampled
            clicks; equal in expectation, less noisy; shape ``(U,)``.
        slates: Slates shown, shape ``(U,)``.
        measured: Sum over slates of the level of each limit (see `simulators.gaps.Controller`),
            shape ``(U, C)``.
        retained: Share of seeds in which the user was still there at the horizon, shape ``(U,)``.
        n_slates: Slates shown to all users over all seeds: the user-steps that were simulated.
    """

    engagement: FloatArray
    expected_engagement: FloatArray
    slates: FloatArray
    measured: FloatArray
    retained: FloatArray
    n_slates: int

    def levels(self) -> FloatArray:
        """Level of each limit over all slates, shape ``(C,)``."""
        return self.measured.sum(axis=0) / self.slates.sum()

    def spread(self) -> FloatArray:
        """Standard deviation over users of what each contributes to ``levels``, shape ``(C,)``.

        ``levels`` are ratios of sums, so a user's contribution is linearised: the standard error
        of a level is this divided by the square root of the number of users.
        """
        influence = (self.measured - self.slates[:, None] * self.levels()) / self.slates.mean()
        return np.sqrt((influence**2).mean(axis=0))


def run(arena: Arena, make: MakePolicy, seeds: Sequence[int]) -> UserTotals:
    """Simulate every user of the arena once per seed."""
    runs = [
        simulate(arena.world, make(), arena.constraints, seed, context=arena.context)
        for seed in seeds
    ]
    return averaged(runs)


def run_some(arena: Arena, make: MakePolicy, seed: int, rows: IntArray) -> UserTotals:
    """Simulate the users of some rows once."""
    outcome = simulate(
        arena.world, make(), arena.constraints, seed, rows=rows, context=arena.context
    )
    return averaged([outcome])


def run_side_by_side(
    arena: Arena, weights: FloatArray, seed: int, rows: IntArray
) -> list[UserTotals]:
    """Simulate the users of some rows once for each of several static weights, on the same luck.

    Equal to ``run_some`` of each, in a fraction of the time: one large batch instead of many small.

    Args:
        arena: The users and the limits.
        weights: Shape ``(P, A)``.
        seed: Root of the users' luck.
        rows: Distinct rows of the arena.
    """
    n_policies, n_users = len(weights), len(rows)
    outcome = simulate(
        arena.world,
        StaticWeights(np.repeat(weights, n_users, axis=0)),
        arena.constraints,
        seed,
        rows=np.tile(rows, n_policies),
        context=arena.context,
        twins=True,
    )
    return [
        averaged([outcome.take(slice(i * n_users, (i + 1) * n_users))]) for i in range(n_policies)
    ]


def averaged(runs: Sequence[UserOutcomes]) -> UserTotals:
    """Means over runs of the same users."""

    def mean(name: str) -> FloatArray:
        return np.stack([getattr(r, name) for r in runs]).mean(axis=0, dtype=np.float64)

    measured = np.concatenate([mean("exposure"), mean("diversity")[:, None]], axis=1)
    return UserTotals(
        engagement=mean("engagement"),
        expected_engagement=mean("expected_engagement"),
        slates=mean("n_slates"),
        measured=measured,
        retained=mean("retained"),
        n_slates=round(sum(float(r.n_slates.sum()) for r in runs)),
    )
