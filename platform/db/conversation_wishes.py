"""Table of wishes: what was asked for in a conversation, and when it was taken back."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class ConversationWish(Base):
    """One entry of a conversation's stack of wishes; taken back, it stays on record."""

    __tablename__ = "conversation_wishes"
    __table_args__ = (
        CheckConstraint("(removed_at IS NULL) = (removed_by IS NULL)", name="removed"),
        Index(None, "conversation_id", "id"),
        Index(None, "message_id"),
        Index(None, "removed_by"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    message_id: Mapped[str | None] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE")
    )  # that asked for it; None where it came from the user's kept preferences
    place: Mapped[int]  # in the stack, 0 is the oldest; of those that hold
    refinement: Mapped[Json]
    added_at: Mapped[datetime] = mapped_column(default=utc_now)
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str | None]  # the message that took it back, or "api"
