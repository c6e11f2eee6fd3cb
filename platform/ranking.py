"""What `fairloop rerank` and `fairloop frontier` work on: lists, groups and limits, checked."""

from dataclasses import dataclass, replace

import numpy as np

from ..agents.targets import targets_over
from ..candidates.catalogue import Groups
from ..candidates.groups import CROSS, GroupsConfig, crossed
from ..candidates.proposals import Proposals
from ..candidates.read_top_n import read_top_n
from ..candidates.top_n_tables import TopNFiles
from ..errors import InvalidValue
from ..metrics.exposure import exposure_per_item
from ..rerankers.constraints import Constraints
from ..rerankers.knowledge import Knowledge, topic_profiles
from ..rerankers.ratios import resolve
from .db.engine import Database
from .home import Home


@dataclass(frozen=True, slots=True)
class Ranking:
    """Lists to re-rank, with everything that re-rankers and measures may know.

    Attributes:
        proposals: Users with at least ``k`` candidates each.
        knowledge: Items, limits, groups and profiles.
        k: Slate length.
        item_attribute: Groups of items whose exposure is compared; None where none are declared.
        user_attribute: Groups of users whose accuracy is compared; None where none are declared.
    """

    proposals: Proposals
    knowledge: Knowledge
    k: int
    item_attribute: str | None
    user_attribute: str | None

    @property
    def notes(self) -> dict[str, str]:
        """What a reader of the figures has to know about the data."""
        proposals = self.proposals
        told = {"popularity": _POPULARITY[proposals.popularity_from]}
        told |= {what: f"{n:,}" for what, n in proposals.counts.items()}
        if proposals.relevant is not None:
            held = proposals.relevant.counts_per_user()
            n_judged = int(np.count_nonzero(held[proposals.pools.users]))
            told["users with held-out items"] = f"{n_judged:,} of {len(proposals.pools):,}"
        return told


_POPULARITY = {
    "history": "counted in the history",
    "proposals": "counted in the proposed lists, for want of a history",
}


def proposals_from_files(files: TopNFiles, groups: GroupsConfig | None) -> Proposals:
    """Lists out of files; see `read_top_n`."""
    return read_top_n(files, groups)


def proposals_in_service(home: Home, database: Database) -> Proposals:
    """The deployed candidates.

    Raises:
        ArtifactNotFound: None were trained yet.
    """
    from .training import deployed_candidates  # loads langchain, which lists in files do not need

    return Proposals.of(deployed_candidates(home, database)[1])


def prepare(
    proposals: Proposals,
    k: int,
    *,
    drop_short: bool = False,
    constraints: Constraints | None = None,
    item_attribute: str | None = None,
    user_attribute: str | None = None,
) -> Ranking:
    """Check lists, groups and limits, and gather what may be known.

    Args:
        proposals: The lists.
        k: Slate length.
        drop_short: Leave users with fewer than ``k`` candidates out.
        constraints: Limits and filters. By default a floor for the group of ``item_attribute`` with
            the least exposure per item, half-way from the base order's share to the pools', and a
            floor on diversity at 1.1 times the base order's.
        item_attribute: Groups of items; popularity, or the first declared, where None. ``a*b``
            crosses two attributes.
        user_attribute: Groups of users; activity, or the first declared, where None. Crossed
            likewise.

    Raises:
        InvalidValue: An attribute is not declared, users have too few candidates, or a limit is on
            what lists do not show.
    """
    fitting = _with_crossed(
        proposals.for_slates(k, drop_short=drop_short), item_attribute, user_attribute
    )
    catalogue = fitting.catalogue
    of_items = _chosen(item_attribute, list(catalogue.groups), "popularity", "attribute")
    of_users = _chosen(user_attribute, list(fitting.user_groups), "activity", "user_attribute")
    if constraints is None:
        constraints = Constraints() if of_items is None else _floors(fitting, k, of_items)
    constraints.refuse_engagement_gaps("a re-ranking of lists")
    constraints = resolve(constraints, fitting.pools, catalogue)
    history = fitting.history
    known = history is not None and len(catalogue.topic_names) > 0
    knowledge = Knowledge(
        catalogue=catalogue,
        constraints=constraints,
        user_groups=fitting.user_groups,
        profiles=topic_profiles(catalogue, history) if known and history is not None else None,
        item_embeddings=fitting.item_embeddings,
    )
    return Ranking(fitting, knowledge, k, of_items, of_users)


def _with_crossed(
    proposals: Proposals, item_attribute: str | None, user_attribute: str | None
) -> Proposals:
    """The same with the intersections that were asked for among its groups."""
    of_items = _crossed(proposals.catalogue.groups, item_attribute, "attribute")
    of_users = _crossed(proposals.user_groups, user_attribute, "user_attribute")
    return replace(
        proposals,
        catalogue=replace(proposals.catalogue, groups=of_items),
        user_groups=of_users,
    )


def _crossed(groups: dict[str, Groups], named: str | None, field: str) -> dict[str, Groups]:
    if named is None or CROSS not in named or named in groups:
        return groups
    parts = [_chosen(part, list(groups), part, field) for part in named.split(CROSS)]
    return {**groups, named: crossed([groups[part] for part in parts if part is not None])}


def _chosen(named: str | None, declared: list[str], usual: str, field: str) -> str | None:
    """The attribute that was asked for, or the usual one, or the first there is."""
    if named is not None and named not in declared:
        raise InvalidValue(
            f"no groups named {named!r}",
            field=field,
            mend=f"Declare them, or use one of {', '.join(declared) or 'none declared'}.",
        )
    return named or (usual if usual in declared else next(iter(declared), None))


def _floors(proposals: Proposals, k: int, attribute: str) -> Constraints:
    """Floors half-way to what the pools give, for the group with the least exposure per item."""
    groups = proposals.catalogue.group(attribute)
    top = proposals.pools.items[:, :k]
    per_item = exposure_per_item(top, groups.codes, len(groups.names))
    if np.isnan(per_item).all():
        return Constraints()
    least = groups.names[int(np.nanargmin(per_item))]
    return targets_over(proposals.pools, proposals.catalogue, k, attribute, least)
