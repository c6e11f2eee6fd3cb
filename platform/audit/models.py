"""What an audit is given, how it is configured, and its report: the JSON that a page draws."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...arrays import IntArray
from ...candidates.catalogue import Catalogue, Groups
from ...rerankers.constraints import Constraints

Outcome = Literal["gap", "no gap detected", "not tested"]
Status = Literal["met", "not met", "not decided", "not measured"]


@dataclass(frozen=True, slots=True)
class AuditInputs:
    """Recorded slates and what is known of their users and items.

    Attributes:
        slates: Item indices as recorded, oldest slate first, shape ``(S, k)``, ``PAD`` in unused
            positions. A user may have several.
        users: User index of each slate, shape ``(S,)``.
        catalogue: The items, with their groups, topics and training popularity.
        user_groups: User groups by attribute, one code per user index.
        held_out_users: User index of each held-out pair, shape ``(P,)``.
        held_out_items: Item index of each held-out pair, shape ``(P,)``.
        profile_users: User index of each training interaction, shape ``(R,)``; may be empty.
        profile_items: Item index of each training interaction, shape ``(R,)``.
        about: Facts to print at the top (data set, policy version, period), in order.
    """

    slates: IntArray
    users: IntArray
    catalogue: Catalogue
    user_groups: dict[str, Groups]
    held_out_users: IntArray
    held_out_items: IntArray
    profile_users: IntArray
    profile_items: IntArray
    about: dict[str, str] = field(default_factory=dict[str, str])


class AuditConfig(BaseModel):
    """How an audit is computed.

    Attributes:
        constraints: Limits whose targets are checked.
        item_attributes: Item groups to report; all declared ones unless given.
        user_attributes: User groups to report; all declared ones unless given.
        n_bootstrap: Bootstrap replicates per interval.
        n_permutations: Permutations per test; the smallest p-value is 1 / (this + 1).
        confidence: Probability that the intervals aim at.
        alpha: Family-wise level of all gap tests together (Holm).
        small_cell: A figure that rests on fewer users is not printed.
        seed: Seed of all resampling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    constraints: Constraints = Constraints()
    item_attributes: tuple[str, ...] | None = None
    user_attributes: tuple[str, ...] | None = None
    n_bootstrap: int = Field(default=2000, ge=100)
    n_permutations: int = Field(default=4999, ge=99)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    small_cell: int = Field(default=30, ge=2)
    seed: int = Field(default=2020, ge=0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Part):
    """An estimate with its user-level bootstrap interval.

    Attributes:
        estimate: The figure; None where it rests on too few users or cannot be computed.
        low: Lower end of the interval.
        high: Upper end of the interval.
        users: Users it rests on, reported even where the figure is not.
    """

    estimate: float | None
    low: float | None
    high: float | None
    users: int


class GapFigure(_Part):
    """A gap between groups and whether it is more than chance.

    Attributes:
        difference: Largest − smallest group.
        ratio: Smallest / largest group.
        highest: Name of the group with the largest value.
        lowest: Name of the group with the smallest value.
        p_value: Of the permutation test, before correction.
        p_holm: After Holm's correction over all tests of the report.
        minimum_detectable: Smallest difference between two of these groups that would have been
            found with 80 % power at the strictest corrected level.
        outcome: What can be said.
    """

    difference: float | None
    ratio: float | None
    highest: str | None
    lowest: str | None
    p_value: float | None
    p_holm: float | None
    minimum_detectable: float | None
    outcome: Outcome


class ItemGroup(_Part):
    """One group of items.

    Attributes:
        items: Items of the catalogue in it.
        catalogue_share: Its share of the catalogue.
        positions: Positions of slates that its items filled.
        share: Its share of all exposure.
        per_item: Mean exposure per item and user, times 1,000.
    """

    items: int
    catalogue_share: float
    positions: int
    share: Figure
    per_item: Figure


class ItemAttribute(_Part):
    """All groups of one item attribute.

    Attributes:
        groups: By name.
        missing_items: Items whose group is not known.
        missing_share: Share of all exposure that went to them.
        parity: Smallest / largest exposure per item over groups (Singh & Joachims 2018).
        gap: Test of equal exposure per item, within users.
    """

    groups: dict[str, ItemGroup]
    missing_items: int
    missing_share: float
    parity: Figure
    gap: GapFigure


class UserGroup(_Part):
    """One group of users: how many were shown slates, and the measures by name."""

    users: int
    measures: dict[str, Figure]


class UserAttribute(_Part):
    """All groups of one user attribute.

    Attributes:
        groups: By name.
        missing_users: Users with slates whose group is not known.
        suppressed: Names of groups with fewer users than the smallest cell.
        gaps: One test per measure.
    """

    groups: dict[str, UserGroup]
    missing_users: int
    suppressed: tuple[str, ...]
    gaps: dict[str, GapFigure]


class TargetCheck(_Part):
    """A limit, what was measured, and whether the interval decides it.

    Attributes:
        name: What is limited, in words.
        target: The least or the largest value that is wanted.
        bound: Which of the two.
        measured: What was measured; for filters, the number of forbidden items shown.
        slates: Slates it was measured on.
        status: ``"met"`` or ``"not met"`` if the whole interval lies on that side, else
            ``"not decided"``.
        why_not: Why it was not measured, where no data could tell.
    """

    name: str
    target: float
    bound: Literal["at least", "at most"] = "at least"
    measured: Figure
    slates: int
    status: Status
    why_not: str = ""


class Population(_Part):
    """What the audit looked at."""

    users: int
    slates: int
    slate_length: int
    empty_positions: int
    items: int
    users_with_held_out: int


class Method(_Part):
    """How the figures were computed."""

    confidence: float
    alpha: float
    n_bootstrap: int
    n_permutations: int
    n_tests: int
    small_cell: int
    seed: int


class Verdict(_Part):
    """The report in words: one headline, and a sentence per finding."""

    headline: str
    sentences: tuple[str, ...]


class AuditReport(_Part):
    """Everything an audit found; the page shows each of its figures."""

    format: Literal[1] = 1
    about: dict[str, str]
    verdict: Verdict
    population: Population
    method: Method
    targets: tuple[TargetCheck, ...]
    overall: dict[str, Figure]
    item_groups: dict[str, ItemAttribute]
    user_groups: dict[str, UserAttribute]
