"""Who agreed to what."""

from sqlalchemy import Column, Date, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import SealedText
from agent.infrastructure.store.tables.base import metadata

# Who agreed to what: the newest row of a person and a purpose counts, the others are its history. By the person's random id, so that
# it survives a merge that is undone.
consent = Table(
    "consent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_uid", String(32), nullable=False),
    Column("purpose", String, nullable=False),
    Column("state", String, nullable=False),
    Column("basis", String),
    Column("given_on", Date, nullable=False),
    Column("valid_until", Date),  # the last day
    Column("guardian", SealedText("guardian"), nullable=False, server_default=""),
    Column("document", SealedText("document"), nullable=False, server_default=""),
    Column("entered_by", String(32), nullable=False),  # a member's random id; empty: the user of this computer
    Column("entered_at", Instant, nullable=False),
    Index("consent_of_person", "person_uid", "purpose", "id"),
    sqlite_autoincrement=True,
)

# Links by which people see what is stored about them, without an account: one for each person.
consent_link = Table(
    "consent_link",
    metadata,
    Column("person_uid", String(32), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("made_by", String(32), nullable=False),  # a member's random id
    Column("expires_at", Instant, nullable=False),
)
