"""Buckets as sources of a team server."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "bucket",
        sa.Column("name", sa.String(64), primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("bucket", "prefix", "endpoint", "region", "access", "certificate")),
        sa.Column("path_style", sa.Integer, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("listed_at", "failing_since")),
        sa.Column("problem", sa.String, nullable=False, server_default=""),
    )
