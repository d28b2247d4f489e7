"""An album that came with another library keeps what it is recognised by."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
kind = "expand"


def upgrade() -> None:
    op.add_column("album", sa.Column("uid", sa.String(32)))
    op.create_index("album_by_uid", "album", ["uid"], unique=True)
