"""What a desktop told its team of photos and faces."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
kind = "contract"


def upgrade() -> None:
    op.add_column("team_person", sa.Column("agreed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("team_person", sa.Column("merged", sa.String(32)))
    op.create_table(
        "team_photo",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("state", sa.String, nullable=False),
    )
    op.create_table(
        "team_face",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person_uid", sa.String(32), nullable=False),
        sa.Column("rejected", sa.JSON, nullable=False),
        sa.Column("printed", sa.Integer, nullable=False),
    )
    op.create_index("team_face_by_person", "team_face", ["person_uid"])
    # Those who came down so far agreed.
    op.execute("UPDATE team_person SET agreed = 1 WHERE made = 1 AND refused = 0")
