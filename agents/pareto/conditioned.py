"""A policy that takes its targets as input: offsets interpolated between calibrated targets.

Preferences as an input of one policy, in place of one policy per preference, are the idea of
conditioned multi-objective learning (Abels, Roijers, Lenaerts, Nowé & Steckelmacher 2019, "Dynamic
Weights in Multi-Objective Deep Reinforcement Learning"; Yang, Sun & Narasimhan 2019, "A Generalized
Algorithm for Multi-Objective Reinforcement Learning and Policy Adaptation"). There the input is the
price of an objective. Here it is the target of a limit, which is what governance can state, and
what has to hold: so the map from targets to weights is not learned but calibrated, node by node.

Nothing here needs torch: a serving process loads it with numpy alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...errors import InvalidValue, UnreachableConstraint
from ..policy import WeightPolicy
from .dials import dials, require_dial, retargeted


@dataclass(frozen=True, slots=True)
class Axis:
    """One dial.

    Attributes:
        name: Of the limit, as in reports; see `dials.dials`.
        nodes: Targets at which the offsets are known, ascending, at least two.
    """

    name: str
    nodes: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse nodes that make no range.

        Raises:
            InvalidValue: There are fewer than two, they do not ascend, or one is no share.
        """
        nodes = np.array(self.nodes, np.float64)
        ascending = len(nodes) >= 2 and bool((np.diff(nodes) > 0.0).all())
        if not ascending or not (np.isfinite(nodes).all() and nodes[0] >= 0.0 and nodes[-1] <= 1.0):
            raise InvalidValue(
                f"{', '.join(f'{node:g}' for node in nodes)} is no range of targets",
                field=f"ranges[{self.name}]",
                mend="Give at least two ascending numbers in [0, 1].",
            )

    @property
    def low(self) -> float:
        """Smallest target."""
        return self.nodes[0]

    @property
    def high(self) -> float:
        """Largest target."""
        return self.nodes[-1]


@dataclass(frozen=True)
class ConditionedPolicy:
    """A `WeightPolicy` for every target in a box.

    Attributes:
        policy: What was trained; its own offsets and targets are replaced.
        axes: The dials, ``D`` of them; limits without one keep their targets.
        offsets: Added to the weights at each node, shape ``(n_1, …, n_D, A)``, float32.
        held: Whether every limit was held with its margin there, shape ``(n_1, …, n_D)``.
    """

    policy: WeightPolicy
    axes: tuple[Axis, ...]
    offsets: FloatArray
    held: BoolArray

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            InvalidValue: An axis names no limit, or one twice, or a shape contradicts the axes.
        """
        known = dials(self.policy.constraints)
        for axis in self.axes:
            require_dial(axis.name, known)
        names = self.names
        if not names or len(set(names)) != len(names):
            raise InvalidValue(
                f"dials {', '.join(names) or '(none)'}",
                field="axes",
                mend="Name at least one limit, and each once.",
            )
        grid = tuple(len(axis.nodes) for axis in self.axes)
        for name, shape, expected in (
            ("offsets", self.offsets.shape, (*grid, self.policy.n_actions)),
            ("held", self.held.shape, grid),
        ):
            if shape != expected:
                raise InvalidValue(f"shape {shape}, expected {expected}", field=name)
        if not np.isfinite(self.offsets).all():
            raise InvalidValue("holds a number that is not finite", field="offsets")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the dials."""
        return tuple(axis.name for axis in self.axes)

    def targets(self, asked: Mapping[str, float]) -> FloatArray:
        """A target for each dial, shape ``(D,)``; the policy's own where none is asked for.

        Raises:
            InvalidValue: A name is no dial of this policy, or a target is outside of its range.
        """
        unknown = sorted(set(asked) - set(self.names))
        if unknown:
            raise InvalidValue(
                f"the policy was not conditioned on {', '.join(map(repr, unknown))}",
                field="targets",
                mend=f"Use {', '.join(self.names)}, or condition it on other ranges.",
            )
        own = dials(self.policy.constraints)
        return np.array([_within(axis, asked.get(axis.name, own[axis.name])) for axis in self.axes])

    def offsets_at(self, targets: FloatArray) -> FloatArray:
        """Interpolated offsets, ``(D,)`` to ``(A,)``, float32; at a node they are the node's."""
        return multilinear(self.axes, self.offsets, targets).astype(np.float32)

    def holds_around(self, targets: FloatArray) -> bool:
        """Whether every limit was held at all nodes that the offsets there are made of."""
        missed = multilinear(self.axes, (~self.held).astype(np.float64), targets)
        return not missed.any()

    def at(self, asked: Mapping[str, float]) -> WeightPolicy:
        """The policy for these targets; an ordinary one, with constraints that state them.

        Args:
            asked: Targets by name; a dial that is not named is left at the policy's own target.

        Raises:
            InvalidValue: A name is no dial of this policy, or a target is outside of its range.
            UnreachableConstraint: The limits were not held at a node beside these targets.
        """
        targets = self.targets(asked)
        if not self.holds_around(targets):
            raise UnreachableConstraint(
                f"beside {_said(self.names, targets)} the policy could not be calibrated to hold "
                "every limit",
                field="targets",
                mend="Ask for less, or condition it on a narrower range.",
            )
        named = dict(zip(self.names, targets.tolist(), strict=True))
        constraints = retargeted(self.policy.constraints, named)
        offsets = self.offsets_at(targets)
        return replace(self.policy, constraints=constraints, offsets=offsets)


def multilinear(axes: tuple[Axis, ...], values: FloatArray, at: FloatArray) -> FloatArray:
    """Multilinear interpolation on a grid, in float64; O(2 · size of ``values``).

    It is exact at nodes to the last bit, exact to rounding wherever the values are affine in each
    target, and never leaves the range of the nodes around it.

    Args:
        axes: The grid's axes, ``D`` of them.
        values: Shape ``(n_1, …, n_D, …)``.
        at: A point within the grid, shape ``(D,)``.

    Returns:
        What is left of the shape of ``values``.
    """
    values = np.asarray(values, np.float64)
    for axis, target in zip(axes, at, strict=True):
        nodes = np.array(axis.nodes)
        cell = int(np.clip(np.searchsorted(nodes, target, "right") - 1, 0, len(nodes) - 2))
        share = (target - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
        values = (1.0 - share) * values[cell] + share * values[cell + 1]
    return values


def _within(axis: Axis, target: float | None) -> float:
    """The target, if the axis has room for it."""
    field, room = f"targets[{axis.name}]", f"a number from {axis.low:g} to {axis.high:g}"
    if target is None:
        raise InvalidValue("no target is given, and none is set", field=field, mend=f"Give {room}.")
    if not axis.low <= target <= axis.high:
        raise InvalidValue(
            f"{target:g} is outside of what the policy was conditioned for",
            field=field,
            mend=f"Give {room}, or condition it on a wider range.",
        )
    return float(target)


def _said(names: tuple[str, ...], targets: FloatArray) -> str:
    return ", ".join(f"{name} {target:g}" for name, target in zip(names, targets, strict=True))
