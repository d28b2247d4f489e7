"""Requested redacted copies."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from agent.infrastructure.store.columns import Instant, PathBytes
from agent.infrastructure.store.tables.base import metadata

# Requested covered copies: one row for each request, or for a watched folder's rule.
redaction = Table(
    "redaction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),  # random
    Column("at", Instant, nullable=False),
    Column("folder", PathBytes, unique=True),  # the watched folder that the rule belongs to
    Column("wish", JSON, nullable=False),
    Column("made_by", String(32), nullable=False, server_default=""),  # a member's random id; empty: the user of this computer
    sqlite_autoincrement=True,
)

redaction_item = Table(
    "redaction_item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("redaction_id", Integer, ForeignKey("redaction.id", ondelete="CASCADE"), nullable=False),
    Column("source", PathBytes, nullable=False),
    Column("target", PathBytes, nullable=False),
    Column("format", String),
    Column("state", String, nullable=False),
    Column("sha256", String(64)),  # of the copy's source
    Column("copy_sha256", String(64)),
    Column("facts", JSON),  # marks, doubts, ...: see `agent.features.redaction.copy_records.RedactedCopy`
    Column("doubts", Integer, nullable=False, server_default="0"),
    Column("edited", Integer, nullable=False, server_default="0"),
    Column("edited_by", String(32), nullable=False, server_default=""),  # likewise, the last one
    Column("passed", Integer, nullable=False, server_default="0"),
    Column("error_code", String),
    Column("error_params", JSON),
    Column("changed_at", Instant, nullable=False),
    Column("request_id", String(40)),  # of the request that planned it last, see `agent.infrastructure.core.request_id`
    UniqueConstraint("redaction_id", "source", name="item_of_redaction"),
    Index("redaction_item_by_state", "state", "redaction_id"),
    Index("redaction_item_by_target", "target"),
    Index("redaction_item_by_copy", "copy_sha256"),
    sqlite_autoincrement=True,
)
