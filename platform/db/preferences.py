"""Tables of what users allow to be kept about them, what is kept, and what was erased."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class Consent(Base):
    """A user's leave to keep something about them, and its withdrawal."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("purpose IN ('preferences')", name="purpose"),
        Index(
            "uq_consents_given",
            "user_id",
            "purpose",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str]
    wording: Mapped[str]  # version of the text that the user agreed to
    given_at: Mapped[datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[datetime | None]


class Preferences(Base):
    """Wishes with which each new conversation of a user begins; only while consent holds."""

    __tablename__ = "preferences"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    consent_id: Mapped[str] = mapped_column(ForeignKey("consents.id"))
    refinement: Mapped[Json]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Erasure(Base):
    """That somebody was erased, and how much; not who."""

    __tablename__ = "erasures"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    counts: Mapped[Json]  # rows deleted or detached, by table
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
