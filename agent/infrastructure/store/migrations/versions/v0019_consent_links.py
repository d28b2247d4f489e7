"""Links by which people see what is stored about them."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "consent_link",
        sa.Column("person_uid", sa.String(32), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("made_by", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
