"""Table of what users did."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, new_id, utc_now


class Event(Base):
    """One piece of feedback; linked to the slate that brought it about, where there was one."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('click', 'rating', 'like', 'dislike', 'seen', 'skip')", name="kind"
        ),
        CheckConstraint("(kind = 'rating') = (value IS NOT NULL)", name="value"),
        ForeignKeyConstraint(
            ["recommendation_id", "item_id"],
            ["recommendation_items.recommendation_id", "recommendation_items.item_id"],
        ),
        Index(None, "user_id", "occurred_at"),
        Index(None, "recommendation_id", "item_id"),
        Index(None, "item_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"))
    recommendation_id: Mapped[str | None]
    kind: Mapped[str]
    value: Mapped[float | None]  # the rating, 1 to 5; no other kind has one
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
