"""The libraries that an entry of the audit log concerns. Those written so far are the server's, and keep their digests."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
kind = "expand"


def upgrade() -> None:
    op.add_column("audit", sa.Column("libraries", sa.String, nullable=False, server_default=""))
