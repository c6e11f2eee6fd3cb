"""The one specification of limits that training, serving, the gate and the audit all read.

Four kinds:

- a floor or a ceiling on a group's share of the exposure (`ExposureFloor`, `ExposureCeiling`);
- a limit on the ratio of a group's exposure to its merit (`ExposureRatio`), which
  `ratios.resolve` turns into floors and ceilings on given pools;
- a floor on the mean diversity of slates (``Constraints.min_diversity``);
- a limit on how far a group of users falls behind in engagement (`EngagementGap`).

A ceiling is held as a floor: exposure shares sum to 1 within a slate, so "at most c for the group"
says the same as "at least 1 − c for everything else". Whatever holds, prices or calibrates limits
therefore reads `members` and `least` of each, in the order of ``Constraints.exposure``, and
needs to know of one direction only.
"""

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from ..arrays import BoolArray
from ..candidates.catalogue import Catalogue
from ..errors import InvalidValue

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Window = Annotated[int, Field(ge=1)]
Merit = Literal["pool", "relevance", "catalogue"]
"""What a group's exposure is held against; see `ratios.merit_shares`."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RatioOrigin(_Model):
    """How a limit on a share followed from a limit on a ratio.

    Attributes:
        merit: What the exposure is held against.
        merit_share: The group's share of it on the pools that were resolved on.
        ratio: The limit on exposure share / merit share.
    """

    merit: Merit
    merit_share: Share
    ratio: Annotated[float, Field(ge=0.0)]


class _ShareLimit(_Model):
    """What floors and ceilings have in common.

    Exposure of position j is 1/log2(j + 1); the share is amortised over the last ``window``
    slates that were shown.
    """

    attribute: str
    group: str
    share: Share
    window: Window = 1000
    origin: RatioOrigin | None = None


class ExposureFloor(_ShareLimit):
    """A group of items receives at least ``share`` of the exposure.

    Exposure of position j is 1/log2(j + 1); the share is amortised over the last ``window``
    slates that were shown.
    """

    kind: Literal["floor"] = "floor"

    @property
    def label(self) -> str:
        """The items that are lifted."""
        return f"{self.attribute}={self.group}"

    @property
    def name(self) -> str:
        """Name in reports."""
        return f"exposure:{self.attribute}={self.group}"

    @property
    def least(self) -> float:
        """Least exposure share of `members`."""
        return self.share

    def members(self, catalogue: Catalogue) -> BoolArray:
        """Items whose exposure share must reach `least`, shape ``(I,)``.

        Raises:
            InvalidValue: The catalogue has no such attribute or group.
        """
        return catalogue.group(self.attribute).mask(self.group)

    def raised(self, by: float) -> Self:
        """The same limit, stricter by so much of the exposure; looser where negative."""
        return self.model_copy(update={"share": min(1.0, max(0.0, self.share + by))})


class ExposureCeiling(_ShareLimit):
    """A group of items receives at most ``share`` of the exposure.

    The share is amortised as that of an `ExposureFloor`.
    """

    kind: Literal["ceiling"] = "ceiling"

    @property
    def label(self) -> str:
        """The items that are lifted: all others."""
        return f"{self.attribute}!={self.group}"

    @property
    def name(self) -> str:
        """Name in reports."""
        return f"ceiling:{self.attribute}={self.group}"

    @property
    def least(self) -> float:
        """Least exposure share of `members`."""
        return 1.0 - self.share

    def members(self, catalogue: Catalogue) -> BoolArray:
        """Items whose exposure share must reach `least`: those not in the group, ``(I,)``.

        Items whose group is not known are among them.

        Raises:
            InvalidValue: The catalogue has no such attribute or group.
        """
        return ~catalogue.group(self.attribute).mask(self.group)

    def raised(self, by: float) -> Self:
        """The same limit, stricter by so much of the exposure; looser where negative."""
        return self.model_copy(update={"share": min(1.0, max(0.0, self.share - by))})


def _kind(value: Any) -> str:
    """Limits that were stored before there were ceilings name no kind."""
    if isinstance(value, dict):
        return value.get("kind", "floor")  # pyright: ignore[reportUnknownVariableType] - any JSON
    return getattr(value, "kind", "floor")


ExposureLimit = ExposureFloor | ExposureCeiling
_Stored = Annotated[
    Annotated[ExposureFloor, Tag("floor")] | Annotated[ExposureCeiling, Tag("ceiling")],
    Discriminator(_kind),
]


class ExposureRatio(_Model):
    """A group's exposure share stands in a bounded ratio to its share of merit.

    With merit ``"relevance"`` this is disparate treatment, with ``"catalogue"`` demographic
    parity, each in shares of the whole (Singh & Joachims 2018, "Fairness of Exposure in Rankings").
    Their disparate impact is about clicks, not exposure, and cannot be stated here.

    Attributes:
        attribute: Item attribute; providers are one, where they are declared.
        group: Group of that attribute, unless ``every_group``.
        every_group: One limit for each group that has at least ``min_merit`` of the merit.
        merit: ``"pool"``: share of the candidates; ``"relevance"``: share of their scores;
            ``"catalogue"``: share of the items. See `ratios.merit_shares`.
        at_least: Least exposure share / merit share.
        at_most: Largest exposure share / merit share.
        min_merit: Groups with less merit are left out of ``every_group``, and listed: one item
            more or less would decide on them.
        window: Slates over which exposure is amortised.
    """

    attribute: str
    group: str | None = None
    every_group: bool = False
    merit: Merit = "pool"
    at_least: Annotated[float, Field(ge=0.0)] | None = None
    at_most: Annotated[float, Field(ge=0.0)] | None = None
    min_merit: Share = 0.01
    window: Window = 1000

    @model_validator(mode="after")
    def _says_what_and_whom(self) -> Self:
        if (self.group is None) != self.every_group:
            raise ValueError("name a group, or say every_group: true, and not both")
        if self.at_least is None and self.at_most is None:
            raise ValueError("at_least or at_most is needed")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most")
        return self


class LeftOut(_Model):
    """A group that a limit on ratios says nothing about, and why."""

    attribute: str
    group: str
    merit: Merit
    merit_share: Share
    reason: str


class EngagementGap(_Model):
    """No group of users falls further behind the mean than ``limit``.

    For every group g of the attribute with at least ``min_users`` users among those measured:
    ``(m − m_g) / m ≤ limit``, where m_g is the mean over the group's users, and m that over *all*
    measured users, of each user's engagement over the horizon. Groups above the mean are not
    limited: taking from them would help nobody.

    It is measured in evaluation, checked by the gate and priced in training. A controller that
    serves cannot act on it: one slate says nothing about a mean over users and weeks.

    Attributes:
        attribute: Attribute of users.
        limit: Largest relative shortfall.
        min_users: Smaller groups are left out, and listed.
    """

    attribute: str
    limit: Annotated[float, Field(ge=0.0, lt=1.0)]
    min_users: Annotated[int, Field(ge=2)] = 20


class HardFilters(_Model):
    """What may not be shown at all, whatever its score.

    An item passes ``include_topics`` when it has one of them; an item whose year is not known
    passes no limit on the year.
    """

    exclude_items: frozenset[str] = frozenset()
    exclude_topics: frozenset[str] = frozenset()
    include_topics: frozenset[str] = frozenset()
    min_year: int | None = None
    max_year: int | None = None

    def allowed(self, catalogue: Catalogue) -> BoolArray:
        """Items that may be shown, shape ``(I,)``.

        An excluded item that the catalogue does not hold cannot be shown anyway and is passed
        over; a topic it does not hold is refused, because a misspelt one would filter nothing.

        Raises:
            InvalidValue: A topic is not one of the catalogue's.
        """
        ok = ~np.isin(catalogue.item_ids, sorted(self.exclude_items))
        excluded = _topic_columns(self.exclude_topics, "exclude_topics", catalogue)
        ok &= ~catalogue.topics[:, excluded].any(axis=1)
        if self.include_topics:
            wanted = _topic_columns(self.include_topics, "include_topics", catalogue)
            ok &= catalogue.topics[:, wanted].any(axis=1)
        if self.min_year is not None:
            ok &= catalogue.year >= self.min_year
        if self.max_year is not None:
            ok &= catalogue.year <= self.max_year
        return ok


class Constraints(_Model):
    """Limits on exposure, on diversity and on engagement gaps, and hard filters.

    Attributes:
        exposure: Floors and ceilings on exposure shares, amortised.
        min_diversity: Minimum mean intra-list distance (Jaccard on topics) of the slates.
        diversity_window: Slates over which diversity is amortised.
        filters: Items that may not be shown.
        ratios: Limits on exposure against merit, not resolved yet; see `ratios.resolve`.
        left_out: Groups for which no ratio was resolved.
        engagement_gaps: Limits on how far groups of users fall behind.
    """

    exposure: tuple[_Stored, ...] = ()
    min_diversity: Share | None = None
    diversity_window: Window = 1000
    filters: HardFilters = HardFilters()
    ratios: tuple[ExposureRatio, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    engagement_gaps: tuple[EngagementGap, ...] = ()

    @model_validator(mode="after")
    def _one_gap_an_attribute(self) -> Self:
        named = [gap.attribute for gap in self.engagement_gaps]
        if len(set(named)) != len(named):
            raise ValueError(f"engagement_gaps name an attribute twice: {named}")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """What each entry of ``exposure`` lifts, told apart where two lift the same items."""
        return _numbered([limit.label for limit in self.exposure])

    @property
    def names(self) -> tuple[str, ...]:
        """Name in reports of each entry of ``exposure``, told apart where two are alike."""
        return _numbered([limit.name for limit in self.exposure])

    def require_resolved(self) -> None:
        """Refuse ratios that nothing would hold.

        Raises:
            InvalidValue: There are limits on ratios that were not resolved.
        """
        if self.ratios:
            raise InvalidValue(
                f"{len(self.ratios)} limits on exposure against merit name no share yet",
                field="constraints.ratios",
                mend="Call rerankers.ratios.resolve with the pools that they are for.",
            )

    def refuse_engagement_gaps(self, where: str) -> None:
        """Refuse limits on engagement gaps where nothing would measure them.

        Args:
            where: What is asked, for the message, such as ``"a study"``.

        Raises:
            InvalidValue: There are such limits.
        """
        if self.engagement_gaps:
            raise InvalidValue(
                f"{where} neither holds nor measures limits on engagement gaps",
                field="constraints.engagement_gaps",
                mend="Leave them out here; training, evaluation and the gate know them.",
            )


def _numbered(names: list[str]) -> tuple[str, ...]:
    """The second of two equal names gets a 2, and so on."""
    earlier = [names[:i].count(name) for i, name in enumerate(names)]
    return tuple(f"{n} ({i + 1})" if i else n for n, i in zip(names, earlier, strict=True))


def _topic_columns(names: frozenset[str], field: str, catalogue: Catalogue) -> list[int]:
    """Columns of the catalogue's topics; unknown names are refused."""
    unknown = sorted(names.difference(catalogue.topic_names))
    if unknown:
        raise InvalidValue(
            f"no topic named {', '.join(map(repr, unknown))}",
            field=f"filters.{field}",
            mend=f"Use one of {', '.join(catalogue.topic_names)}.",
        )
    return [column for column, name in enumerate(catalogue.topic_names) if name in names]
