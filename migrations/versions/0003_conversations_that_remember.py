"""What a conversation rests on: wishes as a stack, steps, prompts, model calls; consent; erasure.

Wishes that held before become the first entry of their conversation's stack. A text that a model
repaired after the check becomes possible as a source of an explanation.

Revision: 0003.
"""

import json
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STRING = sa.String(length=255)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

SOURCES = ("model", "template_no_model", "template_check_failed", "template_model_error")
REPAIRED = "model_repaired"


def upgrade() -> None:
    _widen_sources((*SOURCES, REPAIRED))
    op.add_column("conversations", sa.Column("summary", sa.Text(), nullable=True))
    op.add_column(
        "conversations", sa.Column("summarised", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("messages", sa.Column("intent", STRING, nullable=True))
    op.add_column("messages", sa.Column("cost", JSON, nullable=True))
    make_wishes()
    make_model_calls()
    make_tool_calls()
    make_preferences()
    _stack_wishes()


def downgrade() -> None:
    _merge_wishes()
    for table in (
        "erasures",
        "preferences",
        "consents",
        "tool_calls",
        "model_calls",
        "prompts",
        "conversation_wishes",
    ):
        op.drop_table(table)
    for table, column in (
        ("messages", "cost"),
        ("messages", "intent"),
        ("conversations", "summarised"),
        ("conversations", "summary"),
    ):
        op.drop_column(table, column)
    op.execute(f"UPDATE explanations SET source = 'model' WHERE source = '{REPAIRED}'")
    _widen_sources(SOURCES)


def make_wishes() -> None:
    op.create_table(
        "conversation_wishes",
        sa.Column("id", STRING, nullable=False),
        sa.Column("conversation_id", STRING, nullable=False),
        sa.Column("message_id", STRING, nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("refinement", JSON, nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.Column("removed_by", STRING, nullable=True),
        sa.CheckConstraint(
            "(removed_at IS NULL) = (removed_by IS NULL)",
            name=op.f("ck_conversation_wishes_removed"),
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_wishes_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_conversation_wishes_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_wishes")),
    )
    _index("conversation_wishes", "conversation_id", "id")
    _index("conversation_wishes", "message_id")
    _index("conversation_wishes", "removed_by")


def make_model_calls() -> None:
    op.create_table(
        "prompts",
        sa.Column("hash", STRING, nullable=False),
        sa.Column("version", STRING, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_prompts")),
    )
    op.create_table(
        "model_calls",
        sa.Column("id", STRING, nullable=False),
        sa.Column("recommendation_id", STRING, nullable=True),
        sa.Column("item_id", STRING, nullable=True),
        sa.Column("message_id", STRING, nullable=True),
        sa.Column("prompt_hash", STRING, nullable=True),
        sa.Column("model", STRING, nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("outcome", STRING, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=True),
        sa.Column("tokens_out", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("latency_s", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_model_calls_attempts")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_model_calls_cost")),
        sa.ForeignKeyConstraint(
            ["recommendation_id"],
            ["recommendations.id"],
            name=op.f("fk_model_calls_recommendation_id_recommendations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_model_calls_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_model_calls_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["prompt_hash"], ["prompts.hash"], name=op.f("fk_model_calls_prompt_hash_prompts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
    )
    _index("model_calls", "created_at", "id")
    _index("model_calls", "prompt_hash")
    _index("model_calls", "recommendation_id")
    _index("model_calls", "message_id")


def make_tool_calls() -> None:
    op.create_table(
        "tool_calls",
        sa.Column("id", STRING, nullable=False),
        sa.Column("message_id", STRING, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("latency_s", sa.Double(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("ordinal >= 1", name=op.f("ck_tool_calls_ordinal")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_tool_calls_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tool_calls")),
        sa.UniqueConstraint("message_id", "ordinal", name=op.f("uq_tool_calls_message_id_ordinal")),
    )


def make_preferences() -> None:
    op.create_table(
        "consents",
        sa.Column("id", STRING, nullable=False),
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("purpose", STRING, nullable=False),
        sa.Column("wording", STRING, nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.CheckConstraint("purpose IN ('preferences')", name=op.f("ck_consents_purpose")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consents_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(
        "uq_consents_given",
        "consents",
        ["user_id", "purpose"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "preferences",
        sa.Column("user_id", STRING, nullable=False),
        sa.Column("consent_id", STRING, nullable=False),
        sa.Column("refinement", JSON, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["consents.id"], name=op.f("fk_preferences_consent_id_consents")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_preferences_user_id_users")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_preferences")),
    )
    op.create_table(
        "erasures",
        sa.Column("id", STRING, nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _widen_sources(sources: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{source}'" for source in sources)
    with op.batch_alter_table("explanations") as batch:
        batch.drop_constraint(op.f("ck_explanations_source"), type_="check")
        batch.create_check_constraint(op.f("ck_explanations_source"), f"source IN ({listed})")


CONVERSATIONS = sa.table("conversations", sa.column("id", STRING), sa.column("refinement", JSON))
WISHES = sa.table(
    "conversation_wishes",
    sa.column("id", STRING),
    sa.column("conversation_id", STRING),
    sa.column("place", sa.Integer()),
    sa.column("refinement", JSON),
    sa.column("added_at", TIME),
    sa.column("removed_at", TIME),
)


def _stack_wishes() -> None:
    """What held in a conversation, as one entry; which message asked for what is not known."""
    connection, now = op.get_bind(), datetime.now(UTC)
    for row in connection.execute(sa.select(CONVERSATIONS)).all():
        held = _mapping(row.refinement)
        kept = [held] if any(value for value in held.values()) else []
        connection.execute(
            CONVERSATIONS.update()
            .where(CONVERSATIONS.c.id == row.id)
            .values(refinement={"refinements": kept})
        )
        for refinement in kept:
            connection.execute(
                WISHES.insert().values(
                    id=_id(),
                    conversation_id=row.id,
                    place=0,
                    refinement=refinement,
                    added_at=now,
                )
            )


def _merge_wishes() -> None:
    """Each stack as one entry, since the schema before had room for one; later values hold."""
    connection = op.get_bind()
    for row in connection.execute(sa.select(CONVERSATIONS)).all():
        merged: dict[str, object] = {}
        for refinement in _mapping(row.refinement).get("refinements", []):
            for name, value in refinement.items():
                held = merged.get(name)
                if isinstance(held, list) and isinstance(value, list):
                    merged[name] = sorted({*held, *value})
                elif held is None or value is not None:
                    merged[name] = value
        connection.execute(
            CONVERSATIONS.update().where(CONVERSATIONS.c.id == row.id).values(refinement=merged)
        )


def _mapping(value: dict[str, Any] | str) -> dict[str, Any]:
    return json.loads(value) if isinstance(value, str) else value


def _id() -> str:
    """A UUID of version 7, as the store makes them."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 0x7 << 76 | 0b10 << 62
    return str(uuid.UUID(int=number | secrets.randbits(62)))
