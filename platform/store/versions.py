"""Candidate sets and policies on record, and which of them are deployed."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ...errors import GateRefused, UnknownRecord
from ..db.base import utc_now
from ..db.tables import ModelVersion
from ..records import VersionInfo, VersionKind, VersionStatus


def save_version(
    session: Session,
    version: str,
    kind: VersionKind,
    *,
    status: VersionStatus = "accepted",
    artifact: str | None = None,
    lineage: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    gate: dict[str, Any] | None = None,
) -> None:
    """Record a version, not deployed; one that is there already takes the new description."""
    row = session.get(ModelVersion, version)
    if row is None:
        row = ModelVersion(version=version, deployed=False, created_at=utc_now())
        session.add(row)
    row.kind = kind
    row.status = status
    row.artifact = artifact
    row.lineage = lineage or {}
    row.metrics = metrics or {}
    row.gate = gate
    session.flush()


def is_recorded(session: Session, version: str) -> bool:
    """Whether a version is on record."""
    return session.get(ModelVersion, version) is not None


def ensure_builtin(session: Session, name: str) -> None:
    """Record a re-ranker of the package as a policy version, unless it is there."""
    if not is_recorded(session, name):
        save_version(session, name, "policy", status="builtin")


def deploy(session: Session, version: str) -> VersionInfo:
    """Make a version the one that serves, in the place of the one before.

    Raises:
        UnknownRecord: No such version.
        GateRefused: The gate refused it.
    """
    found = _require(session, version)
    if found.status == "refused":
        raise GateRefused(
            f"the gate refused {version!r}",
            field="version",
            mend="Train again, or deploy a version that was accepted.",
        )
    session.execute(
        update(ModelVersion).where(ModelVersion.kind == found.kind).values(deployed=False)
    )
    session.refresh(found)
    found.deployed = True
    session.flush()
    return _info(found)


def retire(session: Session, kind: VersionKind) -> None:
    """Let no version of a kind serve."""
    session.execute(update(ModelVersion).where(ModelVersion.kind == kind).values(deployed=False))


def deployed(session: Session, kind: VersionKind) -> VersionInfo | None:
    """The version that serves, if there is one."""
    found = session.scalar(
        select(ModelVersion).where(ModelVersion.kind == kind, ModelVersion.deployed)
    )
    return None if found is None else _info(found)


def get_version(session: Session, version: str) -> VersionInfo:
    """One version.

    Raises:
        UnknownRecord: No such version.
    """
    return _info(_require(session, version))


def list_versions(session: Session) -> list[VersionInfo]:
    """All versions, oldest first."""
    rows = session.scalars(
        select(ModelVersion).order_by(ModelVersion.created_at, ModelVersion.version)
    )
    return [_info(row) for row in rows]


def _require(session: Session, version: str) -> ModelVersion:
    found = session.get(ModelVersion, version)
    if found is None:
        raise UnknownRecord(f"no version {version!r} is recorded", field="version")
    return found


def _info(row: ModelVersion) -> VersionInfo:
    return VersionInfo.model_validate(
        {name: getattr(row, name) for name in VersionInfo.model_fields}
    )
