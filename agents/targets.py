"""Floors that ask for more than the base model's order gives, and that its pools can reach."""

import numpy as np

from ..arrays import IntArray
from ..candidates.candidate_set import CandidateSet
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..rerankers.constraints import Constraints, ExposureFloor
from ..rerankers.context import PoolContext
from ..rerankers.greedy import slate_diversity, slate_exposure_share

HALF_WAY = 0.5
MORE_DIVERSE = 1.1


def default_constraints(
    candidates: CandidateSet,
    users: IntArray | None = None,
    k: int = 10,
    attribute: str = "popularity",
    group: str = "long_tail",
) -> Constraints:
    """Floors relative to top-k: half the way to the pools' share, and 1.1 times the diversity.

    The group's share of the pools is its share of all candidates, which is what a random slate
    gives it. Where the group is already over-represented in the top-k, the floor is top-k's share.

    Args:
        candidates: The candidate artifact.
        users: User indices that the floors are computed on; all with a full pool by default.
        k: Slate length.
        attribute: Item attribute of the floor on exposure.
        group: Group of that attribute.

    Raises:
        InvalidValue: The catalogue has no such attribute or group.
    """
    return targets_over(candidates.pools(users), candidates.catalogue, k, attribute, group)


def targets_over(
    pools: CandidatePools, catalogue: Catalogue, k: int, attribute: str, group: str
) -> Constraints:
    """The floors of `default_constraints` over any pools.

    Raises:
        InvalidValue: The catalogue has no such attribute or group.
    """
    probe = Constraints(exposure=(ExposureFloor(attribute=attribute, group=group, share=0.0),))
    context = PoolContext.of(pools, catalogue, probe)
    top = np.broadcast_to(np.arange(k), (len(pools), k))
    top_share = float(slate_exposure_share(context, top).mean())
    pool_share = float(context.floors[0].sum() / context.valid.sum())
    share = top_share + HALF_WAY * max(0.0, pool_share - top_share)
    diversity = min(1.0, MORE_DIVERSE * float(slate_diversity(context, top).mean()))
    floor = ExposureFloor(attribute=attribute, group=group, share=round(share, 4))
    return Constraints(exposure=(floor,), min_diversity=round(diversity, 4))
