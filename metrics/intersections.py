"""Groups, and the cells in which several attributes meet."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ..arrays import MISSING, IntArray
from ..errors import EmptyData, InvalidValue


class GroupsLike(Protocol):
    """One attribute of users or items: group ``g`` is called ``names[g]``.

    Attributes:
        names: ``G`` names.
        codes: Group of each user or item, shape ``(n,)``; ``MISSING`` where it is not known.
    """

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102 - described above

    @property
    def codes(self) -> IntArray: ...  # noqa: D102 - described above


class Cells(NamedTuple):
    """Groups that no configuration declared, such as an intersection.

    Attributes:
        names: ``G`` names.
        codes: Group of each user or item, shape ``(n,)``; ``MISSING`` where it is not known.
    """

    names: tuple[str, ...]
    codes: IntArray


def intersect(groups: Sequence[GroupsLike], separator: str = " × ") -> Cells:
    """Every combination of the attributes' groups.

    Cells that hold nobody are kept, so that their absence shows. Who misses one attribute has no
    cell. The last attribute varies fastest.

    Args:
        groups: Attributes of the same users or items, at least one.
        separator: What stands between the names, as in ``"F × 18-24"``.

    Returns:
        As many names as the product of the numbers of groups.

    Raises:
        EmptyData: No attribute is given, or one has no group.
        InvalidValue: The attributes describe different numbers of users or items, or a code has
            no name.
    """
    if not groups or any(not g.names for g in groups):
        raise EmptyData("each attribute needs a group", field="groups")
    if len({len(g.codes) for g in groups}) > 1:
        raise InvalidValue(
            f"attributes of {[len(g.codes) for g in groups]} rows do not pair up", field="groups"
        )
    names, codes = ("",), np.zeros(len(groups[0].codes), dtype=np.int64)
    known = np.ones(len(codes), dtype=np.bool_)
    for position, attribute in enumerate(groups):
        require_codes(attribute)
        between = separator if position else ""
        names = tuple(f"{left}{between}{right}" for left in names for right in attribute.names)
        codes = codes * len(attribute.names) + attribute.codes
        known &= attribute.codes != MISSING
    return Cells(names, np.where(known, codes, MISSING))


def require_codes(groups: GroupsLike) -> None:
    """Refuse codes without a name.

    Raises:
        InvalidValue: A code is neither ``MISSING`` nor below the number of names.
    """
    codes = groups.codes
    if codes.ndim != 1:
        raise InvalidValue(f"codes must have shape (n,), not {codes.shape}", field="groups")
    if len(codes) and (codes.min() < MISSING or codes.max() >= len(groups.names)):
        raise InvalidValue(
            f"a group code lies outside {MISSING}…{len(groups.names) - 1}",
            field="groups",
            mend="Give every code a name; use -1 where the group is not known.",
        )
