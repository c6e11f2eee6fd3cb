"""A sweep as data, and the departures at which what was found no longer holds."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..report import ConstraintFigure, Interval

Direction = Literal["less", "more"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Point(_Model):
    """Policy and baseline where one parameter differs.

    Attributes:
        at: Factor on the base value, as far as the parameter's bounds allow; or share of tastes
            that is replaced.
        value: What the parameter was.
        ratio: The policy's engagement over the baseline's.
        constraints: The policy's limits, with upper bounds of their violation.
        baseline_constraints: The baseline's.
    """

    at: float
    value: float
    ratio: Interval
    constraints: tuple[ConstraintFigure, ...]
    baseline_constraints: tuple[ConstraintFigure, ...]


class Curve(_Model):
    """One sweep.

    Attributes:
        parameter: Name.
        unit: What its value counts.
        assumed: Value of ``at`` where nothing differs: 1 for factors, 0 for shares.
        points: In ascending order of ``at``, what was assumed among them.
    """

    parameter: str
    unit: str
    assumed: float
    points: tuple[Point, ...]


class Departure(_Model):
    """What happens as a parameter moves away from what was assumed, in one direction.

    Each figure is the first *measured* point, counted from what was assumed, at which it is so; the
    change lies between this point and the one before it. None where it does not happen within the
    sweep.

    Attributes:
        parameter: Name.
        direction: Whether the parameter is smaller or larger than assumed.
        farthest: Last point of the sweep in that direction.
        gain_not_shown_at: The interval of the ratio no longer lies above 1. What was assumed itself
            where no gain is shown even there.
        loss_shown_at: The interval lies below 1.
        limit_not_shown_at: The upper bound of some violation is above 0; what was assumed itself
            where a limit is not shown to hold even there.
        limits: Which limits those are, at that point.
    """

    parameter: str
    direction: Direction
    farthest: float
    gain_not_shown_at: float | None
    loss_shown_at: float | None
    limit_not_shown_at: float | None
    limits: tuple[str, ...]


def departures(curve: Curve) -> tuple[Departure, ...]:
    """One for each direction that was swept."""
    less = [p for p in reversed(curve.points) if p.at <= curve.assumed]
    more = [p for p in curve.points if p.at >= curve.assumed]
    sides: tuple[tuple[Direction, list[Point]], ...] = (("less", less), ("more", more))
    return tuple(
        _departure(curve.parameter, direction, points)
        for direction, points in sides
        if len(points) > 1
    )


def _departure(parameter: str, direction: Direction, points: list[Point]) -> Departure:
    """Along points that begin at what was assumed and move away from it."""
    # `not … >` rather than `<=`: an interval that is not a number shows nothing.
    gain = _first(points, lambda p: not p.ratio.low > 1.0)
    loss = _first(points, lambda p: p.ratio.high < 1.0)
    broken = _first(points, lambda p: not all(c.met for c in p.constraints))
    names = () if broken is None else tuple(c.name for c in broken.constraints if not c.met)
    return Departure(
        parameter=parameter,
        direction=direction,
        farthest=points[-1].at,
        gain_not_shown_at=None if gain is None else gain.at,
        loss_shown_at=None if loss is None else loss.at,
        limit_not_shown_at=None if broken is None else broken.at,
        limits=names,
    )


def _first(points: list[Point], holds: Callable[[Point], bool]) -> Point | None:
    return next((point for point in points if holds(point)), None)
