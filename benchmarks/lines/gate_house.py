"""What gate and canary are tried on: a world, baselines, perturbed weights, drawn users."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from fairloop.agents.baselines import Entrant, tune, weight_units
from fairloop.agents.calibration import CalibrationConfig
from fairloop.agents.config import EvaluationConfig
from fairloop.agents.constraints.user_groups import UserGaps
from fairloop.agents.evaluate import compare
from fairloop.agents.families import STATE_AWARE, Family, StaticLinear, baseline_families
from fairloop.agents.gate import GateConfig
from fairloop.agents.outcomes import Arena, UserTotals, run_side_by_side, run_some
from fairloop.agents.report import EvaluationReport
from fairloop.agents.search import SearchConfig
from fairloop.agents.targets import default_constraints
from fairloop.candidates.synthetic import synthetic_candidates
from fairloop.simulators.config import WorldConfig
from fairloop.simulators.fit import fit_world
from fairloop.simulators.policies import StaticWeights

LET_THROUGH_BAR, POWER_BAR = 0.05, 0.8
BETTER = 1.05
JUDGED = "learned"
TEST_USERS = 330  # what the default split leaves of MovieLens-100K's 943 users


@dataclass(frozen=True)
class Sizes:
    """How much is simulated and drawn."""

    days: int
    users: int
    search: int
    cases: int
    policies: int
    truth_seeds: int
    canaries: int


FULL = Sizes(30, users=600, search=40_000, cases=216, policies=12, truth_seeds=6, canaries=60)
SMOKE = Sizes(5, users=100, search=600, cases=16, policies=3, truth_seeds=1, canaries=2)


@dataclass(frozen=True)
class House:
    """A world, the baselines that the gate asks for, and other weights.

    Attributes:
        arena: All users and the limits.
        baselines: What the gate compares with.
        start: Weights of the best of them, shape ``(A,)``.
        others: Perturbed weights, shape ``(P, A)``.
    """

    arena: Arena
    baselines: tuple[Entrant, ...]
    start: np.ndarray
    others: np.ndarray

    @classmethod
    def of(cls, sizes: Sizes, seed: int) -> "House":
        candidates = synthetic_candidates(sizes.users, 400, 8, seed=seed, top_n=100)
        world = fit_world(candidates, WorldConfig(horizon_days=sizes.days), seed)
        arena = Arena.of(world, default_constraints(candidates))
        units = weight_units(arena, seed)
        families = {f.name: f for f in baseline_families(world.catalogue, arena.constraints, units)}
        aware = families[STATE_AWARE]
        assert isinstance(aware, StaticLinear)
        tuned = tune(
            aware,
            arena,
            arena,
            TEST_USERS,
            seed,
            SearchConfig(steps=sizes.search, users=48, population=10),
            CalibrationConfig(rounds=6, seeds=1),
            start_steps=sizes.search // 5,
        )
        # The baseline is tuned for a part of the way: along the rest of it lie better policies.
        start, end = (aware.weights(m.point, m.knobs) for m in (tuned.halfway, tuned.member))
        entrants = [
            entrant_of(families[name], start if name == STATE_AWARE else None)
            for name in GateConfig().required_baselines
        ]
        return cls(arena, tuple(entrants), start, perturbed(start, end, sizes.policies, seed))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """Simulator seeds of an evaluation, as many as the gate asks for."""
        return tuple(range(1, GateConfig().min_seeds + 1))

    @cached_property
    def everybody(self) -> np.ndarray:
        """Rows of all users."""
        return np.arange(len(self.arena))

    @cached_property
    def played(self) -> list[UserTotals]:
        """What each baseline brings every user, means over `seeds`."""
        return self.lives(self.seeds, self.everybody)

    def lives(self, seeds: Sequence[int], rows: np.ndarray) -> list[UserTotals]:
        """What each baseline brings some users, means over seeds."""
        arena = self.arena
        return [
            mean_of([run_some(arena, entrant.make, seed, rows) for seed in seeds])
            for entrant in self.baselines
        ]

    def lives_of(
        self, weights: np.ndarray, seeds: Sequence[int], rows: np.ndarray
    ) -> list[UserTotals]:
        """What each of some static weights ``(P, A)`` brings some users, means over seeds."""
        by_seed = [run_side_by_side(self.arena, weights, seed, rows) for seed in seeds]
        return [mean_of([found[i] for found in by_seed]) for i in range(len(weights))]


def mean_of(runs: Sequence[UserTotals]) -> UserTotals:
    """Means over runs of the same users."""
    names = ("engagement", "expected_engagement", "slates", "measured", "retained")
    means = (np.mean([getattr(r, name) for r in runs], axis=0) for name in names)
    return UserTotals(*means, n_slates=sum(r.n_slates for r in runs))


def perturbed(start: np.ndarray, end: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Weights along the way of the search and before it, with noise; some hold the limits.

    The last two weigh the floor and diversity. In two of three they are stronger than they need to
    be, so that what is better is not in breach as well.
    """
    rng = np.random.default_rng([seed, 1])
    along = rng.uniform(-0.3, 1.1, n)[:, None]
    noise = 0.1 * rng.standard_normal((n, len(start))) * np.abs(start)
    weights = start + along * (end - start) + noise
    weights[:, -2:] = (
        np.maximum(start, end)[-2:] * np.where(np.arange(n) % 3 == 0, 0.9, 1.15)[:, None]
    )
    return weights


def entrant_of(family: Family, weights: np.ndarray | None) -> Entrant:
    if weights is not None:
        return Entrant(family.name, "baseline", lambda: StaticWeights(weights), {}, 0)
    n_limits = 2  # one floor on exposure, one on diversity
    raised = np.full(n_limits, 1.0)  # so that the controller holds them in short lives as well
    return Entrant(family.name, "baseline", lambda: family.policy(family.start, raised), {}, 0)


# --- drawn cases ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A policy of known truth.

    Attributes:
        ratio: True engagement relative to the best baseline's.
        room: How far each level truly lies above its floor, in standard errors of the evaluation.
    """

    ratio: float
    room: tuple[float, float]

    @property
    def kind(self) -> str:
        if min(self.room) < 0.0:
            return "in breach"
        if self.ratio < 1.0:
            return "worse"
        return "equal" if self.ratio == 1.0 else "better"


WORSE = (0.9, 0.95, 0.97, 0.98, 0.99)
BREACH = ((-0.5, 4.0), (4.0, -0.5), (-1.0, 4.0), (-3.0, -3.0), (-6.0, 4.0))
HELD = (4.0, 4.0)
"""The calibration's margin is z(0.95) + z(0.99) sqrt(1 + n_test / n) standard errors, 4.2 or so."""


def cases(n: int) -> list[Case]:
    """A third worse, a quarter in breach though better by 5 %, the others equal or better."""
    worse = [Case(WORSE[i % len(WORSE)], HELD) for i in range(n // 3)]
    breach = [Case(BETTER, BREACH[i % len(BREACH)]) for i in range(n // 4)]
    equal = [Case(1.0, HELD)] * (n // 8)
    better = [Case(BETTER, HELD)] * (n - len(worse) - len(breach) - len(equal))
    return [*worse, *breach, *equal, *better]


class Drawn:
    """Evaluations of a policy whose truth is set, on users drawn from those that were simulated.

    Args:
        house: The world and its baselines.
        other: What the policy's spread is taken from: perturbed weights on the same luck.
    """

    def __init__(self, house: House, other: UserTotals) -> None:
        self._house = house
        self._other = other
        names = [entrant.name for entrant in house.baselines]
        self._best = house.played[names.index(STATE_AWARE)]

    def report(
        self, case: Case, rng: np.random.Generator, n_users: int = TEST_USERS
    ) -> EvaluationReport:
        """One evaluation of it."""
        arena, judged = self._house.arena, self._with_truth(case, n_users)
        rows = rng.integers(0, len(arena), n_users)
        totals = [take_of(t, rows) for t in (*self._house.played, judged)]
        entrants = [*self._house.baselines, judged_of()]
        unknown = [np.full(n_users, np.nan)] * len(entrants)
        seeds, config = self._house.seeds, EvaluationConfig()
        drawn = of_users(arena, rows)
        return compare(drawn, entrants, totals, unknown, JUDGED, seeds, rng, config)

    def _with_truth(self, case: Case, n_users: int) -> UserTotals:
        """Engagement scaled and levels shifted, so that means over all users are as wanted."""
        other = self._other
        scale = (
            case.ratio * self._best.expected_engagement.mean() / other.expected_engagement.mean()
        )
        room = np.array(case.room) * other.spread() / np.sqrt(n_users)
        shift = self._house.arena.targets + room - other.levels()
        return replace(
            other,
            expected_engagement=other.expected_engagement * scale,
            measured=other.measured + other.slates[:, None] * shift,
        )


def judged_of() -> Entrant:
    def never() -> StaticWeights:
        raise AssertionError("what it brought is at hand")

    return Entrant(JUDGED, "learned", never, {}, 0)


def of_users(arena: Arena, rows: np.ndarray) -> Arena:
    """The limits for some of the users; none is on groups of them."""
    return replace(arena, gaps=UserGaps.of((), arena.world.users[rows], {}))


def take_of(totals: UserTotals, rows: np.ndarray) -> UserTotals:
    return UserTotals(
        *(
            getattr(totals, name)[rows]
            for name in (*("engagement", "expected_engagement", "slates", "measured", "retained"),)
        ),
        n_slates=totals.n_slates,
    )


def most(rate: float, judged: bool) -> tuple[float | None, bool | None]:
    return (LET_THROUGH_BAR, rate <= LET_THROUGH_BAR) if judged else (None, None)


def least(rate: float, judged: bool) -> tuple[float | None, bool | None]:
    return (POWER_BAR, rate >= POWER_BAR) if judged else (None, None)
