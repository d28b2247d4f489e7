"""Which names of other programs were taken over once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "adopted",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("said", sa.String(16), nullable=False),
    )
