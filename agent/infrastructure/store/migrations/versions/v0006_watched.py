"""Who agreed to being named when they are seen on the screen, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
kind = "expand"


def upgrade() -> None:
    op.add_column("person", sa.Column("watch_at", sa.BigInteger))
