"""Tables of what was shown, to whom, by what, and in which state of the constraints."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import Base, Json, new_id, utc_now


class Recommendation(Base):
    """One slate that was shown to one user."""

    __tablename__ = "recommendations"
    __table_args__ = (
        CheckConstraint("k >= 1", name="k"),
        CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity"),
        # What an audit asks for: a period, one policy's period, one user's history.
        Index(None, "created_at", "id"),
        Index(None, "policy_version", "created_at"),
        Index(None, "user_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    candidates_version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    policy_version: Mapped[str] = mapped_column(ForeignKey("model_versions.version"))
    k: Mapped[int]
    propensity: Mapped[float]  # probability with which this very slate was drawn
    constraint_state: Mapped[Json]  # limits, the controller's state, what was measured
    request: Mapped[Json]  # what was asked for: wishes, seed, channel
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    items: Mapped[list["RecommendationItem"]] = relationship(
        order_by="RecommendationItem.position", lazy="raise"
    )


class RecommendationItem(Base):
    """One position of a slate."""

    __tablename__ = "recommendation_items"
    __table_args__ = (
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint("base_rank >= 1", name="base_rank"),
        # Events and explanations refer to this pair: they can only be about what was shown.
        UniqueConstraint("recommendation_id", "item_id"),
        Index(None, "item_id"),
    )

    recommendation_id: Mapped[str] = mapped_column(
        ForeignKey("recommendations.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)  # 1 is the top
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"))
    base_score: Mapped[float]
    base_rank: Mapped[int]  # 1-based place in the base model's pool
