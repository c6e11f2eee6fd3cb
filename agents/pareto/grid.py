"""A grid of calibrated targets that grows where the levels between its nodes fall short."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ...arrays import FloatArray
from ...simulators.gaps import constraint_targets
from ..calibration import CalibrationConfig, calibrate, margins
from ..jobs import Serve, Turn
from ..outcomes import Arena, run
from ..policy import WeightPolicy, size_of
from .conditioned import Axis, ConditionedPolicy
from .dials import dials, midpoints, retargeted
from .report import CellFigures, NodeFigures

Target = tuple[float, ...]
"""A target for each dial, in the order of the axes."""

Done = Callable[[int, int], None]
"""Takes user-steps and pieces of work."""

StartAt = Callable[[Target], FloatArray]
"""Where the calibration of a target begins: offsets ``(A,)``."""


@dataclass(frozen=True)
class Solver:
    """Calibrates one policy for one target, on the same luck for all targets.

    Attributes:
        policy: What was trained.
        validation: The users to calibrate on.
        units: Weight that moves the score by one standard deviation, shape ``(A,)``.
        names: Names of the dials.
        n_test: Users on whom the limits shall be shown to hold.
        seed: Root of the users' luck.
        calibration: Margins and effort.
    """

    policy: WeightPolicy
    validation: Arena
    units: FloatArray
    names: tuple[str, ...]
    n_test: int
    seed: int
    calibration: CalibrationConfig

    def arena(self, target: Target, users: Arena | None = None) -> Arena:
        """Users (those of the validation by default) under the limits of a target."""
        arena = self.validation if users is None else users
        constraints = retargeted(arena.constraints, self.named(target))
        made = Arena.of(arena.world, constraints, arena.user_groups)
        return made.answered_by(self.policy.response)

    def named(self, target: Target) -> dict[str, float]:
        """A target by name."""
        return dict(zip(self.names, target, strict=True))

    def least(self, target: Target) -> FloatArray:
        """Least level of each limit under a target, shape ``(C,)``."""
        return constraint_targets(retargeted(self.policy.constraints, self.named(target)))

    def at(self, target: Target, start: FloatArray) -> "Node":
        """Turn the knobs of the limits from offsets ``start`` on, ``(A,)``."""
        arena, calibration = self.arena(target), self.calibration
        # What `Turn` sets are offsets from where it starts, so that is moved into the centre.
        turn = Turn(self._shifted(arena, start), self.size(start))
        end = calibrate(turn, arena, self.n_test, self.seed, calibration)
        # Nodes are compared, and by as little as a percent: on more luck than calibration needs.
        served, fresh = turn(end.knobs), np.random.SeedSequence([self.seed, 1])
        seen = run(arena, served, [int(s) for s in fresh.generate_state(calibration.choice_seeds)])
        figures = NodeFigures(
            targets=self.named(target),
            held=end.held and arena.within_gaps(seen),
            engagement=float(seen.expected_engagement.mean()),
            steps=end.steps + seen.n_slates,
        )
        offsets = self._least(start + served.policy.offsets)
        return Node(offsets.astype(np.float32), end.aims, figures)

    def look(self, target: Target, offsets: FloatArray) -> "Cell":
        """Levels of given offsets against target and margin."""
        arena = self.arena(target)
        policy = self._shifted(arena, offsets)
        seeds = np.random.SeedSequence(self.seed).generate_state(self.calibration.seeds)
        totals = run(arena, Serve(policy), [int(s) for s in seeds])
        bound = arena.targets > 0
        over = np.where(bound, totals.levels() - arena.targets, np.inf)
        short = np.where(bound, margins(totals, self.n_test, self.calibration), 0.0) - over
        figures = CellFigures(
            targets=self.named(target),
            shortfall=float(short.max()),
            violation=float((-over).max()),
        )
        return Cell(figures, short, totals.n_slates)

    def size(self, offsets: FloatArray) -> FloatArray:
        """Units for the size of the policy's weights under some offsets, shape ``(A,)``.

        Far from where it was trained weights may be several times as large, and so must be steps.
        """
        return self.units * size_of(self.policy.centre + offsets, self.units)

    def _shifted(self, arena: Arena, offsets: FloatArray) -> WeightPolicy:
        """The policy with other offsets, which stand in its centre."""
        none = np.zeros(self.policy.n_actions, np.float32)
        centre = (self.policy.centre + offsets).astype(np.float32)
        return replace(self.policy, constraints=arena.constraints, centre=centre, offsets=none)

    def _least(self, offsets: FloatArray) -> FloatArray:
        """No diversity below 0 is no diversity: more would only bend what is interpolated."""
        policy = self.policy
        offsets = offsets.copy()
        offsets[-1] = max(offsets[-1], -float(policy.centre[-1] + policy.reach[-1]))
        return offsets


@dataclass(frozen=True, slots=True)
class Node:
    """A calibrated target: offsets ``(A,)``, the aims ``(C,)`` they reach, and figures."""

    offsets: FloatArray
    aims: FloatArray
    figures: NodeFigures

    @property
    def rank(self) -> tuple[bool, float]:
        """Holding the limits counts first, then engagement."""
        return self.figures.held, self.figures.engagement


@dataclass(frozen=True, slots=True)
class Cell:
    """The middle of a cell: figures, the shortfall of each limit ``(C,)``, user-steps spent."""

    figures: CellFigures
    short: FloatArray
    steps: int


class Grid:
    """Nodes by target, and the axes they stand on.

    Args:
        solver: Calibrates a node.
        axes: The dials; together they span the nodes.
        done: Called with the user-steps of each calibration, or look, and its pieces of work.
        nodes: Nodes that are known already.
    """

    def __init__(
        self,
        solver: Solver,
        axes: tuple[Axis, ...],
        done: Done,
        nodes: dict[Target, Node] | None = None,
    ) -> None:
        self.solver, self.axes, self._done = solver, axes, done
        self.nodes: dict[Target, Node] = dict(nodes or {})

    def fill(self, start_at: StartAt | None = None) -> None:
        """Calibrate every node that is missing, from the middle of those known outwards.

        Args:
            start_at: Offsets to begin with; those of the nearest node that is done by default.
        """
        missing = [t for t in targets_of(self.axes) if t not in self.nodes]
        for target in sorted(missing, key=lambda t: self._distance(t, self._own)):
            start = self._nearest(target) if start_at is None else start_at(target)
            self.nodes[target] = self.solver.at(target, start)
            self._done(self.nodes[target].figures.steps, 1)

    def improve(self, target: Target, start: FloatArray) -> None:
        """Calibrate a known node again from other offsets; the better of the two is kept."""
        found = self.solver.at(target, start)
        self._done(found.figures.steps, 1)
        self.nodes[target] = max(self.nodes[target], found, key=lambda node: node.rank)

    def share(self) -> None:
        """Give nodes what brings more at a stricter target: what holds there holds here as well.

        Where a limit does not bind, calibration has no level to aim at, and a neighbour that it
        binds may well have found more.
        """
        least = {target: self.solver.least(target) for target in self.nodes}
        for target in self.strictest_first(list(self.nodes)):
            node = self.nodes[target]
            stricter = [t for t, levels in least.items() if (levels >= least[target]).all()]
            best = max((self.nodes[t] for t in stricter), key=lambda there: there.rank)
            if best.rank > node.rank:
                figures = best.figures.model_copy(update={"targets": node.figures.targets})
                self.nodes[target] = Node(best.offsets, node.aims, figures)

    def strictest_first(self, targets: Sequence[Target]) -> list[Target]:
        """Targets by the sum of the least levels that they ask for."""
        return sorted(targets, key=lambda target: -float(self.solver.least(target).sum()))

    def policy(self) -> ConditionedPolicy:
        """The policy of the nodes."""
        shape = tuple(len(axis.nodes) for axis in self.axes)
        nodes = self.in_order()
        offsets = np.stack([node.offsets for node in nodes])
        held = np.array([node.figures.held for node in nodes])
        return ConditionedPolicy(
            self.solver.policy, self.axes, offsets.reshape(*shape, -1), held.reshape(shape)
        )

    def in_order(self) -> list[Node]:
        """The nodes, the last dial varying fastest."""
        return [self.nodes[target] for target in targets_of(self.axes)]

    def look_between(self) -> list[Cell]:
        """The middle of every cell whose corners were all held."""
        policy, cells = self.policy(), list[Cell]()
        for middle in product(*(midpoints(np.array(axis.nodes)).tolist() for axis in self.axes)):
            targets = np.array(middle)
            if policy.holds_around(targets):
                cells.append(self.solver.look(middle, policy.offsets_at(targets)))
                self._done(cells[-1].steps, 0)
        return cells

    def dial_of(self, cell: Cell) -> int:
        """The axis of the limit that falls short most in a cell, of those that have one."""
        known = tuple(dials(self.solver.policy.constraints))
        by_shortfall = [known[c] for c in np.argsort(-cell.short)]
        names = self.solver.names
        return names.index(next(name for name in by_shortfall if name in names))

    def split(self, dial: int, cell: Cell) -> None:
        """Calibrate a plane of nodes through the middle of a cell, across one dial."""
        axis, before = self.axes[dial], self.policy()
        nodes = tuple(sorted({*axis.nodes, cell.figures.targets[axis.name]}))
        wider = replace(axis, nodes=nodes)
        self.axes = (*self.axes[:dial], wider, *self.axes[dial + 1 :])
        self.fill(lambda target: before.offsets_at(np.array(target)))

    @property
    def _own(self) -> Target:
        """The target within the grid nearest to the policy's own; half way where it has none."""
        known = dials(self.solver.policy.constraints)
        halves = {axis.name: (axis.low + axis.high) / 2.0 for axis in self.axes}
        own = {name: target for name, target in known.items() if target is not None}
        wanted = {**halves, **own}
        return tuple(min(max(wanted[a.name], a.low), a.high) for a in self.axes)

    def _nearest(self, target: Target) -> FloatArray:
        """Offsets of the nearest known node, of those that hold if there are any."""
        if not self.nodes:
            return self.solver.policy.offsets
        holding = [t for t, node in self.nodes.items() if node.figures.held]
        return self.nodes[
            min(holding or self.nodes, key=lambda t: self._distance(t, target))
        ].offsets

    def _distance(self, one: Target, other: Target) -> float:
        widths = np.array([axis.high - axis.low for axis in self.axes])
        return float(np.linalg.norm((np.array(one) - np.array(other)) / widths))


def targets_of(axes: Sequence[Axis]) -> list[Target]:
    """Every node of a grid, the last axis varying fastest."""
    return list(product(*(axis.nodes for axis in axes)))
