"""Tables of conversations and what was said in them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class Conversation(Base):
    """One user's conversation and the wishes that hold in it now."""

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "user_id", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    refinement: Mapped[Json]  # the stack of wishes that hold
    summary: Mapped[str | None] = mapped_column(Text)  # of the messages up to the next column
    summarised: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # ordinal of the last message in it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Message(Base):
    """One thing said by the user or by the assistant."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
        UniqueConstraint("conversation_id", "ordinal"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    ordinal: Mapped[int]  # 1 is the first message of the conversation
    role: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    intent: Mapped[str | None]  # what the user's words were taken for
    refinement: Mapped[Json | None]  # wishes after this message, the user's messages only
    recommendation_id: Mapped[str | None] = mapped_column(ForeignKey("recommendations.id"))
    cost: Mapped[Json | None]  # levels of the limits, with the wishes and without
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
