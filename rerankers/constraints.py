"""The one specification of limits that training, serving, the gate and the audit all read."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..arrays import BoolArray
from ..candidates.catalogue import Catalogue
from ..errors import InvalidValue

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class ExposureFloor(BaseModel):
    """A group of items receives at least ``share`` of the exposure.

    Exposure of position j is 1/log2(j + 1); the share is amortised over the last ``window``
    slates that were shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribute: str
    group: str
    share: Share
    window: int = Field(default=1000, ge=1)


class HardFilters(BaseModel):
    """What may not be shown at all, whatever its score.

    An item passes ``include_topics`` when it has one of them; an item whose year is not known
    passes no limit on the year.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class Constraints(BaseModel):
    """Floors on exposure and on diversity, and hard filters.

    Attributes:
        exposure: Minimum exposure shares, amortised.
        min_diversity: Minimum mean intra-list distance (Jaccard on topics) of the slates.
        filters: Items that may not be shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exposure: tuple[ExposureFloor, ...] = ()
    min_diversity: Share | None = None
    filters: HardFilters = HardFilters()


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
