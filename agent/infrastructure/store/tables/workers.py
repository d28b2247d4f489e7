"""A team server's workers, and what its processes share."""

from sqlalchemy import JSON, Column, Float, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.tables.base import metadata

# A server's workers, one row per run: a worker that starts again under its name is another one.
worker = Table(
    "worker",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String, nullable=False),
    Column("host", String, nullable=False),
    Column("state", String, nullable=False),  # see `agent.server.workers.records.WorkerState`
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # by the clock of the database, as all instants of this table
    Column("done", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("rate", Float, nullable=False),  # photos per minute
    Column("batches", JSON, nullable=False),  # the numbers of the batches that it holds
    Column("drain_at", Instant),  # since then it is to finish and end
    Column("error_code", String),  # why it is blocked
    Column("error_params", JSON),
)

# What a server's processes share besides photos: the settings by which workers analyse.
shared = Table(
    "shared",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", JSON, nullable=False),
)
