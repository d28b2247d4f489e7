"""The tables of a team server's libraries. On the desktop there is one library, without a row."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant, Name, PathBytes
from agent.infrastructure.store.tables.base import metadata

library = Table(
    "library",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("for_all", Integer, nullable=False, server_default="0"),  # 1: all members see it, each in the role they have on the server
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

# The library of all files noted with this watched folder; None: of none, so only administrators see them. The empty root stands for all
# folders without a row, while there is only one library.
library_source = Table(
    "library_source",
    metadata,
    Column("root", PathBytes, primary_key=True),
    Column("library_id", Integer, ForeignKey("library.id", ondelete="SET NULL")),
    Index("source_by_library", "library_id"),
)

# A member's role in a library, in place of the one they have on the server.
library_access = Table(
    "library_access",
    metadata,
    Column("library_id", Integer, ForeignKey("library.id", ondelete="CASCADE"), primary_key=True),
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String, nullable=False),
    Index("access_by_member", "member_id"),
)

# A bucket as a source: its files are noted with the folder `s3://name`. Keys are never here: each computer keeps its own.
bucket = Table(
    "bucket",
    metadata,
    Column("name", String(64), primary_key=True),
    *(Column(name, String, nullable=False) for name in ("bucket", "prefix", "endpoint", "region", "access", "certificate")),
    Column("path_style", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),  # between two listings
    Column("added_at", Instant, nullable=False),
    Column("listed_at", Instant),  # the end of the last whole listing
    Column("failing_since", Instant),
    Column("problem", String, nullable=False, server_default=""),
)
