"""Declarations of item and user groups, and how each becomes codes.

A value that is not known gets the code ``MISSING``: it is counted, never guessed.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..arrays import MISSING, FloatArray, IntArray
from ..errors import EmptyData, InvalidValue, MissingColumn
from ..metrics.intersections import intersect
from .catalogue import Groups

CROSS = "*"
"""Stands between attributes that are crossed, as in ``gender*age_band``."""


class _Declaration(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LongTail(_Declaration):
    """Items split in the ``head_share`` most used and the rest, by training interactions."""

    kind: Literal["long_tail"] = "long_tail"
    attribute: str = "popularity"
    head_share: float = Field(default=0.2, gt=0.0, lt=1.0)


class Activity(_Declaration):
    """Users split in thirds by training interactions; users with equal counts stay together."""

    kind: Literal["activity"] = "activity"
    attribute: str = "activity"


class AttributeGroups(_Declaration):
    """One group per value of a column, such as gender or provider."""

    kind: Literal["attribute"] = "attribute"
    attribute: str
    column: str | None = None


class Bins(_Declaration):
    """Ranges of a numeric column: below the first edge, between edges, from the last edge on."""

    kind: Literal["bins"] = "bins"
    attribute: str
    column: str
    edges: tuple[float, ...] = Field(min_length=1)
    names: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _edges_rise(self) -> "Bins":
        if any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must rise")
        if self.names is not None and len(self.names) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} groups")
        return self

    @property
    def group_names(self) -> tuple[str, ...]:
        """The given names, or ones made from the edges."""
        if self.names is not None:
            return self.names
        between = (
            f"{a:g} to under {b:g}" for a, b in zip(self.edges, self.edges[1:], strict=False)
        )
        return (f"under {self.edges[0]:g}", *between, f"{self.edges[-1]:g} and over")


class TopicGroup(_Declaration):
    """Items that have one topic, and the other items with a known topic."""

    kind: Literal["topic"] = "topic"
    attribute: str
    topic: str


ItemGroup = Annotated[LongTail | AttributeGroups | Bins | TopicGroup, Field(discriminator="kind")]
UserGroup = Annotated[Activity | AttributeGroups | Bins, Field(discriminator="kind")]


class GroupsConfig(_Declaration):
    """Which groups of items and users are measured and may carry constraints.

    The default suits any data set; attributes of people are only used where declared.
    """

    items: tuple[ItemGroup, ...] = (LongTail(),)
    users: tuple[UserGroup, ...] = (Activity(),)

    @model_validator(mode="after")
    def _names_differ(self) -> "GroupsConfig":
        for declared in (self.items, self.users):
            names = [group.attribute for group in declared]
            if len(set(names)) != len(names):
                raise ValueError(f"an attribute is declared twice: {names}")
        return self


def movielens_groups() -> GroupsConfig:
    """Popularity and era of films; gender, age band and activity of users."""
    return GroupsConfig(
        items=(LongTail(), Bins(attribute="era", column="year", edges=(1970, 1990, 1995))),
        users=(
            AttributeGroups(attribute="gender"),
            Bins(attribute="age_band", column="age", edges=(18, 25, 35, 45, 55)),
            Activity(),
        ),
    )


def long_tail(declared: LongTail, popularity: FloatArray) -> Groups:
    """Head and long tail; of items used equally often the one listed first counts as head."""
    n_head = max(1, round(declared.head_share * len(popularity)))
    codes = np.ones(len(popularity), dtype=np.int64)
    codes[np.argsort(-popularity, kind="stable")[:n_head]] = 0
    return Groups(declared.attribute, ("head", "long_tail"), codes)


def activity(declared: Activity, interactions: IntArray) -> Groups:
    """Thirds of users by how much they did."""
    edges = np.quantile(interactions, [1 / 3, 2 / 3])
    codes = np.searchsorted(edges, interactions, side="left")
    return Groups(declared.attribute, ("low", "medium", "high"), codes)


def by_value(declared: AttributeGroups, frame: pd.DataFrame) -> Groups:
    """One group per distinct value, in sorted order.

    Raises:
        MissingColumn: The column is absent.
        InvalidValue: The column holds several values per row.
    """
    column = _column(frame, declared.column or declared.attribute)
    known = column.notna()
    if bool(column[known].map(lambda value: isinstance(value, (tuple, list, np.ndarray))).any()):
        raise InvalidValue(
            f"column {column.name!r} holds several values per row",
            field=declared.attribute,
            mend="Declare a group of kind 'topic' for one of its values.",
        )
    text = column[known].astype(str)
    names = tuple(sorted(text.unique()))
    codes = np.full(len(frame), MISSING, dtype=np.int64)
    codes[known.to_numpy()] = np.searchsorted(np.asarray(names, dtype=str), text.to_numpy(str))
    return Groups(declared.attribute, names, codes)


def by_bins(declared: Bins, frame: pd.DataFrame) -> Groups:
    """Ranges of a numeric column; what is not a number is missing.

    Raises:
        MissingColumn: The column is absent.
    """
    values = pd.to_numeric(_column(frame, declared.column), errors="coerce").to_numpy(float)
    codes = np.searchsorted(np.asarray(declared.edges), values, side="right")
    return Groups(
        declared.attribute, declared.group_names, np.where(np.isnan(values), MISSING, codes)
    )


def crossed(groups: Sequence[Groups]) -> Groups:
    """The cells in which several attributes meet, such as ``"F × under 18"``.

    Cells that hold nobody are left out: no one declared them. Who misses one attribute has no cell.

    Raises:
        EmptyData: No row has a group of every attribute.
    """
    cells = intersect(groups)
    known = cells.codes != MISSING
    present = np.unique(cells.codes[known])
    attribute = CROSS.join(group.attribute for group in groups)
    if len(present) == 0:
        raise EmptyData("nobody has a group of each attribute", field=attribute)
    codes = np.where(known, np.searchsorted(present, cells.codes), MISSING)
    return Groups(attribute, tuple(cells.names[cell] for cell in present), codes)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise MissingColumn(
            f"no attribute column {name!r}",
            field=name,
            mend=f"There are {', '.join(map(str, frame.columns)) or 'no columns'}.",
        )
    return frame[name]
