"""Table of audits."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class Audit(Base):
    """One audit: what it looked at and every figure it found."""

    __tablename__ = "audits"
    __table_args__ = (Index(None, "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    scope: Mapped[Json]
    report: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
