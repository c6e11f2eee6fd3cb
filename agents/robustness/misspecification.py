"""How a gain falls as the real world departs from the simulated one, one parameter at a time.

Policy and baseline stay as they were trained and tuned. At each point of a sweep one parameter is a
multiple of what was assumed, and both serve the same users through the same luck, which is the same
at every point: a curve shows what the parameter does, and not how luck differs.

A sweep says in which parameters a mistake is costly, and so which to calibrate first on a log
(``simulators.calibration``). It says nothing of departures that no parameter describes.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ...simulators.config import WorldConfig
from ..baselines import Entrant
from ..outcomes import Arena
from .curves import Curve, Departure, Point, departures
from .paired import Paired, Place, Progress, play, require_names
from .parameters import acting, parameter, scaled, value_of
from .randomise import DrawnWorld

TASTE_NOISE = "taste_noise"
"""The sweep that is no parameter: the share of tastes that is replaced; see `worlds`."""

Factor = Annotated[float, Field(gt=0.0, le=1e3)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SweepConfig(_Model):
    """What is swept, and how well each point is measured.

    Attributes:
        parameters: Names; every parameter that acts in the base world where None.
        factors: On the base value; 1 is always measured.
        taste_noise: Shares of tastes that are replaced; 0 is always measured. Not swept if empty.
        seeds: Courses of luck, the same at every point.
        n_bootstrap: Resamples of the users, the same ones at every point.
        confidence: Of two-sided intervals and of one-sided bounds, at each point by itself.
    """

    parameters: tuple[str, ...] | None = None
    factors: tuple[Factor, ...] = (0.25, 0.5, 0.71, 1.41, 2.0, 4.0)
    taste_noise: tuple[Share, ...] = (0.1, 0.25, 0.5, 1.0)
    seeds: int = Field(default=3, ge=1)
    n_bootstrap: int = Field(default=2000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)

    @field_validator("parameters")
    @classmethod
    def _known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            parameter(name)
        return names


class MisspecificationReport(_Model):
    """All sweeps.

    Attributes:
        policy: Name of the policy.
        baseline: What it is compared with.
        n_users: Held-out users; the unit that is resampled.
        seeds: Courses of luck, the same at every point.
        confidence: Of intervals and bounds, at each point by itself.
        curves: One per parameter.
        departures: For each parameter and direction, where the gain is no longer shown, where it
            has become a loss, and where a limit is no longer shown to hold.
    """

    policy: str
    baseline: str
    n_users: int
    seeds: tuple[int, ...]
    confidence: float
    curves: tuple[Curve, ...]
    departures: tuple[Departure, ...]

    def curve(self, name: str) -> Curve:
        """The sweep of one parameter."""
        return next(c for c in self.curves if c.parameter == name)


def sweep(
    arena: Arena,
    policy: Entrant,
    baseline: Entrant,
    seed: int,
    config: SweepConfig | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> MisspecificationReport:
    """Vary one parameter after the other, and measure policy and baseline at each point.

    Args:
        arena: Held-out users and the limits, in the world that was assumed.
        policy: Learned there.
        baseline: Tuned there.
        seed: Root of the luck and of the resampling.
        config: What is swept, and the effort.
        workers: Processes; the report does not depend on it.
        progress: Called with work done and in all.

    Raises:
        InvalidValue: A parameter is not known, or both policies have one name.
    """
    entrants = [policy, baseline]
    require_names(entrants)
    config = config or SweepConfig()
    base = arena.world.config
    names = acting(base) if config.parameters is None else config.parameters
    plan = _plan(base, names, config)
    luck, resampling, tastes = np.random.SeedSequence(seed).spawn(3)
    seeds = tuple(int(s) for s in luck.generate_state(config.seeds))
    taste_seed = int(tastes.generate_state(1)[0])
    assumed = DrawnWorld(config=base, taste_noise=0.0, seed=taste_seed)
    worlds = [assumed, *(_world(assumed, name, at) for name, at in plan)]
    places = [Place(arena, world, seeds) for world in worlds]
    totals = play(places, entrants, workers, progress)
    paired = Paired(
        totals,
        entrants,
        baseline.name,
        [arena] * len(places),
        config.n_bootstrap,
        config.confidence,
        np.random.default_rng(resampling),
    )

    def point(number: int, name: str, at: float) -> Point:
        ours, theirs = paired.figures(number)
        world = worlds[number]
        return Point(
            at=at,
            value=world.taste_noise if name == TASTE_NOISE else value_of(world.config, name),
            ratio=ours.ratio,
            constraints=ours.constraints,
            baseline_constraints=theirs.constraints,
        )

    curves: list[Curve] = []
    for name in dict.fromkeys(name for name, _ in plan):
        neutral = 0.0 if name == TASTE_NOISE else 1.0
        points = [point(0, name, neutral)]
        points += [point(i + 1, name, at) for i, (n, at) in enumerate(plan) if n == name]
        points.sort(key=lambda p: p.at)
        unit = "share of tastes replaced" if name == TASTE_NOISE else parameter(name).unit
        curves.append(Curve(parameter=name, unit=unit, assumed=neutral, points=tuple(points)))
    return MisspecificationReport(
        policy=policy.name,
        baseline=baseline.name,
        n_users=len(arena),
        seeds=seeds,
        confidence=config.confidence,
        curves=tuple(curves),
        departures=tuple(d for curve in curves for d in departures(curve)),
    )


def _plan(base: WorldConfig, names: Sequence[str], config: SweepConfig) -> list[tuple[str, float]]:
    """Every point but the assumed one, with the factor that the parameter's bounds leave of it.

    Of factors that a bound makes equal only one is measured.
    """
    plan: list[tuple[str, float]] = []
    for name in names:
        known, value = parameter(name), value_of(base, name)
        seen = {value}
        # From the middle outwards, so that of equal points the smallest departure stays.
        for factor in sorted(set(config.factors) - {1.0}, key=lambda f: abs(np.log(f))):
            reached = known.bounded(factor * value)
            if reached not in seen:
                seen.add(reached)
                whole = reached == factor * value
                plan.append((name, factor if whole else reached / value))
    return plan + [(TASTE_NOISE, share) for share in sorted(set(config.taste_noise))]


def _world(assumed: DrawnWorld, name: str, at: float) -> DrawnWorld:
    """The assumed world with one thing changed."""
    if name == TASTE_NOISE:
        return assumed.model_copy(update={"taste_noise": at})
    return assumed.model_copy(update={"config": scaled(assumed.config, {name: at})})
