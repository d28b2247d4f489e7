"""Who did what the audit log records, and its head, which shows whether rows were cut off."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
kind = "contract"


def upgrade() -> None:
    op.add_column("audit", sa.Column("actor", sa.String(32), nullable=False, server_default=""))
    op.add_column("audit", sa.Column("detail", sa.String(80), nullable=False, server_default=""))
    # Rows written so far keep their digests, which don't cover the new columns.
    op.add_column("audit", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.create_index("audit_by_actor", "audit", ["actor", "id"])
    op.create_index("audit_by_action", "audit", ["action", "id"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
