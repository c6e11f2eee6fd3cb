"""What a simulation came to, as data."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from ..agents.report import Interval
from ..simulators.config import WorldConfig


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SimulatedFigure(_Model):
    """One figure of one policy.

    Attributes:
        name: Name of the figure.
        of: Groups it is about, ``attribute=group``; empty where it is about all.
        meaning: One line, with its unit.
        value: Over all users; None where nothing was there to measure.
        difference: To the same figure of the first policy, for the same users on the same luck;
            None for the first policy itself.
        p_value: Chance of such a difference by chance alone, adjusted by Holm over all figures of
            the policy; None for the first policy itself.
    """

    name: str
    of: str
    meaning: str
    value: Interval | None
    difference: Interval | None = None
    p_value: float | None = None


class SimulatedPolicy(_Model):
    """One policy.

    Attributes:
        name: As it was asked for.
        what: What it is: its settings, or a sentence.
        slates: Slates that were shown.
        stochastic: Share of them that were drawn by chance.
        log: The impression log; None where none was wanted.
        figures: Every figure.
    """

    name: str
    what: str | dict[str, Any]
    slates: int
    stochastic: float
    log: str | None
    figures: tuple[SimulatedFigure, ...]

    def figure(self, name: str, of: str = "") -> SimulatedFigure:
        """The figure of that name.

        Raises:
            KeyError: There is none.
        """
        for figure in self.figures:
            if (figure.name, figure.of) == (name, of):
                return figure
        raise KeyError(name)


class SimulationReport(_Model):
    """Policies that served the same users on the same luck.

    Attributes:
        data: Where users and items are from.
        users: Users simulated.
        episodes: Lives that each of them went through.
        k: Slate length.
        seed: Root of the users' luck and of the policies' draws.
        world_seed: What decided hidden tastes and sensitivities.
        world: All parameters of the world.
        engine: Which engine moved the users on, ``compiled`` or ``numpy``; they differ in rounding.
        replicates: Resamples of the users behind each interval.
        confidence: Of the intervals.
        policies: In the order in which they were asked for; differences are to the first.
    """

    data: str
    users: int
    episodes: int
    k: int
    seed: int
    world_seed: int
    world: WorldConfig
    engine: str
    replicates: int
    confidence: float
    policies: tuple[SimulatedPolicy, ...]
