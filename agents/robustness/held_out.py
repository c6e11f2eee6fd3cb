"""Policies in worlds that none of them was made for.

Each world is drawn anew around the one that the policies were trained in, its users are held out,
and its luck is fresh. Within a world all policies meet the same users and the same luck.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...errors import UnreachableConstraint
from ...rerankers.feasibility import check_reachable
from ..baselines import Entrant
from ..outcomes import Arena, UserTotals
from ..report import Interval
from .overall import geometric_mean
from .paired import EntrantFigures, Paired, Place, Progress, play, require_names
from .randomise import DrawnWorld, WorldRanges, draw_worlds


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeldOutConfig(_Model):
    """How many worlds, and how well each is measured.

    Attributes:
        worlds: Drawn worlds; the interval over worlds is wide with few.
        seeds: Courses of luck in each.
        n_bootstrap: Resamples of the users.
        confidence: Of two-sided intervals and of one-sided bounds.
    """

    worlds: int = Field(default=10, ge=2)
    seeds: int = Field(default=5, ge=1)
    n_bootstrap: int = Field(default=2000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)


class WorldFigures(_Model):
    """All policies in one world.

    Attributes:
        world: Name for tables.
        changed: Factors on the parameters of the base world, of those that differ.
        drawn: The world, so that it can be made again.
        seeds: Courses of luck.
        n_users: Held-out users; the unit that is resampled.
        unreachable: Why no slates from these pools could hold the limits, if that is so.
        entrants: Figures of each policy.
    """

    world: str
    changed: dict[str, float]
    drawn: DrawnWorld
    seeds: tuple[int, ...]
    n_users: int
    unreachable: str | None
    entrants: tuple[EntrantFigures, ...]

    def of(self, name: str) -> EntrantFigures:
        """The figures of one policy."""
        return next(e for e in self.entrants if e.name == name)


class Overall(_Model):
    """One policy over all worlds.

    Attributes:
        name: Of the policy.
        ratio: Geometric mean over worlds of its engagement over the baseline's; the interval is for
            other users and other worlds of the same ranges.
        worst: Smallest ratio in any world.
        better_in: Worlds in which the interval of the ratio lies above 1.
        worse_in: Worlds in which it lies below 1.
        meets_in: Worlds in which every limit is shown to hold.
    """

    name: str
    ratio: Interval
    worst: float
    better_in: int
    worse_in: int
    meets_in: int


class HeldOutReport(_Model):
    """Policies compared in several worlds.

    Attributes:
        baseline: The policy that engagement is compared with, the same in every world.
        ranges: What the worlds were drawn from; None where they were not drawn.
        confidence: Level of intervals and bounds; of each, not of all together.
        n_bootstrap: Resamples.
        worlds: Each world.
        overall: Each policy over all worlds; empty where the worlds hold different users.
    """

    baseline: str
    ranges: WorldRanges | None
    confidence: float
    n_bootstrap: int
    worlds: tuple[WorldFigures, ...]
    overall: tuple[Overall, ...]

    def of(self, name: str) -> Overall:
        """One policy over all worlds."""
        return next(o for o in self.overall if o.name == name)


def evaluate_held_out(
    arena: Arena,
    entrants: Sequence[Entrant],
    baseline: str,
    seed: int,
    ranges: WorldRanges | None = None,
    config: HeldOutConfig | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> HeldOutReport:
    """Let every policy serve held-out users in worlds drawn around theirs.

    Args:
        arena: Held-out users and the limits, in the world of the training.
        entrants: The policies, the baseline among them.
        baseline: Name of the policy to compare with: the best one that could serve otherwise.
        seed: Root of the worlds, the luck and the resampling.
        ranges: What varies, and how much.
        config: Effort.
        workers: Processes; the report does not depend on it.
        progress: Called with work done and in all.

    Raises:
        InvalidValue: No policy has the baseline's name, or two have one name.
    """
    require_names(entrants, baseline)
    ranges, config = ranges or WorldRanges(), config or HeldOutConfig()
    for_worlds, for_luck, resampling = np.random.SeedSequence(seed).spawn(3)
    world_seed = int(for_worlds.generate_state(1)[0])
    drawn = draw_worlds(arena.world.config, ranges, config.worlds, world_seed)
    luck = for_luck.generate_state(config.worlds * config.seeds).reshape(config.worlds, -1)
    seeds = [tuple(int(s) for s in row) for row in luck]
    places = [Place(arena, one, own) for one, own in zip(drawn, seeds, strict=True)]
    names = [f"world {number + 1}" for number in range(len(places))]
    totals = play(places, entrants, workers, progress)
    rng = np.random.default_rng(resampling)
    paired = _paired(totals, places, entrants, baseline, config, rng)
    unreachable = why_unreachable(arena)  # the pools are the same in every world
    worlds = tuple(
        world_figures(name, place, paired.figures(number), unreachable)
        for number, (name, place) in enumerate(zip(names, places, strict=True))
    )
    return HeldOutReport(
        baseline=baseline,
        ranges=ranges,
        confidence=config.confidence,
        n_bootstrap=config.n_bootstrap,
        worlds=worlds,
        overall=tuple(_overall(e.name, paired, worlds, config.confidence) for e in entrants),
    )


def evaluate_elsewhere(
    arenas: dict[str, Arena],
    entrants: Sequence[Entrant],
    baseline: str,
    seed: int,
    config: HeldOutConfig | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> HeldOutReport:
    """The same in given arenas, such as those of other base models (`other_candidates`).

    They were not drawn, so nothing is said of others like them, and ``overall`` is empty.

    Args:
        arenas: Held-out users and limits by name; they may hold different users.
        entrants: The policies, the baseline among them.
        baseline: Name of the policy to compare with.
        seed: Root of the luck and the resampling.
        config: Effort; its number of worlds is not read.
        workers: Processes; the report does not depend on it.
        progress: Called with work done and in all.

    Raises:
        InvalidValue: No policy has the baseline's name, or two have one name.
    """
    require_names(entrants, baseline)
    config = config or HeldOutConfig()
    luck, resampling = np.random.SeedSequence(seed).spawn(2)
    seeds = tuple(int(s) for s in luck.generate_state(config.seeds))
    places = [
        Place(arena, DrawnWorld(config=arena.world.config, taste_noise=0.0, seed=0), seeds)
        for arena in arenas.values()
    ]
    totals = play(places, entrants, workers, progress)
    worlds: list[WorldFigures] = []
    for name, place, found in zip(arenas, places, totals, strict=True):
        rng = np.random.default_rng(resampling)
        paired = _paired([found], [place], entrants, baseline, config, rng)
        unreachable = why_unreachable(place.arena)
        worlds.append(world_figures(name, place, paired.figures(0), unreachable))
    return HeldOutReport(
        baseline=baseline,
        ranges=None,
        confidence=config.confidence,
        n_bootstrap=config.n_bootstrap,
        worlds=tuple(worlds),
        overall=(),
    )


def world_figures(
    name: str, place: Place, entrants: tuple[EntrantFigures, ...], unreachable: str | None
) -> WorldFigures:
    """What is reported of one world."""
    return WorldFigures(
        world=name,
        changed=place.drawn.changed(place.arena.world.config),
        drawn=place.drawn,
        seeds=place.seeds,
        n_users=len(place.arena),
        unreachable=unreachable,
        entrants=entrants,
    )


def why_unreachable(arena: Arena) -> str | None:
    """Why no slates from the pools could hold the limits; None where some can."""
    world = arena.world
    try:
        check_reachable(world.pools, arena.constraints, world.catalogue, world.config.slate_size)
    except UnreachableConstraint as error:
        return str(error)
    return None


def _paired(
    totals: Sequence[Sequence[UserTotals]],
    places: Sequence[Place],
    entrants: Sequence[Entrant],
    baseline: str,
    config: HeldOutConfig,
    rng: np.random.Generator,
) -> Paired:
    arenas = [place.arena for place in places]
    return Paired(totals, entrants, baseline, arenas, config.n_bootstrap, config.confidence, rng)


def _overall(
    name: str, paired: Paired, worlds: Sequence[WorldFigures], confidence: float
) -> Overall:
    figures = [world.of(name) for world in worlds]
    return Overall(
        name=name,
        ratio=geometric_mean(*paired.log_ratios(name), confidence),
        worst=min(f.ratio.value for f in figures),
        better_in=sum(f.ratio.low > 1.0 for f in figures),
        worse_in=sum(f.ratio.high < 1.0 for f in figures),
        meets_in=sum(f.meets_constraints for f in figures),
    )
