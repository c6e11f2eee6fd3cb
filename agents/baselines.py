"""The simple policies a learned one must beat, each tuned with the same budget.

A family's point is searched on the training users for engagement under the constraints; then its
knobs, one for each constraint, are calibrated on the validation users with a margin. The learned
policy is calibrated in the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import FloatArray, IntArray
from ..rerankers.features import scoring_features
from ..simulators.logged import LoggedPopulation
from ..simulators.policies import SlatePolicy
from .calibration import CalibrationConfig, calibrate
from .families import Family, StaticLinear, TopK, kind_of
from .outcomes import Arena, MakePolicy, UserTotals, run_side_by_side, run_some
from .report import Kind
from .search import SearchConfig, maximise

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Entrant:
    """A policy that is ready to be compared.

    Attributes:
        name: Name for tables.
        kind: Baseline or learned.
        make: Makes it anew for each simulation.
        parameters: Its numbers by name.
        steps: User-steps spent on tuning or learning it.
    """

    name: str
    kind: Kind
    make: MakePolicy
    parameters: dict[str, float]
    steps: int


@dataclass(frozen=True)
class Member:
    """One policy of a family; calling it makes the policy."""

    family: Family
    point: FloatArray
    knobs: FloatArray

    def __call__(self) -> SlatePolicy:
        """Make the policy anew."""
        return self.family.policy(self.point, self.knobs)

    def turned(self, knobs: FloatArray) -> "Member":
        """The member whose knobs are turned further by ``knobs``."""
        return Member(self.family, self.point, self.knobs + knobs)

    @property
    def parameters(self) -> dict[str, float]:
        """Its numbers by name."""
        return self.family.parameters(self.point, self.knobs)


class SearchPoint(NamedTuple):
    """One generation of a search.

    Attributes:
        steps: User-steps that the search had spent.
        best: Value of its best trial: engagement relative to the base order's, less the price of
            what the constraints lack.
        mean: Mean value of its trials.
    """

    steps: int
    best: float
    mean: float


@dataclass(frozen=True)
class Tuned:
    """What tuning gave.

    Attributes:
        member: Searched and calibrated.
        halfway: What the search had found at ``start_steps``, calibrated on the training users:
            where learning starts. The same member where no such point was asked for.
        steps: User-steps that were simulated.
        curve: How the search went.
    """

    member: Member
    halfway: Member
    steps: int
    curve: tuple[SearchPoint, ...] = ()

    def entrant(self) -> Entrant:
        """The policy as part of the comparison."""
        name, parameters = self.member.family.name, self.member.parameters
        return Entrant(name, kind_of(name), self.member, parameters, self.steps)


def tune(
    family: Family,
    training: Arena,
    validation: Arena,
    n_test: int,
    seed: int,
    search: SearchConfig,
    calibration: CalibrationConfig,
    start_steps: int | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Search a family's point on training users, then calibrate its knobs on validation users.

    Where the search lost against its own start on validation users, the start is kept.

    Args:
        family: What to tune.
        training: Users of the search; each generation is in the next of its drawn worlds.
        validation: Users of the calibration.
        n_test: Users on whom the constraints shall be shown to hold.
        seed: Root of luck and search.
        search: Budget.
        calibration: Margins and effort.
        start_steps: Budget after which to note the point for `Tuned.halfway`.
        progress: Called with user-steps done and in all.
    """
    streams = np.random.SeedSequence(seed).spawn(4)
    start_seed, trial_seed, end_seed = (int(s.generate_state(1)[0]) for s in streams[:3])
    member = Member(family, family.start, np.zeros(len(training.targets)))
    if not len(family.start):
        return Tuned(member, member, 0)
    # The search starts where the constraints hold: from outside it would first spend its budget
    # on getting there, and lose its step sizes on the way.
    begin = calibrate(member.turned, training, n_test, start_seed, calibration)
    member = member.turned(begin.knobs)
    scales = [
        _reference_engagement(training.turn(number), trial_seed)
        for number in range(len(training.worlds))
    ]
    curve: list[SearchPoint] = []

    def trials(points: FloatArray, generation: int) -> tuple[FloatArray, int]:
        rng = np.random.default_rng([trial_seed, generation])
        n = min(search.users, len(training))
        rows = np.sort(rng.choice(len(training), n, replace=False))
        gaps = training.gaps.take(rows)
        there, scale = training.turn(generation), scales[generation % len(scales)]
        tried = _try(family, points, member.knobs, there, trial_seed + generation, rows)
        values = [
            float(t.expected_engagement.mean()) / scale
            - search.price * float(np.maximum(begin.aims - t.levels(), 0.0).sum())
            - search.price * float(np.maximum(gaps.excess(t.expected_engagement), 0.0).sum())
            for t in tried
        ]
        spent = sum(t.n_slates for t in tried)
        before = curve[-1].steps if curve else 0
        curve.append(SearchPoint(before + spent, max(values), float(np.mean(values))))
        return np.array(values), spent

    if isinstance(family, StaticLinear):
        search = search.model_copy(update={"spread": search.spread * family.closeness})
    found = maximise(
        trials, family.start, search, np.random.default_rng(streams[3]), start_steps, progress
    )
    begun, member, halfway = (
        Member(family, p, member.knobs) for p in (family.start, found.point, found.halfway)
    )
    end = calibrate(member.turned, validation, n_test, end_seed, calibration)
    without = calibrate(begun.turned, validation, n_test, end_seed, calibration)
    steps = begin.steps + found.steps + end.steps + without.steps
    if (without.held, without.engagement) > (end.held, end.engagement):
        # What was found fits the training users alone.
        member, end = begun, without
    if start_steps is not None:
        nearer = calibrate(halfway.turned, training, n_test, start_seed, calibration)
        halfway = halfway.turned(nearer.knobs)
        steps += nearer.steps
    return Tuned(member.turned(end.knobs), halfway, steps, tuple(curve))


def weight_units(arena: Arena, seed: int) -> FloatArray:
    """Weight that moves the score by one standard deviation within a pool, shape ``(A,)``.

    Measured after a few visits with the base order and some chance, so that the features that
    follow the user's state have taken their usual range.
    """
    rng = np.random.default_rng(seed)
    logged = LoggedPopulation(arena.world, arena.constraints, seed, context=arena.context)
    context, k = arena.context, arena.world.config.slate_size
    spreads: list[FloatArray] = []
    for _ in range(VISITS_TO_MEASURE):
        noisy = context.memoryless[:, 0] + 0.5 * rng.standard_normal(context.items.shape)
        noisy[~context.valid] = -np.inf
        logged.step(np.argsort(-noisy, axis=1)[:, :k])
        features = scoring_features(context, logged.observed)
        alive = logged.population.alive
        if alive.any():
            spreads.append(features.std(axis=1)[alive].mean(axis=0))
    distance = context.pattern_distance[context.patterns[:, :1], context.patterns[:, 1:]]
    spread = np.append(np.mean(spreads, axis=0), distance.std(axis=1).mean())
    return 1.0 / np.maximum(spread, SMALLEST_SPREAD)


def _try(
    family: Family,
    points: FloatArray,
    knobs: FloatArray,
    arena: Arena,
    seed: int,
    rows: IntArray,
) -> list[UserTotals]:
    """One simulation of some users for each point, all on the same luck."""
    if isinstance(family, StaticLinear):
        weights = np.stack([family.weights(point, knobs) for point in points])
        return run_side_by_side(arena, weights, seed, rows)
    return [run_some(arena, Member(family, point, knobs), seed, rows) for point in points]


VISITS_TO_MEASURE = 5

SMALLEST_SPREAD = 0.1
"""A feature that hardly varies gets no more than 10 times the weight."""


def _reference_engagement(arena: Arena, seed: int) -> float:
    """Mean engagement per user of the base order, the unit of the search's objective."""
    nothing = np.zeros(0)
    base_order = Member(TopK(), nothing, np.zeros(len(arena.targets)))
    totals = run_some(arena, base_order, seed, np.arange(len(arena)))
    return max(float(totals.expected_engagement.mean()), 1e-9)
