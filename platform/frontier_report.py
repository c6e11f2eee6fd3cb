"""The frontier of several re-rankers on one set of lists, as data."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ..agents.report import Interval
from ..rerankers.constraints import Constraints


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FrontierPoint(_Model):
    """One setting of one method.

    Attributes:
        strength: 0 is the base order, 1 the full effect.
        settings: The method's settings at this strength; empty for the base order.
        accuracy: NDCG over the users with held-out items.
        measure: What accuracy is drawn against.
        efficient: Nothing that the method itself reaches, mixtures of two settings included, is as
            good on both and better on one.
    """

    strength: float
    settings: dict[str, Any]
    accuracy: Interval
    measure: Interval
    efficient: bool


class FrontierMethod(_Model):
    """One method in one plane.

    Attributes:
        algorithm: Its name.
        points: From the base order to full strength.
        gains: Whether any setting is efficient beside the base order; if not, it is not compared.
        kept: Share of the base order's accuracy that is kept, averaged over levels of the measure
            from the base order's to the highest that any method reaches, 0 where this one does not.
        accuracy_at_level: Accuracy at the plane's ``level``; None where it is not reached.
        front: Share of the levels at which this method is the most accurate of all.
        dominates: Methods that it dominates.
        dominated_by: Methods that dominate it.
    """

    algorithm: str
    points: tuple[FrontierPoint, ...]
    gains: bool
    kept: Interval
    accuracy_at_level: Interval | None
    front: float
    dominates: tuple[str, ...]
    dominated_by: tuple[str, ...]


class LeadFigure(_Model):
    """How far one method lies ahead, averaged over the other's efficient settings.

    Attributes:
        difference: Positive where the first method is better, in the measure's own unit.
        p_value: One-sided, adjusted by Holm over all comparisons in the plane.
    """

    difference: Interval
    p_value: float


class FrontierComparison(_Model):
    """An ordered pair in which ``method`` is nowhere worse than ``other``.

    Attributes:
        method: The first method.
        other: The second.
        verdict: Whether the lead is beyond chance.
        accuracy: Lead in accuracy at the same measure.
        measure: Lead in the measure at the same accuracy.
    """

    method: str
    other: str
    verdict: Literal["dominates", "too close to call"]
    accuracy: LeadFigure
    measure: LeadFigure


class FrontierPlane(_Model):
    """Accuracy against one measure.

    Attributes:
        against: Name of the measure.
        label: The measure in words, with its unit.
        higher_is_better: Whether more of it is better.
        level: Half-way between the base order's value and the best that any method reaches.
        methods: Every method that ran.
        comparisons: The ordered pairs in which one is nowhere worse. In pairs that are missing in
            both orders the frontiers cross: each method reaches what the other does not.
        pictures: Files that show it.
    """

    against: str
    label: str
    higher_is_better: bool
    level: float
    methods: tuple[FrontierMethod, ...]
    comparisons: tuple[FrontierComparison, ...]
    pictures: tuple[str, ...] = ()


class FrontierReport(_Model):
    """Every plane, and what it was measured on.

    Attributes:
        data: Where the lists are from.
        users: Users with lists.
        k: Slate length.
        accuracy: The measure of accuracy in words.
        points: Strengths per method, the base order included.
        seed: Seed of re-rankers and resampling.
        replicates: Bootstrap replicates.
        confidence: Probability that the intervals aim at.
        item_attribute: Groups of items whose exposure is compared.
        user_attribute: Groups of users whose accuracy is compared.
        constraints: Limits that the re-rankers were told.
        notes: What a reader has to know about the data.
        seconds: Processor seconds of each method, all its strengths together.
        planes: One per measure.
        skipped_methods: Reasons of the methods that could not run here.
        skipped_measures: Reasons of the measures that could not be computed here.
    """

    data: str
    users: int
    k: int
    accuracy: str
    points: int
    seed: int
    replicates: int
    confidence: float
    item_attribute: str | None
    user_attribute: str | None
    constraints: Constraints
    notes: dict[str, str]
    seconds: dict[str, float]
    planes: tuple[FrontierPlane, ...]
    skipped_methods: dict[str, str]
    skipped_measures: dict[str, str]
