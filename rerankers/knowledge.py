"""What a re-ranker may know besides the pools it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from ..arrays import MISSING, FloatArray, IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue, Groups
from ..candidates.interactions import Interactions
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue
from .constraints import Constraints
from .state import StateLookup


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The items, the limits, and what is known of the users.

    Attributes:
        catalogue: The items.
        constraints: Floors for re-rankers that know them, filters for all.
        states: Looks up the users' observed state, for re-rankers that use it.
        user_groups: Groups of users by attribute, codes indexed by user.
        profiles: Topic shares of every user's history, shape ``(n_users, T)``, rows that sum to 1;
            NaN for a user without one.
        item_embeddings: Shape ``(I, D)``, where a model has them.
    """

    catalogue: Catalogue
    constraints: Constraints = field(default_factory=Constraints)
    states: StateLookup | None = None
    user_groups: Mapping[str, Groups] = field(default_factory=dict[str, Groups])
    profiles: FloatArray | None = None
    item_embeddings: FloatArray | None = None

    @classmethod
    def of(
        cls,
        candidates: CandidateSet,
        constraints: Constraints | None = None,
        states: StateLookup | None = None,
    ) -> Self:
        """Everything that a candidate set tells."""
        return cls(
            catalogue=candidates.catalogue,
            constraints=Constraints() if constraints is None else constraints,
            states=states,
            user_groups=candidates.user_groups,
            profiles=history_profiles(candidates),
            item_embeddings=candidates.item_embeddings,
        )

    def item_groups(self, attribute: str) -> Groups:
        """The item groups of an attribute, each with at least one item.

        Raises:
            InvalidValue: There is no such attribute, or one of its groups holds no item: a group
                that can never be shown would make every minimum over groups 0.
        """
        return _without_empty(self.catalogue.group(attribute), "items")

    def groups_of_users(self, attribute: str) -> Groups:
        """The user groups of an attribute, each with at least one user.

        Raises:
            InvalidValue: There is no such attribute, or a group without users.
        """
        if attribute not in self.user_groups:
            raise InvalidValue(
                f"no user groups named {attribute!r}",
                field="user_attribute",
                mend=f"Declare it, or use one of {', '.join(self.user_groups) or 'none declared'}.",
            )
        return _without_empty(self.user_groups[attribute], "users")

    def profiles_of(self, pools: CandidatePools) -> FloatArray:
        """Topic shares of the pools' users, shape ``(U, T)``; all 0 for one without a history.

        Raises:
            InvalidValue: No profiles are known, or a user index lies outside them.
        """
        if self.profiles is None:
            raise InvalidValue(
                "the users' topic profiles are not known",
                field="profiles",
                mend="Give Knowledge the topic shares of the users' histories.",
            )
        if len(pools) and int(pools.users.max()) >= len(self.profiles):
            raise InvalidValue(
                f"user index {int(pools.users.max())}, but {len(self.profiles)} profiles",
                field="profiles",
                mend="Give one row per user of the data set.",
            )
        return np.nan_to_num(self.profiles[pools.users])


def history_profiles(candidates: CandidateSet) -> FloatArray:
    """Topic shares of every user's training items, shape ``(n_users, T)``; see `topic_profiles`."""
    return topic_profiles(candidates.catalogue, candidates.train)


def topic_profiles(catalogue: Catalogue, history: Interactions) -> FloatArray:
    """Topic shares of every user's past items (Steck 2018), shape ``(n_users, T)``.

    An item of several topics spreads its weight evenly over them; NaN for a user whose items have
    no topic.
    """
    topics = catalogue.topics
    spread = topics / np.maximum(topics.sum(axis=1, keepdims=True), 1)
    total = np.zeros((history.n_users, topics.shape[1]))
    np.add.at(total, history.user, spread[history.item])
    mass = total.sum(axis=1, keepdims=True)
    return np.divide(total, mass, out=np.full(total.shape, np.nan), where=mass > 0)


def column_codes(groups: Groups, pools: CandidatePools) -> IntArray:
    """Group of every column, shape ``(U, N)``; ``MISSING`` in padding and where not known."""
    return np.where(pools.valid, groups.codes[np.maximum(pools.items, 0)], MISSING)


def target_shares(groups: Groups, targets: Mapping[str, float] | None) -> FloatArray:
    """Wanted share of each group, in the order of its names, shape ``(G,)``, sums to 1.

    Args:
        groups: The attribute.
        targets: Shares by group name, one left out at most: it gets what remains. Where None,
            each group's share of the items.

    Raises:
        InvalidValue: A name is not a group, a share is negative, or they do not sum to 1.
    """
    if targets is None:
        counts = np.bincount(groups.codes[groups.codes != MISSING], minlength=len(groups.names))
        return counts / counts.sum()
    unknown = sorted(set(targets).difference(groups.names))
    if unknown:
        raise InvalidValue(
            f"no group named {', '.join(map(repr, unknown))} in {groups.attribute!r}",
            field="targets",
            mend=f"Use names among {', '.join(groups.names)}.",
        )
    left_out = [name for name in groups.names if name not in targets]
    total = float(sum(targets.values()))
    if any(not 0.0 <= share <= 1.0 for share in targets.values()) or total > 1.0 + 1e-9:
        raise InvalidValue(
            f"shares {dict(targets)} are negative or sum to {total:g}",
            field="targets",
            mend="Give shares in [0, 1] that sum to at most 1.",
        )
    if len(left_out) > 1 or (not left_out and total < 1.0 - 1e-9):
        raise InvalidValue(
            f"shares sum to {total:g} and leave out {', '.join(left_out) or 'no group'}",
            field="targets",
            mend="Give every group a share, or leave one out: it gets what remains.",
        )
    return np.array([targets.get(name, max(1.0 - total, 0.0)) for name in groups.names])


def _without_empty(groups: Groups, what: str) -> Groups:
    sizes = np.bincount(groups.codes[groups.codes != MISSING], minlength=len(groups.names))
    empty = [name for name, size in zip(groups.names, sizes, strict=True) if size == 0]
    if empty:
        raise InvalidValue(
            f"group {empty[0]!r} of {groups.attribute!r} holds no {what}",
            field=groups.attribute,
            mend="Leave the empty group out of the declaration, or merge it with another.",
        )
    return groups
