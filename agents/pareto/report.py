"""What conditioning a policy found, as data: at the nodes, and between them."""

from pydantic import BaseModel, ConfigDict


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeFigures(_Model):
    """One calibration.

    Attributes:
        targets: By name of the limit.
        held: Whether every level reached its target and margin on the validation users.
        engagement: Mean expected engagement per validation user, on the same luck for all nodes.
        steps: User-steps that were simulated.
    """

    targets: dict[str, float]
    held: bool
    engagement: float
    steps: int


class CellFigures(_Model):
    """The middle of a cell of the grid, where nothing was calibrated.

    Attributes:
        targets: By name of the limit.
        shortfall: How far the level that falls short most lies below its target and margin on the
            validation users; below 0 where all lie above.
        violation: The same without the margin.
    """

    targets: dict[str, float]
    shortfall: float
    violation: float


class ConditionReport(_Model):
    """How a policy was conditioned.

    Attributes:
        nodes: Every node of the grid, the last dial varying fastest.
        cells: The middle of every cell whose corners were all held.
        gain: Engagement after weights were moved, relative to turned knobs alone: mean over the
            corners, on the validation users that chose what to keep, so it is a little flattered.
            None where no weights were searched.
        steps: User-steps that were simulated in all, also for what was not kept.
    """

    nodes: tuple[NodeFigures, ...]
    cells: tuple[CellFigures, ...]
    gain: float | None
    steps: int

    @property
    def missed(self) -> tuple[NodeFigures, ...]:
        """Nodes at which the limits could not be held; targets beside them are refused."""
        return tuple(node for node in self.nodes if not node.held)

    @property
    def shortfall(self) -> float:
        """The largest shortfall in the middle of a cell; 0 where there is none."""
        return max((cell.shortfall for cell in self.cells), default=0.0)

    @property
    def violation(self) -> float:
        """The largest violation of a target in the middle of a cell; below 0 where all hold."""
        return max((cell.violation for cell in self.cells), default=0.0)
