"""Which source and which computer a file's path is of: the same path may be there once for each."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
kind = "contract"

_COLUMNS = "id, path, folder, size, mtime_ns, image_id, noted_at, missing_since"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        for column in _place():
            op.add_column("place", column)
        op.drop_constraint("place_path_key", "place")
        op.create_unique_constraint("place_of_source", "place", ["path", "source", "host"])


def _place() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("source", sa.String, nullable=False, server_default="file"),
        sa.Column("host", sa.String, nullable=False, server_default=""),
    )


def _make_anew() -> None:
    """SQLite can't change what is unique. The jobs are put aside: they would go with the table they refer to, one by one."""
    op.execute("CREATE TEMPORARY TABLE job_aside AS SELECT * FROM job")
    op.create_table(
        "place_anew",
        sa.Column("id", sa.Integer, primary_key=True),
        *_place(),
        sa.Column("path", sa.LargeBinary, nullable=False),
        sa.Column("folder", sa.LargeBinary),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("image_id", sa.Integer, sa.ForeignKey("image.id", ondelete="SET NULL")),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.Column("missing_since", sa.BigInteger),
        sa.UniqueConstraint("path", "source", "host", name="place_of_source"),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO place_anew ({_COLUMNS}) SELECT {_COLUMNS} FROM place")
    # Ids are never used twice, also not those of places that are gone.
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'place_anew'")
    op.execute("INSERT INTO sqlite_sequence (name, seq) SELECT 'place_anew', seq FROM sqlite_sequence WHERE name = 'place'")
    op.execute("DELETE FROM job")
    op.drop_table("place")
    op.rename_table("place_anew", "place")
    op.execute("INSERT INTO job SELECT * FROM job_aside")
    op.execute("DROP TABLE job_aside")
    op.create_index("place_by_image", "place", ["image_id", "missing_since"])
    op.create_index("place_below_folder", "place", ["path", "image_id", "missing_since"])
    op.create_index("place_by_missing_since", "place", ["missing_since"], sqlite_where=sa.text("missing_since IS NOT NULL"))
