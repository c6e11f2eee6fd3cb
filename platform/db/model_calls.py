"""Tables of what language models were asked, by what prompt, and what it cost."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class Prompt(Base):
    """A prompt, kept once however often it was sent."""

    __tablename__ = "prompts"

    hash: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 over version, messages, grammar
    version: Mapped[str]  # of the template it was made from
    content: Mapped[Json]  # messages and grammar
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ModelCall(Base):
    """One request to a language model, answered from the cache or not at all included."""

    __tablename__ = "model_calls"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("cost >= 0", name="cost"),
        Index(None, "created_at", "id"),
        Index(None, "prompt_hash"),
        Index(None, "recommendation_id"),
        Index(None, "message_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recommendation_id: Mapped[str | None] = mapped_column(
        ForeignKey("recommendations.id", ondelete="CASCADE")
    )  # whose item it explains
    item_id: Mapped[str | None] = mapped_column(ForeignKey("items.id"))
    message_id: Mapped[str | None] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE")
    )  # that it helped to read or to answer
    prompt_hash: Mapped[str | None] = mapped_column(ForeignKey("prompts.hash"))
    model: Mapped[str]
    parameters: Mapped[Json]  # temperature, seed, bounds
    outcome: Mapped[str]
    attempts: Mapped[int]
    cached: Mapped[bool]
    tokens_in: Mapped[int | None]
    tokens_out: Mapped[int | None]
    cost: Mapped[float]  # in the currency of the prices in the settings
    latency_s: Mapped[float]
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
