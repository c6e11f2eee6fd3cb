"""Audits: their scope and every figure."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import UnknownRecord
from ..db.base import new_id, utc_now
from ..db.tables import Audit
from ..records import AuditScope, StoredAudit


def record_audit(session: Session, scope: AuditScope, report: dict[str, Any]) -> StoredAudit:
    """Write an audit."""
    row = Audit(
        id=new_id(), scope=scope.model_dump(mode="json"), report=report, created_at=utc_now()
    )
    session.add(row)
    session.flush()
    return _stored(row)


def get_audit(session: Session, audit_id: str) -> StoredAudit:
    """One audit.

    Raises:
        UnknownRecord: No such audit.
    """
    found = session.get(Audit, audit_id)
    if found is None:
        raise UnknownRecord(f"no audit {audit_id!r} is recorded", field="audit_id")
    return _stored(found)


def list_audits(session: Session, last: int = 50) -> list[StoredAudit]:
    """The latest audits, newest first."""
    rows = session.scalars(select(Audit).order_by(Audit.created_at.desc()).limit(last))
    return [_stored(row) for row in rows]


def _stored(row: Audit) -> StoredAudit:
    return StoredAudit(
        id=row.id,
        created_at=row.created_at,
        scope=AuditScope.model_validate(row.scope),
        report=row.report,
    )
