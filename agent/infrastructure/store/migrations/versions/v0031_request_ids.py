"""Photos to analyse, copies to make and uploads keep the id of the request that made them, for the log."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
kind = "expand"


def upgrade() -> None:
    for table in ("job", "redaction_item", "upload"):
        op.add_column(table, sa.Column("request_id", sa.String(40)))
    op.create_index("upload_by_target", "upload", ["target"])
