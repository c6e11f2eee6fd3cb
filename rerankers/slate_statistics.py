"""Every figure that can be given of slates, by name, from what is known of users and items."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import MISSING, BoolArray, FloatArray, IntArray
from ..candidates.catalogue import Groups
from ..candidates.proposals import Proposals
from ..errors import InvalidValue
from ..metrics import variants
from ..metrics.accuracy import ndcg
from ..metrics.disaggregate import SMALL_CELL
from ..metrics.evidence import Evidence
from ..metrics.exposure import list_exposure
from ..metrics.item_statistics import share_of
from ..metrics.metric import Direction, Metric
from ..metrics.popularity import profile_popularity
from ..metrics.registry import METRICS
from ..metrics.terms import Measured, Terms
from .knowledge import Knowledge, target_shares

MIN_GROUP = SMALL_CELL
"""Users with held-out items that a group needs for its accuracy to be shown."""

_LIBRARIES = frozenset({"elliot", "lenskit", "recbole", "trec"})
_WHAT_TO_GIVE = {
    "held_users": "held-out pairs of user and item",
    "held_items": "held-out pairs of user and item",
    "held_grades": "held-out pairs with a rating above 0",
    "topics": "the items' topics",
    "embeddings": "embeddings of the items, which files do not hold",
    "profile_topics": "a history, and the items' topics",
    "profile_popularity": "a history",
    "long_tail": "a declared long tail of the items",
    "item_groups": "declared groups of items",
    "target": "declared groups of items",
}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One figure.

    Attributes:
        name: Name of the metric.
        of: Groups it is about, such as ``"popularity"`` or ``"popularity=head"``; else empty.
        kind: What it is about.
        meaning: One line, with its unit.
        direction: Which values are preferred.
        target: The value aimed at, where there is one.
        measured: Values per user, or terms.
    """

    name: str
    of: str
    kind: str
    meaning: str
    direction: Direction
    target: float | None
    measured: Measured

    @property
    def key(self) -> str:
        """Unique among the statistics of one set of slates."""
        return f"{self.name} {self.of}".strip()


class SlateStatistics:
    """Computes the same figures for any slates of the same users.

    Args:
        proposals: The users, and what was held out and seen before.
        knowledge: Items, groups and profiles.
        with_variants: Add what other libraries compute under the same names.
    """

    def __init__(
        self, proposals: Proposals, knowledge: Knowledge, *, with_variants: bool = False
    ) -> None:
        self._proposals, self._knowledge = proposals, knowledge
        self._metrics = [metric for metric in METRICS if with_variants or not _is_variant(metric)]

    def of(self, lists: IntArray) -> list[Statistic]:
        """Every figure that can be computed, for slates ``(U, k)`` in the order of the pools."""
        evidence = self._evidence(lists)
        found = [
            _statistic(metric, evidence, "")
            for metric in self._metrics
            if metric.computable(evidence) and "item_groups" not in metric.needs
        ]
        for groups in self._grouped_items():
            grouped = replace(evidence, item_groups=groups, target=_catalogue_shares(groups))
            found += [
                _statistic(metric, grouped, groups.attribute)
                for metric in self._metrics
                if metric.computable(grouped) and "item_groups" in metric.needs
            ]
            found += _exposure_shares(grouped, groups)
        for groups in self._knowledge.user_groups.values():
            found += self._accuracy_by_group(evidence, groups)
        return found

    def missing(self, lists: IntArray) -> dict[str, str]:
        """What each figure that cannot be computed would need, by its name."""
        evidence = self._evidence(lists)
        for groups in self._grouped_items()[:1]:
            evidence = replace(evidence, item_groups=groups, target=_catalogue_shares(groups))
        reasons: dict[str, str] = {}
        for metric in self._metrics:
            lacking = [need for need in metric.needs if not evidence.known(need)]
            if lacking:
                wanted = dict.fromkeys(_WHAT_TO_GIVE.get(need, need) for need in lacking)
                reasons[metric.name] = f"needs {' and '.join(wanted)}"
        for groups in self._knowledge.user_groups.values():
            reasons |= self._small_cells(evidence, groups)
        if not self._knowledge.user_groups:
            reasons["ndcg by group of users"] = "needs declared groups of users"
        return reasons

    def _grouped_items(self) -> list[Groups]:
        """Declared groups of items of which at least one item's is known."""
        declared = self._knowledge.catalogue.groups.values()
        return [groups for groups in declared if groups.n_missing < len(groups.codes)]

    def _evidence(self, lists: IntArray) -> Evidence:
        proposals, catalogue = self._proposals, self._knowledge.catalogue
        users, history = proposals.pools.users, proposals.history
        profiles = self._knowledge.profiles
        held = _held_out(proposals)
        return Evidence(
            lists=lists,
            n_items=catalogue.n_items,
            held_users=None if held is None else held[0],
            held_items=None if held is None else held[1],
            held_grades=None if held is None else held[2],
            topics=catalogue.topics if catalogue.topics.any() else None,
            embeddings=self._knowledge.item_embeddings,
            popularity=catalogue.popularity,
            n_train_users=len(users) if history is None else history.n_users,
            long_tail=_long_tail(catalogue.groups),
            profile_topics=None if profiles is None else profiles[users],
            profile_popularity=None
            if history is None
            else profile_popularity(
                history.user, history.item, catalogue.popularity, history.n_users
            )[users],
        )

    def _accuracy_by_group(self, evidence: Evidence, groups: Groups) -> Iterator[Statistic]:
        """NDCG of each group of users that is large enough, and the gap between them."""
        if not evidence.known("held_users"):
            return
        value = ndcg(evidence.relevance, evidence.n_relevant)
        member = self._judged_members(evidence, groups)
        large = np.flatnonzero(member.sum(axis=0) >= MIN_GROUP)
        for g in large:
            of = f"{groups.attribute}={groups.names[g]}"
            n_users = int(member[:, g].sum())
            meaning = f"NDCG of the {n_users:,} users of this group"
            part = np.where(member[:, g], value, np.nan)
            yield Statistic("ndcg", of, "users", meaning, "higher", None, part)
        if len(large) >= 2:
            meaning = f"largest − smallest NDCG over the groups of at least {MIN_GROUP} users"
            gap = _gap_terms(value, member[:, large])
            yield Statistic("ndcg_gap", groups.attribute, "users", meaning, "lower", None, gap)

    def _small_cells(self, evidence: Evidence, groups: Groups) -> dict[str, str]:
        """Groups of users that are counted and not shown."""
        if not evidence.known("held_users"):
            return {}
        counts = self._judged_members(evidence, groups).sum(axis=0)
        return {
            f"ndcg {groups.attribute}={name}": f"{count} users with held-out items, fewer than the "
            f"{MIN_GROUP} that a group needs to be shown"
            for name, count in zip(groups.names, counts, strict=True)
            if count < MIN_GROUP
        }

    def _judged_members(self, evidence: Evidence, groups: Groups) -> BoolArray:
        """Users with held-out items in each group, shape ``(U, G)``."""
        codes = groups.codes[self._proposals.pools.users]
        return (codes[:, None] == np.arange(len(groups.names))) & (evidence.n_relevant > 0)[:, None]


def _is_variant(metric: Metric) -> bool:
    """Whether a figure is there to match another library's, not to be reported."""
    library = metric.name.rsplit("_", 1)[-1]
    return metric.function.__module__ == variants.__name__ or library in _LIBRARIES


def _statistic(metric: Metric, evidence: Evidence, of: str) -> Statistic:
    assert metric.measured is not None  # it is computable
    return Statistic(
        metric.name,
        of,
        metric.kind,
        metric.meaning,
        metric.direction,
        metric.target,
        metric.measured(evidence),
    )


def _exposure_shares(evidence: Evidence, groups: Groups) -> list[Statistic]:
    """Share of all exposure that each group of items receives, beside its share of the items."""
    total = list_exposure(evidence.lists)
    of_items = _catalogue_shares(groups)
    return [
        Statistic(
            "exposure_share",
            f"{groups.attribute}={name}",
            "exposure",
            f"share of the exposure; the group is {of_items[g]:.1%} of the items",
            "target",
            float(of_items[g]),
            share_of(evidence.exposure_by_group, total, g),
        )
        for g, name in enumerate(groups.names)
    ]


def _gap_terms(value: FloatArray, member: BoolArray) -> Terms:
    """Largest − smallest group mean, as a function of sums over users."""
    counts = member.astype(np.float64)
    columns = np.hstack([counts * np.nan_to_num(value)[:, None], counts])
    n = member.shape[1]

    def reduce(sums: FloatArray) -> FloatArray:
        size = sums[..., n:]
        means = np.divide(sums[..., :n], size, out=np.full(size.shape, np.nan), where=size > 0)
        return means.max(axis=-1) - means.min(axis=-1)

    return Terms(columns, reduce, counts.sum(axis=1) > 0, centred=True)


def _catalogue_shares(groups: Groups) -> FloatArray:
    return target_shares(groups, None)


def _long_tail(groups: dict[str, Groups]) -> BoolArray | None:
    """Items of the group called long tail, if one is declared."""
    for declared in groups.values():
        if "long_tail" in declared.names:
            return declared.mask("long_tail")
    return None


def _held_out(proposals: Proposals) -> tuple[IntArray, IntArray, FloatArray | None] | None:
    """Row in the pools, item and grade of each held-out pair of a user with a list."""
    relevant = proposals.relevant
    if relevant is None:
        return None
    users = proposals.pools.users
    row = np.full(len(proposals.user_ids), MISSING)
    row[users] = np.arange(len(users))
    rows = row[relevant.user]
    has_list = rows != MISSING
    if not has_list.any():
        raise InvalidValue(
            "none of the users with a list has a held-out item",
            field="relevance",
            mend="Give held-out pairs of these users; ids must be written alike.",
        )
    grades = relevant.rating[has_list]
    graded = (grades > 0).all() and (grades != 1.0).any()
    return rows[has_list], relevant.item[has_list], grades if graded else None
