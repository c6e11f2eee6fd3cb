"""From a decision to rows of the record, and to what is handed out."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from ..candidates.catalogue import Catalogue
from .constraint_record import constraint_state
from .db.base import utc_now
from .decision import Decision
from .ordering import Orderer
from .reasons import Reason, reason_rows
from .records import ExplanationRecord, Recommendation, RecommendedItem
from .store.explanations import record_explanations
from .store.recommendations import SlateRow, record_slates


def write_decision(
    session: Session,
    decision: Decision,
    reasons: Sequence[Sequence[Reason]] | None,
    orderer: Orderer,
    candidates_version: str,
    catalogue: Catalogue,
    later: Callable[[str, Reason], dict[str, Any] | None] = lambda slate, reason: None,
) -> list[Recommendation]:
    """Move the controller on, and write slates and reasons.

    The caller holds the transaction, and takes the controller back if it fails. ``later`` tells
    what to record of a model's wording that is to come.
    """
    orderer.controller.update(decision.measured)
    after = orderer.controller.state()
    columns = decision.base_columns()
    about = decision.about_request()
    slates = [
        SlateRow(
            user_id=user_id,
            candidates_version=candidates_version,
            policy_version=orderer.version,
            propensity=float(decision.ordered.slates.propensities[row]),
            constraint_state=constraint_state(
                orderer.constraints, after, decision.gaps, decision.measured[row]
            ),
            request=about,
            item_ids=[str(key) for key in catalogue.item_ids[decision.items[row]]],
            base_scores=decision.proposed.scores[row, columns[row]].astype(float).tolist(),
            base_ranks=(columns[row] + 1).tolist(),
        )
        for row, user_id in enumerate(decision.request.user_ids)
    ]
    now = utc_now()
    ids = record_slates(session, slates, now)
    told = record_explanations(session, list(reason_rows(ids, reasons, later))) if reasons else []
    by_item = {(reason.recommendation_id, reason.item_id): reason for reason in told}
    described = {
        str(catalogue.item_ids[item]): describe_item(catalogue, int(item))
        for item in np.unique(decision.items)
    }
    return [
        _handed_out(key, slate, now, described, by_item)
        for key, slate in zip(ids, slates, strict=True)
    ]


def _handed_out(
    key: str,
    slate: SlateRow,
    now: datetime,
    described: dict[str, dict[str, Any]],
    reasons: dict[tuple[str, str], ExplanationRecord],
) -> Recommendation:
    shown = zip(slate.item_ids, slate.base_scores, slate.base_ranks, strict=True)
    return Recommendation(
        id=key,
        user_id=slate.user_id,
        created_at=now,
        candidates_version=slate.candidates_version,
        policy_version=slate.policy_version,
        k=len(slate.item_ids),
        propensity=slate.propensity,
        constraint_state=slate.constraint_state,
        request=slate.request,
        items=tuple(
            RecommendedItem(
                position=position,
                item_id=item_id,
                **described[item_id],
                base_score=score,
                base_rank=rank,
                explanation=reasons.get((key, item_id)),
            )
            for position, (item_id, score, rank) in enumerate(shown, start=1)
        ),
    )


def describe_item(catalogue: Catalogue, item: int) -> dict[str, Any]:
    """Title, topics and year of an item, as they are shown and stored."""
    year = float(catalogue.year[item])
    topics = np.flatnonzero(catalogue.topics[item])
    return {
        "title": str(catalogue.titles[item]),
        "topics": tuple(catalogue.topic_names[topic] for topic in topics),
        "year": int(year) if np.isfinite(year) else None,
    }
