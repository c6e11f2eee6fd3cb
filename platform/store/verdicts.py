"""What the gate said, every time it was asked."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import InvalidValue, UnknownRecord
from ..db.base import new_id, utc_now
from ..db.tables import GateVerdict, ModelVersion
from ..records import StoredVerdict


def record_verdict(
    session: Session,
    version: str,
    verdict: dict[str, Any],
    *,
    passed: bool,
    metrics: dict[str, Any],
) -> StoredVerdict:
    """Write what the gate said of a policy; from now on it decides whether the policy may serve.

    A deployed policy that is refused stops serving in the same transaction.

    Raises:
        UnknownRecord: No such version.
        InvalidValue: It is no policy that was trained.
    """
    found = session.get(ModelVersion, version)
    if found is None:
        raise UnknownRecord(f"no version {version!r} is recorded", field="version")
    if found.kind != "policy" or found.status == "builtin":
        raise InvalidValue(
            f"{version!r} is no trained policy", field="version", mend="Name a stored policy."
        )
    found.status = "accepted" if passed else "refused"
    found.deployed = found.deployed and passed
    found.gate, found.metrics = verdict, metrics
    row = GateVerdict(
        id=new_id(), version=version, passed=passed, verdict=verdict, created_at=utc_now()
    )
    session.add(row)
    session.flush()
    return _stored(row)


def list_verdicts(session: Session, version: str) -> list[StoredVerdict]:
    """All verdicts on a policy, oldest first."""
    rows = session.scalars(
        select(GateVerdict).where(GateVerdict.version == version).order_by(GateVerdict.id)
    )
    return [_stored(row) for row in rows]


def _stored(row: GateVerdict) -> StoredVerdict:
    return StoredVerdict.model_validate(
        {name: getattr(row, name) for name in StoredVerdict.model_fields}
    )
