"""Covered copies that were asked for, and what came of each."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "redaction",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("folder", sa.LargeBinary, unique=True),
        sa.Column("wish", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "redaction_item",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("redaction_id", sa.Integer, sa.ForeignKey("redaction.id", ondelete="CASCADE"), nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("target", sa.LargeBinary, nullable=False),
        sa.Column("format", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("copy_sha256", sa.String(64)),
        sa.Column("facts", sa.JSON),
        sa.Column("doubts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("edited", sa.Integer, nullable=False, server_default="0"),
        sa.Column("passed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error_code", sa.String),
        sa.Column("error_params", sa.JSON),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("redaction_id", "source", name="item_of_redaction"),
        sqlite_autoincrement=True,
    )
    op.create_index("redaction_item_by_state", "redaction_item", ["state", "redaction_id"])
    op.create_index("redaction_item_by_target", "redaction_item", ["target"])
    op.create_index("redaction_item_by_copy", "redaction_item", ["copy_sha256"])
