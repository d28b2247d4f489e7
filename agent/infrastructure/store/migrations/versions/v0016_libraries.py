"""Several libraries on a server, with their folders and who may see them; which one a file belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
kind = "expand"


def _of_library() -> sa.Column[int]:
    return sa.Column("library_id", sa.Integer, sa.ForeignKey("library.id", ondelete="CASCADE"), primary_key=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False, unique=True),
        sa.Column("for_all", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "library_source",
        sa.Column("root", sa.LargeBinary, primary_key=True),
        sa.Column("library_id", sa.Integer, sa.ForeignKey("library.id", ondelete="SET NULL")),
    )
    op.create_index("source_by_library", "library_source", ["library_id"])
    op.create_table(
        "library_access",
        _of_library(),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, nullable=False),
        sa.Column("role", sa.String, nullable=False),
    )
    op.create_index("access_by_member", "library_access", ["member_id"])
    op.add_column("place", sa.Column("library_id", sa.Integer))
    some = sa.text("library_id IS NOT NULL")
    op.create_index("place_by_library", "place", ["image_id", "library_id"], sqlite_where=some, postgresql_where=some)
