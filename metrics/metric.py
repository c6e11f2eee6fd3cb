"""What the registry says of one metric."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .evidence import Evidence
from .terms import Measured

Direction = Literal["higher", "lower", "target"]
Kind = Literal["accuracy", "diversity", "popularity", "exposure", "calibration", "users"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric by name.

    Attributes:
        name: Unique name, as on the command line and in ``docs/metrics.md``.
        kind: What it is about.
        meaning: One line, with its unit where it has one.
        direction: Whether higher or lower values are preferred, or those near ``target``.
        source: Where it is defined: authors, venue, year.
        function: Computes it; its docstring gives shapes and units.
        libraries: Which libraries compute the same, and by what name there.
        target: The value aimed at, where ``direction`` is ``"target"``.
        needs: Fields of ``Evidence`` that ``measured`` reads, beside the lists.
        measured: From evidence to one value per user, or to terms; ``None`` where the metric needs
            what one list per user cannot say (complete rankings, policies, choices of groups).
    """

    name: str
    kind: Kind
    meaning: str
    direction: Direction
    source: str
    function: Callable[..., Any]
    libraries: tuple[str, ...] = ()
    target: float | None = None
    needs: tuple[str, ...] = ()
    measured: Callable[[Evidence], Measured] | None = None

    def computable(self, evidence: Evidence) -> bool:
        """Whether the evidence has everything that ``measured`` needs."""
        return self.measured is not None and all(evidence.known(need) for need in self.needs)
