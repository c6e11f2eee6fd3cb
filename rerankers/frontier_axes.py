"""The measures that a frontier is drawn in: functions of sums over users, so that they resample.

Each slate gives its user a few numbers; a measure is computed from their sums. Two consequences
carry the frontier: resampling users is one matrix product (`metrics.bootstrap`), and serving each
user with one of two settings at random has the weighted sums of both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..candidates.catalogue import Groups
from ..candidates.proposals import Proposals
from ..errors import InvalidValue
from ..metrics.accuracy import ndcg, relevance_of
from ..metrics.calibration import calibration_kl, topic_distribution
from ..metrics.disaggregate import SMALL_CELL
from ..metrics.diversity import intra_list_jaccard
from ..metrics.exposure import group_exposure, parity_ratio
from ..metrics.popularity import novelty
from ..metrics.terms import divide_sums, mean_terms
from .knowledge import Knowledge

MIN_GROUP = SMALL_CELL
"""Users with held-out items that a group needs for its accuracy to be compared."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One measure of slates.

    Attributes:
        name: Short name, as on the command line.
        label: Name for a picture, with its unit.
        higher_is_better: Whether more is better.
        per_user: From slates ``(U, k)`` to the terms whose sums matter, ``(U, m)``, finite.
        value: From sums ``(..., m)`` to the measure, ``(...)``.
    """

    name: str
    label: str
    higher_is_better: bool
    per_user: Callable[[IntArray], FloatArray]
    value: Callable[[FloatArray], FloatArray]

    def worth(self, sums: FloatArray) -> FloatArray:
        """The measure with its sign turned where less is better, so that more always is."""
        return self.value(sums) if self.higher_is_better else -self.value(sums)


@dataclass(frozen=True, slots=True)
class Judge:
    """What slates are judged by.

    Attributes:
        proposals: The pools, and what was held out. Slates are of these pools' users.
        knowledge: The items and the groups.
        item_attribute: Groups of items whose exposure is compared; None where there are none.
        user_attribute: Groups of users whose accuracy is compared; None where there are none.
    """

    proposals: Proposals
    knowledge: Knowledge
    item_attribute: str | None
    user_attribute: str | None

    def accuracy(self, k: int) -> Axis:
        """Mean NDCG of the users who have held-out items.

        Raises:
            InvalidValue: Nothing was held out for any of these users.
        """
        self._judged()
        return Axis(
            "ndcg",
            f"NDCG@{k} on held-out items",
            True,
            lambda lists: _mean_columns(self._ndcg(lists)),
            divide_sums,
        )

    def against(self, name: str, k: int) -> Axis:
        """The measure called ``name``, one of `AGAINST`, for slates of ``k``.

        Raises:
            InvalidValue: There is no such measure, or what it needs is not known.
        """
        makers = {
            "exposure-ratio": self._exposure_ratio,
            "ild": self._intra_list_distance,
            "user-gap": self._user_gap,
            "worst-user-group": self._worst_user_group,
            "novelty": self._novelty,
            "calibration": self._calibration,
        }
        if name not in makers:
            raise InvalidValue(
                f"no measure named {name!r}", field="against", mend=f"Use {', '.join(makers)}."
            )
        if name == "ild" and k < 2:
            raise InvalidValue(
                "a slate of one item has no distance in it", field="k", mend="Use a k of 2 or more."
            )
        return makers[name]()

    def _exposure_ratio(self) -> Axis:
        if self.item_attribute is None:
            raise InvalidValue(
                "no groups of items were declared",
                field="attribute",
                mend="Declare some; popularity needs no other column.",
            )
        groups = self.knowledge.item_groups(self.item_attribute)
        n_groups = len(groups.names)
        sizes = np.bincount(groups.codes[groups.codes != MISSING], minlength=n_groups)
        return Axis(
            "exposure-ratio",
            f"worst / best exposure per item over groups by {groups.attribute}",
            True,
            lambda lists: group_exposure(lists, groups.codes, n_groups),
            lambda sums: parity_ratio(sums / sizes),
        )

    def _intra_list_distance(self) -> Axis:
        topics = self.knowledge.catalogue.topics
        if not topics.any():
            raise InvalidValue(
                "no item has a topic",
                field="topics",
                mend="Give the items' topics: distance within a list is measured on them.",
            )
        return _mean_axis(
            "ild",
            "intra-list distance (Jaccard on topics)",
            True,
            lambda lists: intra_list_jaccard(lists, topics),
        )

    def _novelty(self) -> Axis:
        popularity = self.knowledge.catalogue.popularity
        history = self.proposals.history
        # Where popularity counts lists, the users are those who have one.
        n_users = len(self.proposals.pools) if history is None else history.n_users
        return _mean_axis(
            "novelty", "novelty, bits", True, lambda lists: novelty(lists, popularity, n_users)
        )

    def _calibration(self) -> Axis:
        profiles = self.knowledge.profiles_of(self.proposals.pools)
        known = profiles.sum(axis=1, keepdims=True) > 0
        profiles = np.where(known, profiles, np.nan)
        topics = self.knowledge.catalogue.topics
        return _mean_axis(
            "calibration",
            "KL divergence of topics from the user's history, nats",
            False,
            lambda lists: calibration_kl(profiles, topic_distribution(lists, topics)),
        )

    def _user_gap(self) -> Axis:
        per_user, means, attribute = self._accuracy_by_group()
        return Axis(
            "user-gap",
            f"NDCG, best − worst group of users by {attribute}",
            False,
            per_user,
            lambda sums: np.ptp(means(sums), axis=-1),
        )

    def _worst_user_group(self) -> Axis:
        per_user, means, attribute = self._accuracy_by_group()
        return Axis(
            "worst-user-group",
            f"NDCG of the worst-off group of users by {attribute}",
            True,
            per_user,
            lambda sums: means(sums).min(axis=-1),
        )

    def _accuracy_by_group(
        self,
    ) -> tuple[Callable[[IntArray], FloatArray], Callable[[FloatArray], FloatArray], str]:
        """Terms per user, group means of their sums, and the attribute's name."""
        member, attribute = self._members()
        n = member.shape[1]

        def per_user(lists: IntArray) -> FloatArray:
            value = np.nan_to_num(self._ndcg(lists))
            return np.hstack([member * value[:, None], member])

        return per_user, lambda sums: sums[..., :n] / np.maximum(sums[..., n:], 1e-12), attribute

    def _members(self) -> tuple[FloatArray, str]:
        """Membership of judged users in each group that is large enough, ``(U, G)``."""
        if self.user_attribute is None:
            raise InvalidValue(
                "no groups of users were declared",
                field="user_attribute",
                mend="Declare some, or give a history to tell active from inactive users.",
            )
        groups: Groups = self.knowledge.groups_of_users(self.user_attribute)
        codes = np.where(self._judged(), groups.codes[self.proposals.pools.users], MISSING)
        member = codes[:, None] == np.arange(len(groups.names))
        large = member.sum(axis=0) >= MIN_GROUP
        if large.sum() < 2:
            raise InvalidValue(
                f"fewer than two groups by {groups.attribute!r} have {MIN_GROUP} users with "
                "held-out items",
                field="user_attribute",
                mend="Use another attribute, merge its groups, or give more users.",
            )
        return member[:, large].astype(np.float64), groups.attribute

    def _judged(self) -> BoolArray:
        """Users of the pools who have held-out items, shape ``(U,)``."""
        relevant = self.proposals.relevant
        if relevant is None:
            raise InvalidValue(
                "nothing says what was relevant, and a model's own scores are no truth",
                field="relevance",
                mend="Give held-out pairs of user and item.",
            )
        judged = relevant.counts_per_user()[self.proposals.pools.users] > 0
        if not judged.any():
            raise InvalidValue(
                "none of the users with a list has a held-out item",
                field="relevance",
                mend="Give held-out pairs of these users; ids must be written alike.",
            )
        return judged

    def _ndcg(self, lists: IntArray) -> FloatArray:
        relevant = self.proposals.relevant
        assert relevant is not None  # `_judged` was asked first
        users = self.proposals.pools.users
        n_items = self.knowledge.catalogue.n_items
        return ndcg(*relevance_of(lists, users, relevant.user, relevant.item, n_items))


AGAINST = ("exposure-ratio", "ild", "user-gap", "worst-user-group", "novelty", "calibration")
"""Names of the measures that accuracy can be drawn against."""


def _mean_axis(
    name: str, label: str, higher_is_better: bool, measure: Callable[[IntArray], FloatArray]
) -> Axis:
    """The mean over users of a measure of one slate; NaN leaves a user out."""
    return Axis(
        name, label, higher_is_better, lambda lists: _mean_columns(measure(lists)), divide_sums
    )


def _mean_columns(values: FloatArray) -> FloatArray:
    return np.asarray(mean_terms(values).columns)
