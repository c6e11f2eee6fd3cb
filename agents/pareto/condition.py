"""Condition a trained policy on ranges of targets: calibrate a grid, and look between its nodes.

Each node is calibrated as any policy is (`agents.calibration.calibrate`): the knobs of its limits
are turned on validation users until every level lies above its target by a margin. It starts from
the nearest node that is done, so that neighbours follow each other and what lies between them can
be interpolated: first the corners of the range, then the nodes within from what lies between the
corners. Where training users are given, a short search moves all weights at each corner, and what
it found is kept where it raises engagement on the validation users. Last, the middle of every cell
is simulated; where a level falls short of its aim there, a plane of nodes is put through it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...errors import InvalidValue
from ..baselines import weight_units
from ..calibration import CalibrationConfig
from ..outcomes import Arena
from ..policy import WeightPolicy
from ..search import SearchConfig
from .conditioned import Axis, ConditionedPolicy
from .corners import search_offsets
from .dials import dials, require_dial
from .grid import Grid, Node, Solver, Target
from .report import CellFigures, ConditionReport

Progress = Callable[[int, int], None]
Ranges = Mapping[str, tuple[float, float]]
"""Lowest and highest target by name of the limit; see `dials.dials`."""


class ConditionConfig(BaseModel):
    """How fine the grid is, and what may be spent on its corners.

    Attributes:
        nodes: Targets of each dial to begin with, ends included.
        planes: Planes of nodes added at most, where levels fall short between nodes.
        tolerance: Shortfall of an aim between nodes that is let pass; aims have a margin.
        most_nodes: Nodes at most; each takes a calibration.
        search: Budget of the search at each corner.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nodes: int = Field(default=4, ge=2)
    planes: int = Field(default=2, ge=0)
    tolerance: float = Field(default=0.003, gt=0.0)
    most_nodes: int = Field(default=128, ge=4)
    search: SearchConfig = SearchConfig(steps=300_000, spread=0.5)


NEARER = 0.3
"""How far a search begins from a policy that expects rewards, as a share of the usual: it is good
at any target already, and far from it there is nothing to be found."""


@dataclass(frozen=True, slots=True)
class Conditioned:
    """The policy for a range of targets, and how it was made."""

    policy: ConditionedPolicy
    report: ConditionReport


def condition(
    policy: WeightPolicy,
    validation: Arena,
    ranges: Ranges,
    n_test: int,
    seed: int,
    calibration: CalibrationConfig | None = None,
    config: ConditionConfig | None = None,
    training: Arena | None = None,
    progress: Progress | None = None,
) -> Conditioned:
    """Make a policy for every target in a box.

    It takes ``nodes ** D`` calibrations for ``D`` dials; with ``training`` also a search and one
    more calibration for each of the ``2 ** D`` corners.

    Args:
        policy: What was trained, for targets in the range or near it.
        validation: Users to calibrate on, under the policy's limits.
        ranges: Lowest and highest target of each dial.
        n_test: Users on whom the limits shall be shown to hold.
        seed: Root of the users' luck and of the searches.
        calibration: Margins and effort at each node.
        config: Size of the grid and budget of the corners.
        training: Users for the searches; without them only the knobs of the limits are turned.
        progress: Called with pieces of work done and in all; more may come up on the way.

    Raises:
        InvalidValue: A range names no limit or is none, or the grid would have too many nodes.
    """
    config = config or ConditionConfig()
    calibration = calibration or CalibrationConfig(choice_seeds=6)
    axes = axes_of(policy, ranges, config)
    streams = np.random.SeedSequence(seed).spawn(3)
    unit_seed, node_seed, corner_seed = (int(s.generate_state(1)[0]) for s in streams)
    units = weight_units(validation.answered_by(policy.response), unit_seed)
    names = tuple(axis.name for axis in axes)
    solver = Solver(policy, validation, units, names, n_test, node_seed, calibration)
    work = _Work(config.nodes ** len(axes), progress)

    grid, gain = Grid(solver, corners_of(axes), work.done), None
    grid.fill()
    if training is not None:
        plain = dict(grid.nodes)
        nearer = NEARER if policy.response is not None else 1.0
        search = config.search.model_copy(update={"spread": nearer * config.search.spread})
        _move(grid, training, corner_seed, search, work)
        gain = _gain(grid.nodes, plain)
    corners = grid.policy()
    grid.axes = axes
    grid.fill(lambda target: corners.offsets_at(np.array(target)))
    grid.share()
    cells = _refined(grid, config, work)
    report = ConditionReport(
        nodes=tuple(node.figures for node in grid.in_order()),
        cells=cells,
        gain=gain,
        steps=work.steps,
    )
    return Conditioned(grid.policy(), report)


def axes_of(policy: WeightPolicy, ranges: Ranges, config: ConditionConfig) -> tuple[Axis, ...]:
    """The dials, in the order of the limits, with evenly spread nodes.

    Raises:
        InvalidValue: A range names no limit or is none, or the grid would have too many nodes.
    """
    known = dials(policy.constraints)
    for name in ranges:
        require_dial(name, known)
    if not ranges or config.nodes ** len(ranges) > config.most_nodes:
        raise InvalidValue(
            f"{len(ranges)} dials with {config.nodes} nodes each make "
            f"{config.nodes ** len(ranges) if ranges else 0} nodes",
            field="ranges",
            mend=f"Ask for at least one dial and {config.most_nodes} nodes at most: fewer dials, "
            "fewer nodes, or a larger most_nodes.",
        )
    return tuple(
        Axis(name, _spread(*ranges[name], config.nodes)) for name in known if name in ranges
    )


def _spread(low: float, high: float, n: int) -> tuple[float, ...]:
    """Evenly spread nodes; the ends are exactly what was asked for."""
    within = np.linspace(low, high, n)[1:-1]
    return (float(low), *np.round(within, 6).tolist(), float(high))


def corners_of(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The same dials with their ends alone."""
    return tuple(Axis(axis.name, (axis.low, axis.high)) for axis in axes)


def _move(grid: Grid, training: Arena, seed: int, search: SearchConfig, work: "_Work") -> None:
    """Search all weights at every node, the strictest first, and keep what helps."""
    solver, targets = grid.solver, grid.strictest_first(list(grid.nodes))
    work.expect(2 * len(targets))
    seeds = np.random.SeedSequence(seed).generate_state(len(targets))
    for target, root in zip(targets, seeds, strict=True):
        grid.share()  # what a stricter corner found is a start for the looser ones
        before = grid.nodes[target]
        begin = solver.policy.with_offsets(before.offsets)
        arena = solver.arena(target, training)
        found = search_offsets(
            begin, arena, before.aims, solver.size(before.offsets), int(root), search
        )
        work.done(found.steps)
        grid.improve(target, found.offsets)
    grid.share()


def _gain(moved: Mapping[Target, Node], plain: Mapping[Target, Node]) -> float:
    """Mean ratio of engagement over the corners that both hold; 1 where there are none."""
    pairs = [(moved[target].figures, node.figures) for target, node in plain.items()]
    ratios = [m.engagement / p.engagement for m, p in pairs if m.held and p.held and p.engagement]
    return float(np.mean(ratios)) if ratios else 1.0


def _refined(grid: Grid, config: ConditionConfig, work: "_Work") -> tuple[CellFigures, ...]:
    """Put planes through the cells that fall short most; figures of the cells that remain."""
    for _ in range(config.planes):
        cells = grid.look_between()
        worst = max(cells, key=lambda cell: cell.figures.shortfall, default=None)
        if worst is None or worst.figures.shortfall <= config.tolerance:
            break
        dial = grid.dial_of(worst)
        more = len(grid.nodes) // len(grid.axes[dial].nodes)
        if len(grid.nodes) + more > config.most_nodes:
            break
        work.expect(more)
        grid.split(dial, worst)
    return tuple(cell.figures for cell in grid.look_between())


class _Work:
    """Counts user-steps and pieces of work, and tells how far it is."""

    def __init__(self, pieces: int, progress: Progress | None) -> None:
        self.steps = 0
        self._done, self._total, self._progress = 0, pieces, progress

    def expect(self, pieces: int) -> None:
        """There is more to do."""
        self._total += pieces

    def done(self, steps: int, pieces: int = 1) -> None:
        """So many user-steps were spent on so many pieces."""
        self.steps += steps
        self._done += pieces
        if self._progress is not None:
            self._progress(self._done, self._total)
