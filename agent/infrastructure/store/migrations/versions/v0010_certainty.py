"""Which faces are covered by a mask or dark glasses, and which shared a cluster with named ones without being looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
kind = "expand"


def upgrade() -> None:
    op.add_column("face", sa.Column("covered", sa.Float, nullable=False, server_default="0"))
    op.create_table(
        "unseen",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("unseen_by_person", "unseen", ["person_id"])
