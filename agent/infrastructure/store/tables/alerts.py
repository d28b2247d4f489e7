"""Alerts about the server itself, the messages about them, silences, and which process does what only one may do."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.tables.base import metadata

alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False),  # see `agent.server.alerts.records.Source`
    Column("name", String, nullable=False),
    Column("key", String, nullable=False),  # of what fires: the name, or the fingerprint by Alertmanager
    Column("severity", String, nullable=False),
    Column("number", Integer, nullable=False),  # of percent, hours, photos …, as the text of its name says
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # when it was last found to fire
    Column("ended_at", Instant),  # None: it fires
    Column("told_at", Instant),  # when messages about it were last stored; None: not yet
    Index("alert_by_end", "ended_at", "id"),
    sqlite_autoincrement=True,
)

# Messages to send about an alert, one for each way and event; those that were sent stay with it.
alert_message = Table(
    "alert_message",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", Integer, ForeignKey("alert.id", ondelete="CASCADE"), nullable=False),
    Column("event", String, nullable=False),  # see `agent.server.alerts.records.AlertEvent`
    Column("way", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),  # None: sent, or given up
    Column("sent_at", Instant),
    Column("error_code", String),  # of the last attempt
    Index("alert_message_by_alert", "alert_id"),
    Index("alert_message_by_due", "due_at"),
    sqlite_autoincrement=True,
)

# No messages about alerts of that name until then.
alert_silence = Table(
    "alert_silence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("reason", String, nullable=False),  # see `agent.server.alerts.records.SilenceReason`
    Column("until", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(32), nullable=False),  # a member's random id
    Column("ended_at", Instant),  # when a member ended it early
    Index("alert_silence_by_end", "until"),
    sqlite_autoincrement=True,
)

# What only one of a server's processes does at a time: it holds the lease, and renews it before it ends.
lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String(32), nullable=False),
    Column("until", Instant, nullable=False),
)
