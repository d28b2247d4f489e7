"""Incidents that rules find in the record, and the messages about them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.String(32)),
        sa.Column("about", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("seen_at", sa.BigInteger),
        sa.Column("seen_by", sa.String(32)),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("closed_by", sa.String(32)),
        sa.Column("reason", sa.String),
        sa.Column("acted_at", sa.BigInteger),
        sa.Column("acted_by", sa.String(32)),
        sa.Column("undone_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("incident_by_state", "incident", ["state", "id"])
    op.create_table(
        "incident_message",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident_id", sa.Integer, sa.ForeignKey("incident.id", ondelete="CASCADE"), nullable=False),
        sa.Column("way", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("error_code", sa.String),
        sqlite_autoincrement=True,
    )
    op.create_index("message_by_incident", "incident_message", ["incident_id"])
    op.create_index("message_by_due", "incident_message", ["due_at"])
