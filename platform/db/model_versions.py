"""Table of what was made: candidate sets and policies, their lineage and the gate's verdict."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Json, utc_now


class ModelVersion(Base):
    """One candidate set or one policy; at most one of each kind is deployed.

    A re-ranker that is part of the package (top-k, MMR, the exposure controller) stands here as a
    policy without an artifact, so that every recommendation names what ordered it.
    """

    __tablename__ = "model_versions"
    __table_args__ = (
        CheckConstraint("kind IN ('candidates', 'policy')", name="kind"),
        CheckConstraint("status IN ('accepted', 'refused', 'builtin')", name="status"),
        CheckConstraint("NOT (deployed AND status = 'refused')", name="deployed"),
        Index(
            "uq_model_versions_deployed",
            "kind",
            unique=True,
            sqlite_where=text("deployed"),
            postgresql_where=text("deployed"),
        ),
    )

    version: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    deployed: Mapped[bool] = mapped_column(default=False)
    artifact: Mapped[str | None]  # folder, relative to the home folder
    lineage: Mapped[Json]  # hashes and versions of all that went in
    metrics: Mapped[Json]
    gate: Mapped[Json | None]  # the gate's verdict, policies only
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
