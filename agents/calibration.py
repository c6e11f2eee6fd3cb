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
    turn: Turn, arena: Arena, n_test: int, seed: int, config: CalibrationConfig
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
    """
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(config.seeds)]
    active = np.flatnonzero(arena.targets > 0)
    knobs, jacobian = np.zeros(len(arena.targets)), np.diag(np.full(len(active), FIRST_SLOPE))
    best, before, steps = None, None, 0
    for _ in range(config.rounds):
        totals = run(arena, turn(knobs), seeds)
        steps += totals.n_slates
        aims = np.where(arena.targets > 0, arena.targets + margins(totals, n_test, config), 0.0)
        excess = (totals.levels() - aims)[active]
        short = float(np.minimum(excess, 0.0).sum())
        rank = (short, float(totals.expected_engagement.mean()))
        if best is None or rank > best[0]:
            best = (rank, knobs.copy(), aims)
        if short == 0.0 and float(excess.max(initial=0.0)) <= config.tolerance:
            break
        if before is not None:
            jacobian = _broyden(jacobian, knobs[active] - before[0], excess - before[1])
        before = (knobs[active].copy(), excess)
        # Aim at the middle of the tolerated band, so that noise falls on neither side.
        move = np.linalg.lstsq(jacobian, config.tolerance / 2 - excess, rcond=None)[0]
        knobs[active] += np.clip(move, -LARGEST_MOVE, LARGEST_MOVE)
    assert best is not None  # the configuration asks for at least one round
    (short, engagement), knobs, aims = best
    return Calibration(knobs, aims, engagement, short == 0.0, steps)


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
