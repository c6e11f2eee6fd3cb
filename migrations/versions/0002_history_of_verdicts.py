"""History of verdicts: a policy may be judged again, and what was said before stays on record.

Revision: 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STRING = sa.String(length=255)
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "gate_verdicts",
        sa.Column("id", STRING, nullable=False),
        sa.Column("version", STRING, nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("verdict", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["version"],
            ["model_versions.version"],
            name=op.f("fk_gate_verdicts_version_model_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_verdicts")),
    )
    op.create_index("ix_gate_verdicts_version_id", "gate_verdicts", ["version", "id"])


def downgrade() -> None:
    op.drop_table("gate_verdicts")
