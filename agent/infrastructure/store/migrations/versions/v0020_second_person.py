"""Who planned and edited covered copies: someone else approves those for publishing."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
kind = "expand"


def upgrade() -> None:
    op.add_column("redaction", sa.Column("made_by", sa.String(32), nullable=False, server_default=""))
    op.add_column("redaction_item", sa.Column("edited_by", sa.String(32), nullable=False, server_default=""))
