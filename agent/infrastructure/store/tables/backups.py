"""What a server's backups and drills did."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.tables.base import metadata

backup_run = Table(
    "backup_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # database, files or drill
    Column("repository", String, nullable=False),  # local or offsite
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),  # none: it runs, or was broken off
    Column("code", String, nullable=False),  # an error's; empty: it succeeded
    Column("size", BigInteger, nullable=False),  # bytes of what was backed up
    Column("stored", BigInteger, nullable=False),  # bytes that it added to the repository
    Column("rows", BigInteger, nullable=False),  # compared in a drill
    Column("seconds", Float, nullable=False),  # a drill's: from nothing to a database that answers
    Index("backup_run_by_kind", "kind", "repository", "id"),
    sqlite_autoincrement=True,
)
