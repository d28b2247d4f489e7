"""Photos sent from browsers."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("member", sa.String(32), nullable=False),
        sa.Column("library_id", sa.Integer),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified_ns", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("target", sa.LargeBinary),
        sa.Column("outcome", sa.String),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("upload_by_member", "upload", ["member", "outcome"])
    op.create_index("upload_by_outcome", "upload", ["outcome", "size"])
    op.create_index("upload_by_content", "upload", ["sha256"])
