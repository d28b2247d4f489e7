"""Photos that a desktop sends to its team whole."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
kind = "expand"


def upgrade() -> None:
    op.add_column("upload", sa.Column("token", sa.String(32)))
    op.create_index("upload_by_token", "upload", ["token", "outcome"])
    op.create_table(
        "team_upload",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("code", sa.String),
        sa.Column("params", sa.JSON),
    )
