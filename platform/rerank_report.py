"""What a re-ranker did to lists, as data."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ..agents.report import Interval
from ..metrics.metric import Direction
from ..rerankers.constraints import Constraints

Verdict = Literal["better", "worse", "not decided"]
ShownAs = Literal["base order", "re-ranked"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Effect(_Model):
    """One figure before and after.

    Attributes:
        name: Name of the metric.
        of: Groups it is about; empty where it is about all.
        kind: What it is about.
        meaning: One line, with its unit.
        direction: Which values are preferred.
        target: The value aimed at, where there is one.
        before: Of the base order; None where it could not be told.
        after: Of the slates.
        difference: after − before, over the users who count in both.
        p_value: Chance of such a change by chance alone, adjusted by Holm over all figures.
        verdict: Whether the change is beyond chance, by the interval and by the test, and in which
            direction.
    """

    name: str
    of: str
    kind: str
    meaning: str
    direction: Direction
    target: float | None
    before: Interval | None
    after: Interval | None
    difference: Interval | None
    p_value: float
    verdict: Verdict


class UserGap(_Model):
    """Whether accuracy differs between groups of users by more than chance.

    Attributes:
        attribute: The groups.
        slates: ``"base order"`` or ``"re-ranked"``.
        gap: Largest − smallest mean NDCG.
        p_value: Permutation test, adjusted by Holm over all gaps reported here.
        minimum_detectable: Smallest gap that this test would have found with a power of 0.8.
    """

    attribute: str
    slates: ShownAs
    gap: float
    p_value: float
    minimum_detectable: float


class RerankReport(_Model):
    """What a re-ranker did to lists.

    Attributes:
        data: Where the lists are from.
        algorithm: Which re-ranker.
        settings: Its settings.
        users: Users with lists.
        k: Slate length.
        seed: Seed of the re-ranker and of resampling.
        replicates: Bootstrap replicates.
        changed: Share of users whose slate is not the base order's.
        stochastic: Whether chance decided any slate; figures are of the slates that were drawn.
        constraints: Limits that the re-ranker was told.
        notes: What a reader has to know about the data.
        effects: Every figure.
        gaps: Tests of the gaps between groups of users.
        missing: What each figure that could not be computed would need.
        out: The file the slates were written to.
    """

    data: str
    algorithm: str
    settings: dict[str, Any]
    users: int
    k: int
    seed: int
    replicates: int
    changed: float
    stochastic: bool
    constraints: Constraints
    notes: dict[str, str]
    effects: tuple[Effect, ...]
    gaps: tuple[UserGap, ...]
    missing: dict[str, str]
    out: str | None = None
