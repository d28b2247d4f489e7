"""What a server's backups and drills did."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "backup_run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("repository", sa.String, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("backup_run_by_kind", "backup_run", ["kind", "repository", "id"])
