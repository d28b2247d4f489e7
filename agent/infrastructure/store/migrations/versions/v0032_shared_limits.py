"""Attempts to sign in and desktops that ask to join, which lived in the memory of one process."""

import sqlalchemy as sa
from alembic import op

from agent.infrastructure.store.columns import Name

revision = "0032"
down_revision = "0031"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "sign_in_attempt",
        sa.Column("who", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "join_request",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("user_code", Name, nullable=False, unique=True),
        sa.Column("network", Name, nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("allowed", sa.Boolean),
        sa.Column("granted", sa.JSON),
    )
    op.create_index("join_request_by_network", "join_request", ["network"])
