"""What was done: the steps that can be undone, and the audit log."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import SealedJson
from agent.infrastructure.store.tables.base import metadata

# Steps that can be undone and redone, also after a restart: see `agent.infrastructure.store.undo_log`.
undo = Table(
    "undo",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token", String, nullable=False, unique=True),
    Column("actor", String(32), nullable=False, server_default=""),  # as in the audit log
    Column("at", Instant, nullable=False),
    Column("action", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("person_id", Integer),  # the person concerned, if any: not a reference, because they may be deleted
    Column("changes", SealedJson("changes"), nullable=False),
    Column("undone_at", Instant),
    Index("undo_by_undone", "actor", "undone_at"),
    sqlite_autoincrement=True,
)

# All people named in such a step, so that it can be erased with them.
undo_person = Table(
    "undo_person",
    metadata,
    Column("undo_id", Integer, ForeignKey("undo.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Integer, primary_key=True),
    Index("undo_by_person", "person_id"),
)

# The audit log, with random ids: each row's digest includes the previous row's, so that changes and omissions are detected.
# `version` says what the digest covers, see `agent.infrastructure.store.audit_log`.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String(32)),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("actor", String(32), nullable=False, server_default=""),  # a member's random id; empty: the user of this computer
    Column("detail", String(80), nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("libraries", String, nullable=False, server_default=""),  # a server's that it concerns, such as 3,7; empty: the server itself
    Index("audit_by_actor", "actor", "id"),
    Index("audit_by_action", "action", "id"),
    Index("audit_by_subject", "subject", "id"),
    sqlite_autoincrement=True,
)

# One row: the last one of the audit log, sealed, so that rows cut off its end are missed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)
