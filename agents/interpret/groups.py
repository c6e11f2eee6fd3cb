"""Groups of observation columns that say one thing about a user, and are moved together.

Eighteen topics of recent clicks are one state of the user, not eighteen. Columns are told apart by
their names (`rerankers.features.observation_names`), so that a policy that sees more than today's
columns is still explained in full: what no group knows makes a group of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import IntArray
from ...errors import InvalidValue
from ..policy import WeightPolicy

_GROUP_OF = {
    "clicks_lately": "clicks lately",
    "taste": "taste",
    "satisfaction": "satisfaction",
    "click_rate": "click rate",
    "log_slates": "slates seen",
    "log_days_away": "days away",
    "mean_fatigue": "shown lately",
    "pool_size": "pool",
    "base_head": "pool",
    "pool_popularity": "pool",
    "pool_topic": "pool",
    "pool_share": "pool",
    "gap": "gaps",
}
"""Group of a column, by its name up to the colon."""


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that are moved together.

    Attributes:
        name: Name for tables.
        columns: Indices into the observation, ascending, shape ``(n,)``.
    """

    name: str
    columns: IntArray


def kind_of(column: str) -> str:
    """What a column is about: its name up to the colon, ``"taste"`` of ``"taste:Drama"``."""
    return column.partition(":")[0]


def detail_of(column: str) -> str | None:
    """What stands behind the colon, a topic or a group of items; None where nothing does."""
    return column.partition(":")[2] or None


def observation_groups(names: Sequence[str]) -> tuple[Group, ...]:
    """The groups of some columns, in the order of their first columns.

    A column that is not known by its name forms a group with those of the same kind.

    Args:
        names: Names of the ``O`` columns.

    Raises:
        InvalidValue: There are no columns.
    """
    if not names:
        raise InvalidValue("a policy without any column of observation", field="observation_names")
    members: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        kind = kind_of(name)
        members.setdefault(_GROUP_OF.get(kind, kind.replace("_", " ")), []).append(column)
    return tuple(Group(name, np.array(columns, np.intp)) for name, columns in members.items())


def groups_read(policy: WeightPolicy) -> tuple[Group, ...]:
    """The groups of which a policy reads at least one column; the others move nothing.

    A column whose scale is 0 is not read; `learn` makes the gaps to the constraints such columns.
    A policy that reads nothing has no group.
    """
    read = policy.scale != 0.0
    found = observation_groups(policy.observation_names)
    return tuple(group for group in found if bool(read[group.columns].any()))
