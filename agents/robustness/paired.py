"""Several policies in several worlds: on the same users, the same luck, and the same resamples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...arrays import FloatArray
from ...errors import InvalidValue
from ...metrics.bootstrap import bootstrap_sums, interval
from ..baselines import Entrant
from ..constraints.figures import gap_columns, gap_figures, slate_figures
from ..constraints.user_groups import UserGaps
from ..outcomes import Arena, MakePolicy, UserTotals, run
from ..parallel import run_jobs
from ..report import ConstraintFigure, Interval, Kind
from .randomise import DrawnWorld

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Some users, the world they are put into, and the luck they meet there.

    Attributes:
        arena: Users and limits in the base world.
        drawn: The world.
        seeds: Courses of luck; figures are means over them.
    """

    arena: Arena
    drawn: DrawnWorld
    seeds: tuple[int, ...]

    def enter(self) -> Arena:
        """The users in that world. Their pools are the same, so what is gathered of them stays."""
        return replace(self.arena, world=self.drawn.of(self.arena.world))


@dataclass(frozen=True)
class _Play:
    """All policies at one place; a job for a worker process."""

    place: Place
    makes: tuple[MakePolicy, ...]

    def __call__(self, progress: Progress) -> list[UserTotals]:
        """Simulate them one after the other, on the same luck."""
        arena, totals = self.place.enter(), list[UserTotals]()
        for make in self.makes:
            totals.append(run(arena, make, self.place.seeds))
            progress(len(totals), len(self.makes))
        return totals


def play(
    places: Sequence[Place],
    entrants: Sequence[Entrant],
    workers: int = 1,
    progress: Progress | None = None,
) -> list[list[UserTotals]]:
    """What every policy brings every user at every place: a list of policies for each place.

    Args:
        places: The worlds.
        entrants: The policies; each is made anew for every simulation.
        workers: Processes; what comes out does not depend on it.
        progress: Called with work done and in all.
    """
    makes = tuple(entrant.make for entrant in entrants)
    jobs = [_Play(place, makes) for place in places]
    return run_jobs(jobs, workers, progress or (lambda done, total: None))


class EntrantFigures(BaseModel):
    """One policy in one world.

    Attributes:
        name: Of the policy.
        kind: Baseline, learned, or reference.
        engagement: Expected satisfaction summed over clicks, per user over the horizon.
        ratio: Engagement over that of the baseline it is compared with, paired on users and luck.
        slates: Slates per user over the horizon.
        constraints: Every limit, with an upper bound of its violation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    engagement: Interval
    ratio: Interval
    slates: Interval = Field(description="per user over the horizon")
    constraints: tuple[ConstraintFigure, ...]

    @property
    def meets_constraints(self) -> bool:
        """Whether every upper bound of a violation is at or below 0."""
        return all(c.met for c in self.constraints)

    @property
    def breaks_no_constraint(self) -> bool:
        """Whether every point estimate is at its floor or above; the weaker statement."""
        return all(c.violation <= 0.0 for c in self.constraints)


class Paired:
    """Figures from resampling users, the same ones for every policy and every world.

    Args:
        totals: Of each policy in each world, all of the same ``U`` users.
        entrants: The policies.
        baseline: Name of the one that engagement is compared with.
        arenas: Limits in each world.
        n_bootstrap: Resamples ``B``.
        confidence: Of two-sided intervals and one-sided bounds.
        rng: Source of the resamples.
    """

    def __init__(
        self,
        totals: Sequence[Sequence[UserTotals]],
        entrants: Sequence[Entrant],
        baseline: str,
        arenas: Sequence[Arena],
        n_bootstrap: int,
        confidence: float,
        rng: np.random.Generator,
    ) -> None:
        self._baseline = position(entrants, baseline)
        self._entrants, self._arenas, self._confidence = entrants, arenas, confidence
        table = np.stack(
            [
                np.stack([_columns(t, arena.gaps) for t in world])
                for world, arena in zip(totals, arenas, strict=True)
            ]
        )
        self._means = table.mean(axis=2)
        n_users, shape = table.shape[2], self._means.shape
        flat = table.transpose(2, 0, 1, 3).reshape(n_users, -1)
        sums = bootstrap_sums(flat, n_bootstrap, rng)
        self._resampled = (sums / n_users).reshape(-1, *shape)

    def figures(self, world: int) -> tuple[EntrantFigures, ...]:
        """Every policy in one world."""
        return tuple(self._of(world, number) for number in range(len(self._entrants)))

    def log_ratios(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Log of a policy's engagement over the baseline's in each world.

        Returns:
            The estimates, shape ``(W,)``, and those from resampled users, shape ``(B, W)``.
        """
        number = position(self._entrants, name)
        estimate = np.log(self._means[:, :, _ENGAGEMENT])
        resampled = np.log(self._resampled[:, :, :, _ENGAGEMENT])
        return (
            estimate[:, number] - estimate[:, self._baseline],
            resampled[:, :, number] - resampled[:, :, self._baseline],
        )

    def _of(self, world: int, number: int) -> EntrantFigures:
        means, resampled = self._means[world], self._resampled[:, world]
        entrant, other = self._entrants[number], self._baseline
        engagement, slates = means[:, _ENGAGEMENT], resampled[:, number, _SLATES]
        return EntrantFigures(
            name=entrant.name,
            kind=entrant.kind,
            engagement=self._interval(engagement[number], resampled[:, number, _ENGAGEMENT]),
            ratio=self._interval(
                engagement[number] / engagement[other],
                resampled[:, number, _ENGAGEMENT] / resampled[:, other, _ENGAGEMENT],
            ),
            slates=self._interval(means[number, _SLATES], slates),
            constraints=self._constraints(self._arenas[world], means[number], resampled[:, number]),
        )

    def _constraints(
        self, arena: Arena, means: FloatArray, resampled: FloatArray
    ) -> tuple[ConstraintFigure, ...]:
        of_groups = _LEVELS + len(arena.targets)
        return (
            *slate_figures(
                arena.constraints,
                means[_LEVELS:of_groups] / means[_SLATES],
                resampled[:, _LEVELS:of_groups] / resampled[:, _SLATES, None],
                self._confidence,
            ),
            *gap_figures(
                arena.gaps,
                means[of_groups:],
                means[_ENGAGEMENT],
                resampled[:, of_groups:],
                resampled[:, _ENGAGEMENT],
                self._confidence,
            ),
        )

    def _interval(self, value: float, replicates: FloatArray) -> Interval:
        low, high = interval(replicates, self._confidence)
        return Interval(value=float(value), low=float(low), high=float(high))


_ENGAGEMENT, _SLATES, _LEVELS = range(3)


def _columns(totals: UserTotals, gaps: UserGaps) -> FloatArray:
    """What is resampled of one policy in one world, shape ``(U, 2 + C + 2G)``."""
    sums = np.stack([totals.expected_engagement, totals.slates], axis=1)
    of_groups = gap_columns(gaps, totals.expected_engagement)
    return np.concatenate([sums, totals.measured, of_groups], axis=1)


def require_names(entrants: Sequence[Entrant], *names: str) -> None:
    """Refuse before any work is done what no table could be made of.

    Raises:
        InvalidValue: A name is not that of one policy alone, or two policies have one name.
    """
    for name in (*names, *(entrant.name for entrant in entrants)):
        position(entrants, name)


def position(entrants: Sequence[Entrant], name: str) -> int:
    """Where the policy of that name stands.

    Raises:
        InvalidValue: None has that name, or more than one.
    """
    names = [entrant.name for entrant in entrants]
    if names.count(name) != 1:
        raise InvalidValue(
            f"{names.count(name)} policies named {name!r}",
            field="entrants",
            mend=f"Name one of {', '.join(sorted(set(names)))}, each once.",
        )
    return names.index(name)
