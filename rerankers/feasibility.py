"""Whether any slates from the given pools can meet the floors at all.

Exposure is answered exactly, amortised over one slate per user. A user's slate can give a set S
of disjoint groups at most the exposure of its top min(k, members of S) positions, and that bound
is a submodular function of S. So the shares that can be had on average are exactly those that
respect the bound for *every* set of groups (Edmonds 1970), and each set is checked.

Diversity is bracketed, because the most diverse slate is NP-hard to find: what the greedy builder
reaches can be had, what is above the bound cannot. A target between the two is let through and
`Reach.diversity_is_sure` says so. Floors on different attributes, and floors together with
diversity, are checked one by one and not jointly.
"""

from dataclasses import dataclass
from itertools import chain, combinations, groupby

import numpy as np

from ..arrays import BoolArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import EmptyData, InvalidValue, UnreachableConstraint
from ..metrics.exposure import position_discount
from .base import require_k
from .constraints import Constraints, ExposureFloor
from .context import PoolContext
from .greedy import build_slates, slate_diversity

TOLERANCE = 1e-6
"""Rounding that is forgiven when a target equals the reach."""

MOST_GROUPS = 12
"""Floors on one attribute of which every set is checked; with more, singles and all together."""

DIVERSITY_FIRST = 1e6
"""Distance strength at which the base score only breaks ties."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What slates of length ``k`` from the pools can give.

    Attributes:
        shares: Largest exposure share of each floor's group by itself, in the order of the
            floors; exact.
        diversity_found: Mean diversity of slates built for diversity alone; it can be had.
        diversity_bound: Mean of an upper bound on each slate's diversity.
        diversity_is_sure: True when no diversity is asked for, or the target is at most
            ``diversity_found``.
    """

    shares: tuple[float, ...]
    diversity_found: float
    diversity_bound: float
    diversity_is_sure: bool


def check_reachable(
    pools: CandidatePools, constraints: Constraints, catalogue: Catalogue, k: int
) -> Reach:
    """Refuse targets that no slates from these pools can meet.

    Args:
        pools: The pools of the users that the constraints are for.
        constraints: Floors and filters; the filters are applied first.
        catalogue: The items.
        k: Slate length.

    Raises:
        UnreachableConstraint: A target is above what any slates can give.
        EmptyData: There is no pool.
        InvalidValue: The filters leave a user fewer than ``k`` candidates.
    """
    if not len(pools):
        raise EmptyData("no candidate pools", field="pools")
    kept = pools.keep(constraints.filters.allowed(catalogue))
    try:
        require_k(kept, k)
    except InvalidValue as error:
        smallest = int(kept.sizes.min())
        raise InvalidValue(
            f"after the filters the smallest pool holds {smallest} candidates, fewer than k={k}",
            field="filters",
            mend="Loosen the filters, lower k, or make larger pools.",
        ) from error
    for attribute, floors in groupby(
        sorted(constraints.exposure, key=lambda f: f.attribute), key=lambda f: f.attribute
    ):
        _check_attribute(attribute, list(floors), kept, catalogue, k)
    shares = tuple(_reach(kept, _members(catalogue, [f]), k) for f in constraints.exposure)
    found, bound = _diversity_reach(kept, constraints, catalogue, k)
    target = constraints.min_diversity
    if target is not None and target > bound + TOLERANCE:
        raise UnreachableConstraint(
            f"the target {target:.4g} is above {bound:.4g}, a bound on the mean diversity of any "
            f"slates of {k} from these pools",
            field="constraints.min_diversity",
            mend=f"Ask for at most {_down(found)}, which slates can reach, or widen the pools.",
        )
    sure = target is None or target <= found + TOLERANCE
    return Reach(shares, found, bound, sure)


def _check_attribute(
    attribute: str,
    floors: list[ExposureFloor],
    pools: CandidatePools,
    catalogue: Catalogue,
    k: int,
) -> None:
    """Hold the floors of one attribute, each and together, against what their groups can get."""
    # Two floors on one group (with different windows) come down to the higher one.
    highest = list({f.group: f for f in sorted(floors, key=lambda f: f.share)}.values())
    sizes = range(1, len(highest) + 1) if len(highest) <= MOST_GROUPS else (1, len(highest))
    for together in chain.from_iterable(combinations(highest, n) for n in sizes):
        target = sum(f.share for f in together)
        reach = _reach(pools, _members(catalogue, list(together)), k)
        if target > reach + TOLERANCE:
            names = " + ".join(f.group for f in together)
            raise UnreachableConstraint(
                f"the target share {target:.4g} of {attribute}={names} is above {reach:.4g}, the "
                f"largest that slates of {k} from these pools can give",
                field=f"constraints.exposure[{attribute}={names}]",
                mend=f"Ask for at most {_down(reach)}, or put more of its items into the pools.",
            )


def _members(catalogue: Catalogue, floors: list[ExposureFloor]) -> BoolArray:
    """Items in the group of any of the floors, shape ``(I,)``."""
    masks = [catalogue.group(f.attribute).mask(f.group) for f in floors]
    return np.logical_or.reduce(masks)


def _reach(pools: CandidatePools, members: BoolArray, k: int) -> float:
    """Exposure share of a group when its items take every top position that they can fill."""
    in_group = pools.valid & members[np.maximum(pools.items, 0)]
    filled = np.minimum(in_group.sum(axis=1), k)
    cumulative = np.concatenate([[0.0], np.cumsum(position_discount(k))])
    return float(cumulative[filled].mean() / cumulative[k])


def _diversity_reach(
    pools: CandidatePools, constraints: Constraints, catalogue: Catalogue, k: int
) -> tuple[float, float]:
    """Mean diversity that greedy slates reach, and a mean that no slates can exceed."""
    if k < 2:
        return 0.0, 0.0
    context = PoolContext.of(pools, catalogue, constraints)
    columns = build_slates(context.memoryless[:, 0], DIVERSITY_FIRST, context, k)
    found = float(slate_diversity(context, columns).mean())
    return found, float(np.mean([_diversity_bound(context, row, k) for row in range(len(pools))]))


def _diversity_bound(context: PoolContext, row: int, k: int) -> float:
    """The mean of the ``k`` candidates whose ``k − 1`` farthest others are farthest."""
    patterns = context.patterns[row, context.valid[row]]
    distance = context.pattern_distance[np.ix_(patterns, patterns)]
    farthest = np.partition(distance, -(k - 1), axis=1)[:, -(k - 1) :].mean(axis=1)
    return float(np.partition(farthest, -k)[-k:].mean())


def _down(value: float) -> str:
    """Rounded down to three digits, so that the advice itself can be met."""
    return f"{np.floor(value * 1000) / 1000:.3f}"
