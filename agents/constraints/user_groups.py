"""How far groups of users fall behind in engagement, for the users of an arena."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray, IntArray
from ...candidates.catalogue import Groups
from ...errors import InvalidValue
from ...rerankers.constraints import EngagementGap


@dataclass(frozen=True, slots=True)
class UserGaps:
    """Limits on engagement gaps, spelt out over ``U`` users: one for each of ``G`` groups.

    The shortfall of group g is ``(m − m_g) / m``: m_g is the mean engagement over its users, m that
    over all users, those without a group or in one that is too small among them.

    Attributes:
        names: ``"engagement:<attribute>=<group>"`` of each group.
        limits: Largest shortfall of each, shape ``(G,)``.
        member: Who is in it, shape ``(G, U)``.
        left_out: Groups that are not limited, and why, in words.
    """

    names: tuple[str, ...]
    limits: FloatArray
    member: BoolArray
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, limits: Sequence[EngagementGap], users: IntArray, groups: Mapping[str, Groups]
    ) -> Self:
        """Spell the limits out.

        Args:
            limits: One per attribute.
            users: User indices, repeats allowed, shape ``(U,)``.
            groups: Groups of all users of the data, by attribute.

        Raises:
            InvalidValue: There are no groups of that attribute, or all of them are too small, so
                that nothing would be measured.
        """
        names: list[str] = []
        largest: list[float] = []
        members = [np.zeros((0, len(users)), np.bool_)]
        left_out: list[str] = []
        for limit in limits:
            found = _groups_of(limit, groups)
            codes = found.codes[users]
            for code, group in enumerate(found.names):
                member = codes == code
                n = int(member.sum())
                if n < limit.min_users:
                    left_out.append(
                        f"{limit.attribute}={group}: {n} users, fewer than {limit.min_users}"
                    )
                    continue
                names.append(f"engagement:{limit.attribute}={group}")
                largest.append(limit.limit)
                members.append(member[None])
            if not any(name.startswith(f"engagement:{limit.attribute}=") for name in names):
                raise InvalidValue(
                    f"no group by {limit.attribute!r} has {limit.min_users} of {len(users)} users",
                    field="constraints.engagement_gaps",
                    mend="Lower min_users, declare larger groups, or measure on more users.",
                )
            if unknown := int((codes == MISSING).sum()):
                left_out.append(f"{limit.attribute} not known: {unknown} users")
        return cls(tuple(names), np.array(largest), np.concatenate(members), tuple(left_out))

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: IntArray) -> Self:
        """The same groups among some users, repeats allowed; some may be empty there."""
        return replace(self, member=self.member[:, rows])

    def shortfalls(self, engagement: FloatArray) -> FloatArray:
        """Relative shortfall of each group, shape ``(G,)``; NaN without users or engagement.

        Args:
            engagement: Of each user, shape ``(U,)``.
        """
        return shortfalls(
            self.member @ engagement,
            self.member.sum(axis=1),
            np.asarray(engagement.sum()),
            np.asarray(len(engagement)),
        )

    def excess(self, engagement: FloatArray) -> FloatArray:
        """Shortfall above the limit, shape ``(G,)``; 0 for a group without users."""
        return np.nan_to_num(self.shortfalls(engagement) - self.limits, nan=0.0)


def shortfalls(
    group_sum: FloatArray, group_size: FloatArray, total: FloatArray, size: FloatArray
) -> FloatArray:
    """``1 − (group_sum / group_size) / (total / size)``, NaN where it is not defined.

    Args:
        group_sum: Engagement summed over the group, any shape.
        group_size: Its users, the same shape.
        total: Engagement summed over everybody; broadcast.
        size: Users; broadcast.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1.0 - (group_sum / group_size) / (total / size)
    return np.where(np.isfinite(found), found, np.nan)


def _groups_of(limit: EngagementGap, groups: Mapping[str, Groups]) -> Groups:
    if limit.attribute not in groups:
        raise InvalidValue(
            f"no groups of users named {limit.attribute!r}",
            field="constraints.engagement_gaps",
            mend=f"Declare them, or use one of {', '.join(groups) or 'none declared'}.",
        )
    return groups[limit.attribute]
