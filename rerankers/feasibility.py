"""Whether any slates from the given pools can meet the limits at all.

Exposure is answered exactly, amortised over one slate per user. A user's slate can give a set S
of disjoint groups at most the exposure of its top min(k, members of S) positions, and that bound
is a submodular function of S. So the shares that can be had on average are exactly those that
respect the bound for *every* set of groups (Edmonds 1970), and each set is checked. Ceilings on a
set are floors on all that is outside it; floors and ceilings together can be met exactly where
each kind can and no floor lies above its group's ceiling (Fujishige 2005, "Submodular Functions
and Optimization", on base polyhedra within boxes).

Diversity is bracketed, because the most diverse slate is NP-hard to find: what the greedy builder
reaches can be had, what is above the bound cannot. A target between the two is let through and
`Reach.diversity_is_sure` says so. Limits on different attributes, and limits together with
diversity, are checked one by one and not jointly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, groupby

import numpy as np

from ..arrays import BoolArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import EmptyData, InvalidValue, UnreachableConstraint
from ..metrics.exposure import position_discount
from .base import require_k
from .constraints import Constraints, ExposureCeiling, ExposureFloor, ExposureLimit
from .context import PoolContext
from .greedy import build_slates, slate_diversity

TOLERANCE = 1e-6
"""Rounding that is forgiven when a target equals the reach."""

MOST_GROUPS = 12
"""Limits on one attribute of which every set is checked; with more, singles and all together."""

DIVERSITY_FIRST = 1e6
"""Distance strength at which the base score only breaks ties."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What slates of length ``k`` from the pools can give.

    Attributes:
        shares: Largest exposure share, by itself, of what each limit on exposure keeps up (a
            floor's group, all but a ceiling's), in their order; exact.
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
        constraints: Limits and filters; the filters are applied first. Limits on engagement gaps
            are not looked at: whether users answer alike does not follow from pools.
        catalogue: The items.
        k: Slate length.

    Raises:
        UnreachableConstraint: A target is above what any slates can give.
        EmptyData: There is no pool.
        InvalidValue: The filters leave a user fewer than ``k`` candidates, or a limit on a ratio
            was not resolved.
    """
    constraints.require_resolved()
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
    for attribute, limits in groupby(
        sorted(constraints.exposure, key=lambda f: f.attribute), key=lambda f: f.attribute
    ):
        _check_attribute(attribute, list(limits), kept, catalogue, k)
    shares = tuple(_reach(kept, limit.members(catalogue), k) for limit in constraints.exposure)
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
    limits: list[ExposureLimit],
    pools: CandidatePools,
    catalogue: Catalogue,
    k: int,
) -> None:
    """Hold the limits of one attribute, each and together, against what their groups can get."""
    # Two limits on one group (with different windows) come down to the stricter one.
    strictest = sorted(limits, key=lambda limit: limit.least)
    floors = {f.group: f for f in strictest if isinstance(f, ExposureFloor)}
    ceilings = {c.group: c for c in strictest if isinstance(c, ExposureCeiling)}
    for group in floors.keys() & ceilings.keys():
        if floors[group].share > ceilings[group].share + TOLERANCE:
            raise UnreachableConstraint(
                f"the floor {floors[group].share:.4g} of {attribute}={group} is above its ceiling "
                f"{ceilings[group].share:.4g}",
                field=f"constraints.exposure[{attribute}={group}]",
                mend="Lower the floor or raise the ceiling.",
            )
    for together in _sets(list(floors.values())):
        target = sum(f.share for f in together)
        reach = _reach(pools, _in_any(together, catalogue), k)
        if target > reach + TOLERANCE:
            names = " + ".join(f.group for f in together)
            raise UnreachableConstraint(
                f"the target share {target:.4g} of {attribute}={names} is above {reach:.4g}, the "
                f"largest that slates of {k} from these pools can give",
                field=f"constraints.exposure[{attribute}={names}]",
                mend=f"Ask for at most {_down(reach)}, or put more of its items into the pools.",
            )
    for together in _sets(list(ceilings.values())):
        target = sum(c.share for c in together)
        smallest = 1.0 - _reach(pools, ~_in_any(together, catalogue), k)
        if target < smallest - TOLERANCE:
            names = " + ".join(c.group for c in together)
            raise UnreachableConstraint(
                f"the ceiling {target:.4g} on {attribute}={names} is below {smallest:.4g}, the "
                f"smallest that slates of {k} from these pools can give",
                field=f"constraints.exposure[{attribute}={names}]",
                mend=f"Allow at least {_up(smallest)}, or put more other items into the pools.",
            )


def _sets(limits: Sequence[ExposureLimit]) -> Iterator[tuple[ExposureLimit, ...]]:
    """Every set of limits that is checked."""
    sizes = range(1, len(limits) + 1) if len(limits) <= MOST_GROUPS else (1, len(limits))
    return chain.from_iterable(combinations(limits, n) for n in sizes)


def _in_any(limits: Sequence[ExposureLimit], catalogue: Catalogue) -> BoolArray:
    """Items in the group that any of the limits names, shape ``(I,)``."""
    masks = [catalogue.group(limit.attribute).mask(limit.group) for limit in limits]
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


def _up(value: float) -> str:
    """Rounded up likewise."""
    return f"{np.ceil(value * 1000) / 1000:.3f}"
