"""Batches of jobs, and the workers of a server."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
kind = "expand"


def upgrade() -> None:
    op.add_column("job", sa.Column("batch", sa.BigInteger))
    some = sa.text("batch IS NOT NULL")
    op.create_index("job_by_batch", "job", ["batch"], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "worker",
        sa.Column("uid", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("batches", sa.JSON, nullable=False),
        sa.Column("drain_at", sa.BigInteger),
    )
    op.create_table(
        "shared",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
