"""Albums."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
kind = "expand"


def _of_album() -> sa.Column[int]:
    return sa.Column("album_id", sa.Integer, sa.ForeignKey("album.id", ondelete="CASCADE"), primary_key=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "album",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("library_id", sa.Integer),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("match", sa.String),
        sa.Column("certain", sa.Integer, nullable=False, server_default="0"),
        sa.Column("cover_image_id", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "album_image",
        _of_album(),
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("album_of_image", "album_image", ["image_id"])
    op.create_table("album_person", _of_album(), sa.Column("person_id", sa.Integer, primary_key=True, nullable=False))
