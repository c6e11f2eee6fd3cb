"""Everything about a policy's robustness in one report: data, tables and sentences."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..baselines import Entrant
from ..outcomes import Arena
from ..report import Interval
from .curves import Departure
from .held_out import (
    HeldOutConfig,
    HeldOutReport,
    Overall,
    WorldFigures,
    evaluate_elsewhere,
    evaluate_held_out,
)
from .misspecification import TASTE_NOISE, MisspecificationReport, SweepConfig, sweep
from .paired import EntrantFigures, Progress, position, require_names
from .randomise import WorldRanges


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RobustnessConfig(_Model):
    """What is asked, and with how much effort.

    Attributes:
        ranges: What held-out worlds are drawn from.
        held_out: Effort in each of them, and in those of other base models.
        sweep: Parameters, factors and effort.
        workers: Processes; the report does not depend on it.
    """

    ranges: WorldRanges = WorldRanges()
    held_out: HeldOutConfig = HeldOutConfig()
    sweep: SweepConfig = SweepConfig()
    workers: int = Field(default=1, ge=1)


class RobustnessReport(_Model):
    """How a policy does where the world is not the one it learned in.

    Attributes:
        policy: Its name.
        baseline: The policy that could serve otherwise.
        held_out: In worlds drawn around the one of the training.
        other_models: On candidates of other base models; None where none were given.
        misspecification: With one parameter at a time off its assumed value.
    """

    policy: str
    baseline: str
    held_out: HeldOutReport
    other_models: HeldOutReport | None
    misspecification: MisspecificationReport

    def findings(self) -> tuple[str, ...]:
        """What the figures say, in sentences."""
        lines = [*_of_worlds(self.held_out, self.policy, self.baseline)]
        for world in self.other_models.worlds if self.other_models else ():
            figures = world.of(self.policy)
            ends = (
                f"; {_limits(figures)}."
                if world.unreachable is None
                else (f"; no slates from these pools could hold the limits ({world.unreachable})")
            )
            lines.append(
                f"On {world.world}: ratio {_span(figures.ratio)} {_verdict(figures)}{ends}"
            )
        lines += _of_sweeps(self.misspecification)
        return tuple(lines)

    def markdown(self) -> str:
        """Sentences and tables."""
        parts = [
            f"# How robust {self.policy} is",
            "\n".join(f"- {line}" for line in self.findings()),
            "## Held-out worlds",
            _worlds_table(self.held_out.worlds),
        ]
        if self.other_models is not None:
            parts += ["## Candidates of other base models", _worlds_table(self.other_models.worlds)]
        parts += ["## One parameter off", _departures_table(self.misspecification)]
        return "\n\n".join(parts) + "\n"


def robustness_report(
    arena: Arena,
    entrants: Sequence[Entrant],
    policy: str,
    baseline: str,
    seed: int,
    config: RobustnessConfig | None = None,
    others: Mapping[str, Arena] | None = None,
    progress: Progress | None = None,
) -> RobustnessReport:
    """Measure a policy in held-out worlds, on other candidates, and with parameters off.

    Args:
        arena: Held-out users and the limits, in the world of the training.
        entrants: The policies to compare in held-out worlds.
        policy: Name of the one that is asked about.
        baseline: Name of the best one that could serve otherwise, such as
            ``EvaluationReport.best_baseline``.
        seed: Root of worlds, luck and resampling.
        config: Ranges and effort.
        others: Arenas of other base models by name; see `other_candidates.arena_on`.
        progress: Called with work done and in all.

    Raises:
        InvalidValue: A name is not one of the entrants', or a parameter is not known.
    """
    config = config or RobustnessConfig()
    tell = progress or (lambda done, total: None)
    require_names(entrants, policy, baseline)
    ours, theirs = (entrants[position(entrants, name)] for name in (policy, baseline))
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(3)]

    def part(number: int) -> Progress:
        """One of three equal parts of the whole."""
        return lambda done, total: tell(number * PART + PART * done // max(total, 1), 3 * PART)

    held_out = evaluate_held_out(
        arena, entrants, baseline, seeds[0], config.ranges, config.held_out, config.workers, part(0)
    )
    elsewhere = None
    if others:
        elsewhere = evaluate_elsewhere(
            dict(others), entrants, baseline, seeds[1], config.held_out, config.workers, part(1)
        )
    swept = sweep(arena, ours, theirs, seeds[2], config.sweep, config.workers, part(2))
    return RobustnessReport(
        policy=policy,
        baseline=baseline,
        held_out=held_out,
        other_models=elsewhere,
        misspecification=swept,
    )


PART = 1000
"""Units of progress of each of the three parts."""


def _of_worlds(report: HeldOutReport, policy: str, baseline: str) -> list[str]:
    found: Overall = report.of(policy)
    n = len(report.worlds)
    return [
        f"Over {n} drawn worlds the engagement of {policy} is {_span(found.ratio)} times that of "
        f"{baseline} ({report.confidence:.0%} interval for other users and worlds); at worst "
        f"{found.worst:.3f}.",
        f"It is shown to be better in {found.better_in} of the {n}, worse in {found.worse_in}, "
        f"and to hold every limit in {found.meets_in}.",
    ]


def _of_sweeps(report: MisspecificationReport) -> list[str]:
    """A sentence for each kind of departure; what is lost at the assumed world is said once."""
    lines: list[str] = []
    lost = [d for d in report.departures if d.gain_not_shown_at is not None]
    if any(d.gain_not_shown_at == _assumed(d) for d in lost):
        lines.append("No gain is shown in the assumed world itself, so none can be lost.")
    elif not lost:
        lines.append("The gain is shown at every point of every sweep.")
    else:
        named = ", ".join(_named(d, d.gain_not_shown_at) for d in lost)
        lines.append(f"The gain is no longer shown at {named}; elsewhere it is shown throughout.")
    losses = [_named(d, d.loss_shown_at) for d in report.departures if d.loss_shown_at is not None]
    if losses:
        lines.append(f"It has become a loss at {', '.join(losses)}.")
    broken = [d for d in report.departures if d.limit_not_shown_at is not None]
    if broken:
        named = ", ".join(
            f"{_named(d, d.limit_not_shown_at)} ({', '.join(d.limits)})" for d in broken
        )
        lines.append(f"A limit is not shown to hold at {named}.")
    else:
        lines.append("Every limit is shown to hold at every point of every sweep.")
    return lines


def _assumed(departure: Departure) -> float:
    return 0.0 if departure.parameter == TASTE_NOISE else 1.0


def _named(departure: Departure, at: float | None) -> str:
    """A point of a sweep in words, such as ``satiation.strength × 2``."""
    if departure.parameter == TASTE_NOISE:
        return f"{at:.0%} of tastes replaced"
    return f"{departure.parameter} × {at:g}"


def _verdict(figures: EntrantFigures) -> str:
    if figures.ratio.low > 1.0:
        return "(better)"
    return "(worse)" if figures.ratio.high < 1.0 else "(no difference was measured)"


def _limits(figures: EntrantFigures) -> str:
    missed = [c for c in figures.constraints if not c.met]
    if not missed:
        return "every limit is shown to hold"
    named = (f"{c.name} (upper bound of the violation {c.violation_ucb:+.4f})" for c in missed)
    return f"not shown to hold: {', '.join(named)}"


def _span(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _worlds_table(worlds: Sequence[WorldFigures]) -> str:
    head = ["world", "policy", "engagement", "ratio", "largest violation (upper bound)"]
    rows = [
        [
            world.world,
            entrant.name,
            _span(entrant.engagement),
            _span(entrant.ratio),
            f"{max((c.violation_ucb for c in entrant.constraints), default=float('nan')):+.4f}",
        ]
        for world in worlds
        for entrant in world.entrants
    ]
    return _table(head, rows)


def _departures_table(report: MisspecificationReport) -> str:
    head = ["parameter", "direction", "swept to", "no gain shown", "loss shown", "limit not shown"]
    rows = [
        [
            d.parameter,
            d.direction,
            f"{d.farthest:g}",
            *("–" if at is None else f"{at:g}" for at in (d.gain_not_shown_at, d.loss_shown_at)),
            "–" if d.limit_not_shown_at is None else f"{d.limit_not_shown_at:g}",
        ]
        for d in report.departures
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
