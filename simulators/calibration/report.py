"""The calibration report: what was fitted, where the simulation misses, what is not known."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..config import WorldConfig
from .findings import Finding

Verdict = Literal["no difference beyond chance", "small difference", "misses"]


FEW_CLICKS = 500
"""Held-out clicks below which the report says how little they show."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Examined(_Model):
    """How often a position is looked at, relative to position 1.

    Attributes:
        value: The estimate.
        low: Lower end of its 95% interval; None where it is not known.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None


class PositionRow(_Model):
    """One position.

    Attributes:
        position: From 1.
        shown: Impressions.
        clicked: Clicks.
        examination: By method.
        curve: What the simulator will have there.
    """

    position: int
    shown: int
    clicked: int
    examination: dict[str, Examined]
    curve: float


class Compared(_Model):
    """One figure, simulated beside held-out.

    Attributes:
        name: Such as ``ctr_by_position``.
        title: In words.
        axis: What ``x`` is.
        unit: What ``real`` and ``simulated`` are.
        kind: ``by group``: a mean per group. ``distribution``: shares of observations by value.
            ``rank``: shares of the total, the largest first.
        x: Groups, values or ranks.
        real: Held-out data, by ``x``.
        low: Lower ends of 95% intervals of ``real``, where there are any.
        high: Upper ends.
        simulated: The fitted simulation, by ``x``.
        n: Held-out observations.
        distance_name: What is measured between both.
        distance: On all of both.
        stand_in: Mean distance of a real half from the simulated other half.
        floor: Mean distance of two real halves: the noise floor.
        floor_high: Its 95th percentile.
        from_runs: Mean distance of the held-out data from runs of the simulation with parameters
            drawn from what the fit leaves open.
        runs_high: Largest mean distance of such a run from the others.
        verdict: ``misses`` where the stand-in is above the floor's 95th percentile: users differ
            less from other users than from the simulated ones. ``small difference`` where only
            ``from_runs`` is above ``runs_high``: the real data are no run of this simulation.
        remark: What a reader should know.
    """

    name: str
    title: str
    axis: str
    unit: str
    kind: Literal["by group", "distribution", "rank"]
    x: tuple[float, ...]
    real: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    simulated: tuple[float | None, ...]
    n: int
    distance_name: str
    distance: float
    stand_in: float
    floor: float
    floor_high: float
    from_runs: float
    runs_high: float
    verdict: Verdict
    remark: str = ""


class CalibrationReport(_Model):
    """A fit, and how well what it simulates agrees with data that it has not seen.

    Attributes:
        data: Where the data are from.
        kind: ``impressions`` or ``ratings``.
        rows: Impressions or ratings, all of them.
        clicks: Clicks among them; None for ratings.
        users: Users; None where nobody is named.
        items: Items with at least one row.
        positions: Positions of a page; 0 for ratings.
        held_out: Rows that the compared fit has not seen.
        held_out_how: How they were chosen.
        held_out_clicks: Clicks among them; None for ratings.
        seed: Of splits and simulation.
        world: The configuration that the data say, defaults included.
        findings: Where each of its numbers comes from.
        position: What is known of each position.
        position_notes: How far the estimates agree, and why one is missing.
        compared: Simulated beside held-out.
        not_compared: Figures that these data cannot show, and why.
        notes: What else a reader has to know.
        files: What was written.
    """

    data: str
    kind: Literal["impressions", "ratings"]
    rows: int
    clicks: int | None
    users: int | None
    items: int
    positions: int
    held_out: int
    held_out_how: str
    held_out_clicks: int | None
    seed: int
    world: WorldConfig
    findings: tuple[Finding, ...]
    position: tuple[PositionRow, ...]
    position_notes: tuple[str, ...]
    compared: tuple[Compared, ...]
    not_compared: dict[str, str]
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def misses(self) -> tuple[Compared, ...]:
        """Where the simulation is further from held-out users than these are from each other."""
        return tuple(one for one in self.compared if one.verdict == "misses")

    @property
    def verdict(self) -> str:
        """The outcome in a few sentences."""
        if not self.compared:
            return "Nothing could be compared with held-out data."
        n = len(self.compared)
        small = [one.title for one in self.compared if one.verdict == "small difference"]
        told: list[str] = []
        if self.misses:
            names = "; ".join(one.title for one in self.misses)
            told.append(f"The simulation misses {len(self.misses)} of {n} figures: {names}.")
        if small:
            told.append(
                f"{len(small)} of {n} differ by less than users differ among themselves, but more "
                f"than chance allows: {'; '.join(small)}."
            )
        rest = n - len(self.misses) - len(small)
        if rest:
            which = f"All {n} figures" if rest == n else f"The other {rest}"
            verb = "agrees" if rest == 1 else "agree"
            told.append(f"{which} {verb} with held-out data as far as chance lets one see.")
        if self.held_out_clicks is not None and self.held_out_clicks < FEW_CLICKS:
            told.append(f"With {self.held_out_clicks} held-out clicks, chance lets one see little.")
        return " ".join(told)
