"""Table of the reasons that were given, with the evidence they rest on."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, new_id, utc_now


class Explanation(Base):
    """Why one item stood in one slate."""

    __tablename__ = "explanations"
    __table_args__ = (
        CheckConstraint(
            "source IN ('model', 'model_repaired', 'template_no_model', 'template_check_failed',"
            " 'template_model_error')",
            name="source",
        ),
        ForeignKeyConstraint(
            ["recommendation_id", "item_id"],
            ["recommendation_items.recommendation_id", "recommendation_items.item_id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("recommendation_id", "item_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    recommendation_id: Mapped[str]
    item_id: Mapped[str]
    evidence: Mapped[Json]
    text: Mapped[str] = mapped_column(Text)
    source: Mapped[str]  # who worded the text that is shown, and why the template if it did
    verdict: Mapped[Json]  # what the check of the shown text found
    evidence_hash: Mapped[str] = mapped_column(index=True)
    provenance: Mapped[Json]  # model, prompt, a refused wording and its verdict, latency
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
