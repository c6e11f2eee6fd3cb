"""Explanations and the evidence they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ...errors import UnknownRecord
from ..db.base import new_ids, utc_now
from ..db.tables import Explanation
from ..records import ExplanationRecord


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One explanation to record; the fields are those of ``ExplanationRecord``."""

    recommendation_id: str
    item_id: str
    text: str
    source: str
    verdict: dict[str, Any]
    evidence: dict[str, Any]
    evidence_hash: str
    provenance: dict[str, Any]


def record_explanations(session: Session, reasons: Sequence[ReasonRow]) -> list[ExplanationRecord]:
    """Write explanations of slates that are recorded, and return them with their ids."""
    if not reasons:
        return []
    now = utc_now()
    rows = [
        Explanation(
            id=key,
            recommendation_id=reason.recommendation_id,
            item_id=reason.item_id,
            text=reason.text,
            source=reason.source,
            verdict=reason.verdict,
            evidence=reason.evidence,
            evidence_hash=reason.evidence_hash,
            provenance=reason.provenance,
            created_at=now,
        )
        for key, reason in zip(new_ids(len(reasons)), reasons, strict=True)
    ]
    names = [column.name for column in Explanation.__table__.columns]
    values = [{name: getattr(row, name) for name in names} for row in rows]
    session.execute(insert(Explanation), values)
    return [as_record(row) for row in rows]


def get_explanation(session: Session, explanation_id: str) -> ExplanationRecord:
    """One explanation.

    Raises:
        UnknownRecord: No such explanation.
    """
    found = session.get(Explanation, explanation_id)
    if found is None:
        raise UnknownRecord(
            f"no explanation {explanation_id!r} is recorded", field="explanation_id"
        )
    return as_record(found)


def as_record(row: Explanation) -> ExplanationRecord:
    """The public form of a stored row."""
    return ExplanationRecord.model_validate(
        {name: getattr(row, name) for name in ExplanationRecord.model_fields}
    )
