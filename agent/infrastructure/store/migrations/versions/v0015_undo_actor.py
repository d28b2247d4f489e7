"""Steps to undo are each member's own."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
kind = "expand"


def upgrade() -> None:
    op.add_column("undo", sa.Column("actor", sa.String(32), nullable=False, server_default=""))
    op.drop_index("undo_by_undone", "undo")
    op.create_index("undo_by_undone", "undo", ["actor", "undone_at"])
