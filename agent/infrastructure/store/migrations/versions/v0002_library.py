"""When a photo was taken, how many faces it shows, whether it is hidden, and what can be taken back."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
kind = "contract"

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - by the clock on the wall
_PAGE = 1_000


def upgrade() -> None:
    op.add_column("image", sa.Column("taken_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("image", sa.Column("face_count", sa.Integer, nullable=False, server_default="0"))
    op.add_column("image", sa.Column("hidden_at", sa.BigInteger))
    op.execute("UPDATE image SET face_count = (SELECT COUNT(*) FROM face WHERE face.image_id = image.id)")
    _date_by_file()
    op.create_index("image_by_taken_at", "image", ["taken_at", "id", "width", "height", "face_count", "hidden_at"])
    op.drop_index("place_by_image", "place")
    op.create_index("place_by_image", "place", ["image_id", "missing_since"])
    op.create_index("place_below_folder", "place", ["path", "image_id", "missing_since"])
    op.create_table(
        "undo",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token", sa.String, nullable=False, unique=True),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("image_ids", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )


def _date_by_file() -> None:
    """What the photos themselves say of their date was not kept so far: until they are looked at again, their files' times stand for it."""
    image = sa.table("image", sa.column("id"), sa.column("indexed_at"), sa.column("taken_at"))
    place = sa.table("place", sa.column("image_id"), sa.column("mtime_ns"))
    tx = op.get_bind()
    oldest = sa.select(sa.func.min(place.c.mtime_ns)).where(place.c.image_id == image.c.id).scalar_subquery()
    after = 0
    while rows := tx.execute(
        sa.select(image.c.id, sa.func.coalesce(oldest, image.c.indexed_at * 1000))
        .where(image.c.id > after)
        .order_by(image.c.id)
        .limit(_PAGE)
    ).all():
        change = sa.update(image).where(image.c.id == sa.bindparam("image")).values(taken_at=sa.bindparam("at"))
        tx.execute(change, [{"image": image_id, "at": _by_the_clock(ns)} for image_id, ns in rows])
        after = rows[-1][0]


def _by_the_clock(ns: int) -> int:
    """Microseconds since 1970 by this computer's clock on the wall."""
    try:
        local = datetime.fromtimestamp(ns / 1e9)  # noqa: DTZ006 - by the clock on the wall
    except (OverflowError, OSError, ValueError):
        return 0
    return int((local - _EPOCH).total_seconds()) * 1_000_000
