"""What a user's wishes cost in exposure and diversity: the same list, with and without them."""

from typing import TYPE_CHECKING

import numpy as np

from ..rerankers.constraints import Constraints
from ..rerankers.context import PoolContext
from .decision import Decision
from .records import LimitCost, WishCost

if TYPE_CHECKING:
    from .recommender import Recommender


def cost_of_wishes(recommender: "Recommender", decision: Decision) -> WishCost | None:
    """Levels of every limit in one user's list, with the wishes and without; None without wishes.

    The list without wishes is ranked by the same policy, for the same user, seed and state of the
    controller; it is not shown and not recorded.
    """
    request = decision.request
    if request.refinement.is_empty:
        return None
    plain = recommender.request(request.user_ids, k=request.k, seed=request.seed)
    without = recommender.rerank(plain, decision.proposed)
    limits = recommender.orderer.constraints
    most = most_exposure(decision.situation.context, request.k)
    targets = (*(floor.least for floor in limits.exposure), limits.min_diversity)
    return WishCost(
        limits=tuple(
            LimitCost(
                limit=name,
                target=target,
                with_wishes=float(decision.measured[0, column]),
                without_wishes=float(without.measured[0, column]),
                most_possible=float(most[column]) if column < len(most) else None,
            )
            for column, (name, target) in enumerate(
                zip((*limits.names, "diversity"), targets, strict=True)
            )
        )
    )


def most_exposure(context: PoolContext, k: int) -> list[float]:
    """Largest share of one list's exposure that each floor's items can get out of the first pool.

    That is their share when as many of them as there are stand on top, positions being weighed by
    1/log2(position + 1).
    """
    weights = 1.0 / np.log2(np.arange(2, k + 2))
    weights /= weights.sum()
    found: list[float] = []
    for floor in context.floors:
        available = int(np.count_nonzero(np.asarray(floor)[0] > 0))
        found.append(float(weights[: min(available, k)].sum()))
    return found


def told(cost: WishCost | None, constraints: Constraints) -> str:
    """A sentence for the user where their wishes leave a limit out of this list's reach."""
    if cost is None:
        return ""
    by_name = dict(zip(constraints.names, constraints.exposure, strict=True))
    missed = [
        limit
        for limit in cost.limits
        if limit.limit in by_name
        and limit.target is not None
        and limit.most_possible is not None
        and limit.most_possible < limit.target
    ]
    return " ".join(
        f"Under these wishes at most {100 * (limit.most_possible or 0.0):.0f} % of this list's "
        f"exposure can go to {by_name[limit.limit].label}; the limit of "
        f"{100 * (limit.target or 0.0):.0f} % holds on average over many lists, and this list is "
        "counted in it."
        for limit in missed
    )
