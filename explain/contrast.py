"""What is known of an item that was not chosen, beside one that was."""

import numpy as np

from ..candidates.candidate_set import CandidateSet
from ..errors import InvalidValue
from .evidence import Contrast, Evidence
from .facts import CatalogueFacts
from .gather import gather_evidence
from .trace import RankTrace, plain_trace


def with_contrast(
    evidence: Evidence, candidates: CandidateSet, user: int, trace: RankTrace, other: int
) -> Evidence:
    """The evidence, with what is known of another item, for "why this and not that?".

    Args:
        evidence: Of the item that is shown.
        candidates: The fitted model whose scores were re-ranked.
        user: User index.
        trace: What the re-ranker did, with the pool that it ranked.
        other: Index of the item that the user asks about.

    Raises:
        UnknownItem: The item shown is not in the catalogue.
        InvalidValue: It is the same item.
    """
    if candidates.item_index(evidence.item.item_id) == other:
        raise InvalidValue("an item can't be compared with itself", field="other")
    return evidence.model_copy(update={"contrast": _contrast(candidates, user, trace, other)})


def _contrast(candidates: CandidateSet, user: int, trace: RankTrace, other: int) -> Contrast:
    facts = CatalogueFacts(candidates.catalogue).of(other)
    seen = bool(np.isin(other, candidates.seen(user)))
    pools = candidates.pools(np.array([user]))
    columns = np.flatnonzero(pools.items[0] == other)
    if len(columns) == 0:
        return Contrast(item=facts, seen=seen)
    ranked = np.flatnonzero(trace.pool == other)
    shown = np.flatnonzero(trace.shown == other)
    alone = gather_evidence(candidates, user, plain_trace(pools, np.array([other])))[0]
    return Contrast(
        item=facts,
        seen=seen,
        filtered=len(ranked) == 0,
        # Among what was ranked, as the shown item's own rank is: wishes make the pool smaller.
        base_rank=int((ranked if len(ranked) else columns)[0]) + 1,
        shown_rank=int(shown[0]) + 1 if len(shown) else None,
        links=alone.links,
    )
