"""Turn two or three knobs until every constraint holds with a margin, and no further."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import norm

from ..arrays import FloatArray
from .outcomes import Arena, MakePolicy, UserTotals, run


class CalibrationConfig(BaseModel):
    """How long to turn the knobs, and how sure to be.

    Attributes:
        seeds: Simulator seeds per measurement.
        choice_seeds: Simulator seeds on which calibrated policies are compared.
        rounds: Measurements at most.
        tolerance: A level this far above its aim is close enough.
        confidence: Level of the one-sided bound that the evaluation will apply.
        assurance: Probability, per constraint, with which that bound shall hold on new users.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: int = Field(default=2, ge=1)
    choice_seeds: int = Field(default=20, ge=1)
    rounds: int = Field(default=16, ge=1)
    tolerance: float = Field(default=0.002, gt=0.0)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    assurance: float = Field(default=0.99, gt=0.5, lt=1.0)


def margins(totals: UserTotals, n_test: int, config: CalibrationConfig) -> FloatArray:
    """How far above its target each level must lie here for a bound to hold there, ``(C,)``.

    With standard deviation s between users, n users here and m users in the test, the test's
    upper bound of the violation is about ``target - level_test + z(confidence) s / sqrt(m)``, and
    ``level_test - level_here`` has standard deviation ``s sqrt(1/n + 1/m)``.
    """
    n = len(totals.slates)
    bound = float(norm.ppf(config.confidence)) / np.sqrt(n_test)
    transfer = float(norm.ppf(config.assurance)) * np.sqrt(1.0 / n + 1.0 / n_test)
    return totals.spread() * (bound + transfer)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where the knobs ended.

    Attributes:
        knobs: Shape ``(C,)``.
        aims: Target plus margin of each constraint at those knobs, shape ``(C,)``; 0 where no
            target is set.
        engagement: Mean expected engagement per user there.
        held: Whether every level reached its aim.
        steps: User-steps that were simulated.
    """

    knobs: FloatArray
    aims: FloatArray
    engagement: float
    held: bool
    steps: int


Turn = Callable[[FloatArray], MakePolicy]
"""From knobs ``(C,)`` to a policy; knob c raises level c."""


def calibrate(
    turn: Turn,
    arena: Arena,
    n_test: int,
    seed: int,
    config: CalibrationConfig,
    least: float = -np.inf,
) -> Calibration:
    """Find the knobs at which each level lies just above its target and margin.

    A quasi-Newton search (Broyden 1965) from the knobs at 0, on the same luck throughout. Knobs
    of constraints that are not set stay at 0. Among the points that hold every constraint, the one
    of highest engagement is taken; if none does, the one that falls short least.

    Args:
        turn: Makes the policy of given knobs.
        arena: The validation users.
        n_test: Users on whom the constraints shall be shown to hold.
        seed: Root of the users' luck.
        config: Effort and confidence.
        least: No knob goes below; 0 where knobs are prices, so that a limit which is kept with room
            costs nothing (complementary slackness).
    """
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(config.seeds)]
    active = np.flatnonzero(arena.targets > 0)
    tried: list[_Tried] = []

    def measure(knobs: FloatArray) -> _Tried:
        totals = run(arena, turn(knobs), seeds)
        aims = np.where(arena.targets > 0, arena.targets + margins(totals, n_test, config), 0.0)
        excess = (totals.levels() - aims)[active]
        engagement = float(totals.expected_engagement.mean())
        tried.append(_Tried(knobs.copy(), aims, excess, engagement, totals.n_slates))
        return tried[-1]

    knobs, jacobian = np.zeros(len(arena.targets)), np.diag(np.full(len(active), FIRST_SLOPE))
    for _ in range(config.rounds):
        here = measure(knobs)
        too_far = np.where(knobs[active] > least, here.excess, 0.0)
        if here.short == 0.0 and float(too_far.max(initial=0.0)) <= config.tolerance:
            break
        if len(tried) > 1:
            moved = here.knobs - tried[-2].knobs
            jacobian = _broyden(jacobian, moved[active], here.excess - tried[-2].excess)
        # Aim at the middle of the tolerated band, so that noise falls on neither side.
        move = np.linalg.lstsq(jacobian, config.tolerance / 2 - here.excess, rcond=None)[0]
        moved = knobs[active] + np.clip(move, -LARGEST_MOVE, LARGEST_MOVE)
        knobs[active] = np.maximum(moved, least)
    best = max(tried, key=lambda one: one.rank)
    here = best
    for step in LAST_STEPS:
        if here.short == 0.0:
            break
        # The search may circle a target; from its nearest point on, what is short is only raised.
        knobs = here.knobs.copy()
        knobs[active] += np.where(here.excess < 0.0, step, 0.0)
        here = measure(knobs)
        best = max(best, here, key=lambda one: one.rank)
    steps = sum(one.n_slates for one in tried)
    return Calibration(best.knobs, best.aims, best.engagement, best.short == 0.0, steps)


@dataclass(frozen=True, slots=True)
class _Tried:
    """Knobs, and how far each set level lay above its aim."""

    knobs: FloatArray
    aims: FloatArray
    excess: FloatArray
    engagement: float
    n_slates: int

    @property
    def short(self) -> float:
        """What all levels together lack; 0 or below."""
        return float(np.minimum(self.excess, 0.0).sum())

    @property
    def rank(self) -> tuple[float, float]:
        """Who holds most comes first, then who engages most."""
        return (self.short, self.engagement)


LAST_STEPS = tuple(0.1 * 2.0**i for i in range(8))
"""Raises of knobs whose levels are still short, in standard deviations of score; they grow, because
tuned weights may have grown beyond those, and a knob must keep up with them."""

FIRST_SLOPE = 0.05
"""Guess of how much one standard deviation of score moves a level, before it is measured."""

LARGEST_MOVE = 1.0
"""Longest step of a knob, in standard deviations of score."""


def _broyden(jacobian: FloatArray, moved: FloatArray, changed: FloatArray) -> FloatArray:
    """Broyden's rank-one update, its diagonal kept positive: every knob raises its own level."""
    length = float(moved @ moved)
    if length < 1e-12:
        return jacobian
    updated = jacobian + np.outer(changed - jacobian @ moved, moved) / length
    diagonal = np.diag_indices_from(updated)
    updated[diagonal] = np.maximum(updated[diagonal], SMALLEST_SLOPE)
    return updated


SMALLEST_SLOPE = 0.005
