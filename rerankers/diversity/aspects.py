"""What items are about, and how much of each aspect a user should be shown.

An aspect is a topic, wanted as often as in the user's history, or a group of an item attribute,
wanted as often as a target says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...arrays import MISSING, BoolArray, FloatArray, IntArray
from ...candidates.pools import CandidatePools
from ...errors import InvalidValue
from ..knowledge import Knowledge, target_shares
from ..patterns import TopicPatterns

TOPICS = "topics"
"""Name that stands for the catalogue's topics; any other is that of an item attribute."""


@dataclass(frozen=True, slots=True)
class Aspects:
    """Aspects of every item, and where the users' shares of them come from.

    Attributes:
        codes: Row of ``members`` of every item, shape ``(I,)``.
        members: The distinct sets of aspects, shape ``(P, A)``, 0 or 1. An item may have none.
        knowledge: Where the users' topic profiles are looked up.
        targets: Share of every aspect, the same for all users, shape ``(A,)``; None where it is
            the user's own.
    """

    codes: IntArray
    members: FloatArray
    knowledge: Knowledge
    targets: FloatArray | None

    @classmethod
    def of(cls, knowledge: Knowledge, name: str, targets: Mapping[str, float] | None) -> Self:
        """The topics, or the groups of an attribute.

        Args:
            knowledge: Items and users.
            name: ``TOPICS`` or an item attribute.
            targets: Wanted share of each group; each group's share of the items where None.

        Raises:
            InvalidValue: There is no such attribute or one of its groups is empty, the targets do
                not fit it, no item has a topic, or targets are given for topics.
        """
        if name == TOPICS:
            if targets is not None:
                raise InvalidValue(
                    "topics are wanted as in each user's history",
                    field="targets",
                    mend="Leave the targets out, or name an item attribute as aspects.",
                )
            if not knowledge.catalogue.topics.any():
                raise InvalidValue(
                    "no item has a topic",
                    field="topics",
                    mend="Give the items' topics, or name an item attribute as aspects.",
                )
            patterns = TopicPatterns.of(knowledge.catalogue)
            return cls(patterns.codes, patterns.topics.astype(np.float64), knowledge, None)
        groups = knowledge.item_groups(name)
        n_groups = len(groups.names)
        # The last row is that of the items whose group is not known.
        members = np.vstack([np.eye(n_groups), np.zeros(n_groups)])
        codes = np.where(groups.codes == MISSING, n_groups, groups.codes)
        return cls(codes, members, knowledge, target_shares(groups, targets))

    @property
    def n_aspects(self) -> int:
        """Number of aspects ``A``."""
        return self.members.shape[1]

    def wanted(self, pools: CandidatePools) -> FloatArray:
        """Share of each aspect that is wanted for each user, float64, shape ``(U, A)``.

        Rows sum to 1, or to 0 for a user without a history.

        Raises:
            InvalidValue: The users' topic profiles are needed and not known, or of other topics.
        """
        if self.targets is not None:
            return np.tile(self.targets, (len(pools), 1))
        profiles = self.knowledge.profiles_of(pools).astype(np.float64)
        if profiles.shape[1] != self.n_aspects:
            raise InvalidValue(
                f"{profiles.shape[1]} topic shares per user for {self.n_aspects} topics",
                field="profiles",
                mend="Give one column per topic of the catalogue.",
            )
        return profiles

    def member(self, pools: CandidatePools, rows: slice) -> FloatArray:
        """Whether each candidate of some users has each aspect, 0 or 1, shape ``(U, N, A)``.

        Padding has those of item 0: its relevance is 0 and it is never chosen, so none counts.
        """
        return self.members[self.codes[np.maximum(pools.items[rows], 0)]]


def shares(relevance: FloatArray) -> FloatArray:
    """P(item | user): relevance as a share of the pool's, shape ``(U, N)``; 0 where all are 0."""
    total = relevance.sum(axis=1, keepdims=True)
    return relevance / np.where(total > 0, total, 1.0)


def shares_by_aspect(relevance: FloatArray, member: FloatArray) -> FloatArray:
    """P(item | aspect): relevance as a share of that of all candidates with the aspect.

    As in Vargas, Castells & Vallet (SIGIR 2011).

    Args:
        relevance: Not negative, shape ``(U, N)``.
        member: 0 or 1, shape ``(U, N, A)``.

    Returns:
        Shape ``(U, N, A)``; sums to 1 over the candidates, or to 0 for an aspect that none has.
    """
    mass = relevance[:, :, None] * member
    total = mass.sum(axis=1, keepdims=True)
    mass /= np.where(total > 0, total, 1.0)
    return mass


def weighted_sum(coverage: FloatArray, weights: FloatArray) -> FloatArray:
    """Σ_a weight · coverage, from ``(U, N, A)`` and ``(U, A)`` to ``(U, N)``."""
    return (coverage @ weights[:, :, None])[:, :, 0]


def masked(values: FloatArray, valid: BoolArray) -> FloatArray:
    """A copy with −∞ where no candidate stands, so that it is never the best."""
    return np.where(valid, values, -np.inf)
