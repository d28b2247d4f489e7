"""Names that members of a server began to type."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("actor", sa.String(32), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
