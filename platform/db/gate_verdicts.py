"""Table of what the gate said of policies, every time it was asked."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class GateVerdict(Base):
    """One verdict; ids sort by time, and the last one of a version is the one that holds."""

    __tablename__ = "gate_verdicts"
    __table_args__ = (Index("ix_gate_verdicts_version_id", "version", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    passed: Mapped[bool]
    verdict: Mapped[Json]  # findings, hashes of the inputs, canary plan
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
