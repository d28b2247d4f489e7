"""What the user says of people and faces, how it is taken back, and the audit of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
kind = "contract"


def upgrade() -> None:
    _people()
    _identification()
    _steps()
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("subject", sa.String(32)),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )


def _people() -> None:
    op.add_column("person", sa.Column("uid", sa.String(32)))
    op.add_column("person", sa.Column("birth_date", sa.Date))
    op.add_column("person", sa.Column("notes", sa.String, nullable=False, server_default=""))
    op.add_column("person", sa.Column("cover_face_id", sa.Integer))
    for name in ("hidden_at", "never_at"):
        op.add_column("person", sa.Column(name, sa.BigInteger))
    op.add_column("person", sa.Column("basis", sa.String))
    op.add_column("person", sa.Column("basis_at", sa.BigInteger))
    op.add_column("person", sa.Column("retention_days", sa.Integer))
    # Every copy of the library derives the same ids, so that an older backup identifies people as later ones do.
    person = sa.table("person", sa.column("id"), sa.column("created_at"), sa.column("uid"))
    uids = [
        {"person": row.id, "uid": f"{row.id:016x}{row.created_at % 2**64:016x}"}
        for row in op.get_bind().execute(sa.select(person.c.id, person.c.created_at))
    ]
    if uids:
        op.get_bind().execute(sa.update(person).where(person.c.id == sa.bindparam("person")).values(uid=sa.bindparam("uid")), uids)
    op.create_index("person_by_uid", "person", ["uid"], unique=True)
    some = sa.text("never_at IS NOT NULL")
    op.create_index("person_by_never", "person", ["never_at"], sqlite_where=some, postgresql_where=some)
    op.add_column("identity", sa.Column("confirmed_at", sa.BigInteger))


def _identification() -> None:
    op.create_table(
        "rejection",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("rejection_by_person", "rejection", ["person_id"])
    op.create_table(
        "ignored",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "grouping",
        sa.Column("face_id", sa.Integer, sa.ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("group_id", sa.Integer, nullable=False),
    )
    op.create_index("grouping_by_group", "grouping", ["group_id"])


def _steps() -> None:
    tx = op.get_bind()
    old = sa.table("undo", sa.column("token", sa.String), sa.column("action", sa.String), sa.column("image_ids", sa.JSON))
    kept = tx.execute(sa.select(old).order_by(sa.text("id"))).all()
    op.drop_table("undo")
    op.create_table(
        "undo",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token", sa.String, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("person_id", sa.Integer),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("undone_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("undo_by_undone", "undo", ["undone_at"])
    op.create_table(
        "undo_person",
        sa.Column("undo_id", sa.Integer, sa.ForeignKey("undo.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person_id", sa.Integer, primary_key=True),
    )
    op.create_index("undo_by_person", "undo_person", ["person_id"])
    new = sa.table(
        "undo",
        sa.column("token", sa.String),
        sa.column("at", sa.BigInteger),
        sa.column("action", sa.String),
        sa.column("number", sa.Integer),
        sa.column("changes", sa.JSON),
    )
    image = sa.table("image", sa.column("id"), sa.column("hidden_at"))
    for token, action, image_ids in kept:
        found = tx.execute(sa.select(image).where(image.c.id.in_(image_ids)))
        rows = [(each.id, each.hidden_at) for each in found]
        tx.execute(sa.insert(new).values(token=token, at=0, action=action, number=len(image_ids), changes=_hidden(action, rows)))


def _hidden(action: str, rows: list[tuple[int, int | None]]) -> list[dict[str, object]]:
    """The step as it is written now: images of which it still holds, by the moment they were hidden."""
    by_moment: dict[int | None, list[int]] = {}
    for image_id, hidden_at in rows:
        if (hidden_at is not None) == (action == "hide"):
            by_moment.setdefault(hidden_at, []).append(image_id)
    before = None if action == "hide" else 0
    return [{"fact": "hidden", "keys": ids, "before": before, "after": moment} for moment, ids in by_moment.items()]
