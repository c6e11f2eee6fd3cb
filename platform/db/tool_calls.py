"""Table of the steps that an answer in a conversation took."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class ToolCall(Base):
    """One step between a user's message and the answer: reading, linking, ranking, answering."""

    __tablename__ = "tool_calls"
    __table_args__ = (
        CheckConstraint("ordinal >= 1", name="ordinal"),
        UniqueConstraint("message_id", "ordinal"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[str] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE")
    )  # the user's message
    ordinal: Mapped[int]
    name: Mapped[str]
    arguments: Mapped[Json]
    result: Mapped[Json]
    latency_s: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
