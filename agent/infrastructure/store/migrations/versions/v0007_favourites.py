"""Which photos are favourites, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
kind = "expand"


def upgrade() -> None:
    op.add_column("image", sa.Column("favourite_at", sa.BigInteger))
    some = sa.text("favourite_at IS NOT NULL")
    op.create_index("image_by_favourite_at", "image", ["favourite_at"], sqlite_where=some, postgresql_where=some)
