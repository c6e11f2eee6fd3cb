"""Record of recommendations: what was shown, why, what came of it, and what made it.

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration keeps its own types: it must mean the same when the models have moved on.
STRING = sa.String(length=255)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    make_people_and_items()
    make_model_versions()
    make_recommendations()
    make_feedback_and_reasons()
    make_conversations()
    make_audits()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


TABLES = (
    "users",
    "items",
    "model_versions",
    "recommendations",
    "recommendation_items",
    "events",
    "explanations",
    "conversations",
    "messages",
    "audits",
)


def make_people_and_items() -> None:
    op.create_table(
        "users",
        sa.Column("id", STRING, nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_table(
        "items",
        sa.Column("id", STRING, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("attributes", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
    )


def make_model_versions() -> None:
    op.create_table(
        "model_versions",
        sa.Column("version", STRING, nullable=False),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("status", STRING, nullable=False),
        sa.Column("deployed", sa.Boolean(), nullable=False),
        sa.Column("artifact", STRING, nullable=True),
        sa.Column("lineage", JSON, nullable=False),
        sa.Column("metrics", JSON, nullable=False),
        sa.Column("gate", JSON, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "NOT (deployed AND status = 'refused')", name=op.f("ck_model_versions_deployed")
        ),
        sa.CheckConstraint("kind IN ('candidates', 'policy')", name=op.f("ck_model_versions_kind")),
        sa.CheckConstraint(
            "status IN ('accepted', 'refused', 'builtin')", name=op.f("ck_model_versions_status")
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model_versions")),
    )
    op.create_index(
        "uq_model_versions_deployed",
        "model_versions",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("deployed"),
        postgresql_where=sa.text("deployed"),
    )


def make_recommendations() -> None:
    op.create_table(
        "recommendations",
        sa.Column("id", STRING, nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("candidates_version", STRING, nullable=False),
        sa.Column("policy_version", STRING, nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("propensity", sa.Double(), nullable=False),
        sa.Column("constraint_state", JSON, nullable=False),
        sa.Column("request", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("k >= 1", name=op.f("ck_recommendations_k")),
        sa.CheckConstraint(
            "propensity > 0 AND propensity <= 1", name=op.f("ck_recommendations_propensity")
        ),
        sa.ForeignKeyConstraint(
            ["candidates_version"],
            ["model_versions.version"],
            name=op.f("fk_recommendations_candidates_version_model_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_version"],
            ["model_versions.version"],
            name=op.f("fk_recommendations_policy_version_model_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recommendations_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendations")),
    )
    op.create_index("ix_recommendations_created_at_id", "recommendations", ["created_at", "id"])
    op.create_index(
        "ix_recommendations_policy_version_created_at",
        "recommendations",
        ["policy_version", "created_at"],
    )
    op.create_index(
        "ix_recommendations_user_id_created_at", "recommendations", ["user_id", "created_at"]
    )
    op.create_table(
        "recommendation_items",
        sa.Column("recommendation_id", STRING, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", STRING, nullable=False),
        sa.Column("base_score", sa.Double(), nullable=False),
        sa.Column("base_rank", sa.Integer(), nullable=False),
        sa.CheckConstraint("base_rank >= 1", name=op.f("ck_recommendation_items_base_rank")),
        sa.CheckConstraint("position >= 1", name=op.f("ck_recommendation_items_position")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_recommendation_items_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["recommendation_id"],
            ["recommendations.id"],
            name=op.f("fk_recommendation_items_recommendation_id_recommendations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "recommendation_id", "position", name=op.f("pk_recommendation_items")
        ),
        sa.UniqueConstraint(
            "recommendation_id",
            "item_id",
            name=op.f("uq_recommendation_items_recommendation_id_item_id"),
        ),
    )
    op.create_index("ix_recommendation_items_item_id", "recommendation_items", ["item_id"])


def make_feedback_and_reasons() -> None:
    op.create_table(
        "events",
        sa.Column("id", STRING, nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("item_id", STRING, nullable=False),
        sa.Column("recommendation_id", STRING, nullable=True),
        sa.Column("kind", STRING, nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("(kind = 'rating') = (value IS NOT NULL)", name=op.f("ck_events_value")),
        sa.CheckConstraint(
            "kind IN ('click', 'rating', 'like', 'dislike', 'seen', 'skip')",
            name=op.f("ck_events_kind"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_events_item_id_items")),
        sa.ForeignKeyConstraint(
            ["recommendation_id", "item_id"],
            ["recommendation_items.recommendation_id", "recommendation_items.item_id"],
            name=op.f("fk_events_recommendation_id_item_id_recommendation_items"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_events_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_item_id", "events", ["item_id"])
    op.create_index(
        "ix_events_recommendation_id_item_id", "events", ["recommendation_id", "item_id"]
    )
    op.create_index("ix_events_user_id_occurred_at", "events", ["user_id", "occurred_at"])
    op.create_table(
        "explanations",
        sa.Column("id", STRING, nullable=False),
        sa.Column("recommendation_id", STRING, nullable=False),
        sa.Column("item_id", STRING, nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", STRING, nullable=False),
        sa.Column("verdict", JSON, nullable=False),
        sa.Column("evidence_hash", STRING, nullable=False),
        sa.Column("provenance", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "source IN ('model', 'template_no_model', 'template_check_failed',"
            " 'template_model_error')",
            name=op.f("ck_explanations_source"),
        ),
        sa.ForeignKeyConstraint(
            ["recommendation_id", "item_id"],
            ["recommendation_items.recommendation_id", "recommendation_items.item_id"],
            name=op.f("fk_explanations_recommendation_id_item_id_recommendation_items"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanations")),
        sa.UniqueConstraint(
            "recommendation_id", "item_id", name=op.f("uq_explanations_recommendation_id_item_id")
        ),
    )
    op.create_index("ix_explanations_evidence_hash", "explanations", ["evidence_hash"])


def make_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", STRING, nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("refinement", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_conversations_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index(
        "ix_conversations_user_id_created_at", "conversations", ["user_id", "created_at"]
    )
    op.create_table(
        "messages",
        sa.Column("id", STRING, nullable=False),
        sa.Column("conversation_id", STRING, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("role", STRING, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("refinement", JSON, nullable=True),
        sa.Column("recommendation_id", STRING, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("role IN ('user', 'assistant')", name=op.f("ck_messages_role")),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_messages_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["recommendation_id"],
            ["recommendations.id"],
            name=op.f("fk_messages_recommendation_id_recommendations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "conversation_id", "ordinal", name=op.f("uq_messages_conversation_id_ordinal")
        ),
    )


def make_audits() -> None:
    op.create_table(
        "audits",
        sa.Column("id", STRING, nullable=False),
        sa.Column("scope", JSON, nullable=False),
        sa.Column("report", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )
    op.create_index("ix_audits_created_at", "audits", ["created_at"])
