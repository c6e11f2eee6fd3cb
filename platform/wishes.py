"""A user's wishes, applied to the candidates before they are ranked."""

from dataclasses import replace

import numpy as np

from ..arrays import PAD, BoolArray, FloatArray
from ..candidates.catalogue import Catalogue
from ..candidates.pools import CandidatePools
from ..errors import InvalidValue, UnknownItem
from ..explain.refinement import Refinement, to_filters
from ..explain.relaxation import require_enough
from ..explain.soft_wishes import soft_scores
from ..rerankers.constraints import Constraints
from ..rerankers.relevance import standardised


def apply_wishes(
    pools: CandidatePools,
    fresh: BoolArray,
    refinement: Refinement,
    constraints: Constraints,
    catalogue: Catalogue,
    item_embeddings: FloatArray | None,
    k: int,
) -> CandidatePools:
    """Take out what must not be shown, and move what is wished for up.

    Hard wishes filter. Soft wishes are added to the scores, standardised within each pool so that
    a wish weighs the same for every user, and the pools are put in the new order.

    Args:
        pools: The base model's candidates.
        fresh: Candidates that the users do not know yet, shape ``(U, N)``.
        refinement: The wishes.
        constraints: Their hard filters hold for everybody.
        catalogue: The items.
        item_embeddings: Shape ``(I, D)``, for "more like this", where the model has them.
        k: Slate length, to refuse wishes that leave too little.

    Raises:
        InvalidValue: The wishes leave fewer than ``k`` candidates; it names what to give up. Or
            they name a topic that there is not.
        UnknownItem: They name an item that there is not.
    """
    require_known(refinement, catalogue)
    kept = pools.keep(fresh).keep(constraints.filters.allowed(catalogue))
    if refinement.is_empty:
        return kept
    wished = kept.keep(to_filters(refinement).allowed(catalogue))
    # Too small a pool to begin with is not the wishes' fault: the re-ranker says so.
    for row in np.flatnonzero((wished.sizes < k) & (kept.sizes >= k)):
        require_enough(refinement, catalogue, kept.items[row][kept.valid[row]], k)
    soft = soft_scores(refinement, catalogue, item_embeddings)
    return _reordered(wished, soft) if soft.any() else wished


def require_known(refinement: Refinement, catalogue: Catalogue) -> None:
    """Refuse topics and items that the catalogue does not have: a filter on them would do nothing.

    Raises:
        InvalidValue: A topic is unknown.
        UnknownItem: An item is unknown.
    """
    for name in ("include_topics", "exclude_topics", "prefer_topics", "avoid_topics"):
        for topic in getattr(refinement, name):
            if topic not in catalogue.topic_names:
                raise InvalidValue(
                    f"no topic {topic!r}",
                    field=f"refinement.{name}",
                    mend=f"Use some of {', '.join(catalogue.topic_names)}.",
                )
    for name in ("exclude_items", "like_items", "dislike_items"):
        wanted = list(getattr(refinement, name))
        unknown = np.array(wanted)[~np.isin(wanted, catalogue.item_ids)]
        if len(unknown):
            raise UnknownItem(f"no item {str(unknown[0])!r}", field=f"refinement.{name}")


def _reordered(pools: CandidatePools, soft: FloatArray) -> CandidatePools:
    scores = standardised(pools.scores, pools.valid) + np.where(
        pools.valid, soft[np.maximum(pools.items, 0)], 0.0
    )
    order = np.argsort(np.where(pools.valid, -scores, np.inf), axis=1, kind="stable")
    items = np.take_along_axis(pools.items, order, axis=1)
    moved = np.take_along_axis(scores, order, axis=1)
    return replace(pools, items=items, scores=np.where(items != PAD, moved, 0.0))
