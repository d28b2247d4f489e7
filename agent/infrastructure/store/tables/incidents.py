"""What the rules of a team server found in the record, and the messages about it."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.tables.base import metadata

incident = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),  # of rule, subject and time: what is found twice is stored once
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("subject", String(32)),  # the random id of a member or a person
    Column("about", String, nullable=False),  # the session or token concerned
    Column("number", Integer, nullable=False),
    Column("evidence", JSON, nullable=False),  # ids of the record's entries
    Column("state", String, nullable=False),
    Column("seen_at", Instant),
    Column("seen_by", String(32)),
    Column("closed_at", Instant),
    Column("closed_by", String(32)),
    Column("reason", String),
    Column("acted_at", Instant),  # when the first step was done
    Column("acted_by", String(32)),
    Column("undone_at", Instant),
    Index("incident_by_state", "state", "id"),
    sqlite_autoincrement=True,
)

# Messages to send about an incident, one for each way; those that were sent stay with it.
incident_message = Table(
    "incident_message",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", Integer, ForeignKey("incident.id", ondelete="CASCADE"), nullable=False),
    Column("way", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),  # None: sent, or given up
    Column("sent_at", Instant),
    Column("error_code", String),  # of the last attempt
    Index("message_by_incident", "incident_id"),
    Index("message_by_due", "due_at"),
    sqlite_autoincrement=True,
)
