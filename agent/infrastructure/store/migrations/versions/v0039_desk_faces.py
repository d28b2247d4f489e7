"""What desktop agents that joined know of the faces they spoke of."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
kind = "expand"


def upgrade() -> None:
    op.create_table(
        "desk_face",
        sa.Column("desk_id", sa.String(32), sa.ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person_uid", sa.String(32), nullable=False),
    )
    op.create_index("desk_face_by_face", "desk_face", ["face_id"])
