"""Desktop agents that joined a team server, as the server sees them."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import EncryptedName, SealedJson
from agent.infrastructure.store.tables.base import metadata

# What desktop agents that joined a server have been or are to be told of people: a person's newest change has the highest number.
desk_feed = Table(
    "desk_feed",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_uid", String(32), nullable=False, unique=True),
    Column("state", String, nullable=False),  # see `agent.interfaces.web.desk_exchange.Sharing`
    Column("digest", String(64), nullable=False),  # of all that is told, with a key
    sqlite_autoincrement=True,
)

# Desktop agents that ask to join, for ten minutes: see `agent.server.devices.joining`.
join_request = Table(
    "join_request",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of the device's code
    Column("user_code", EncryptedName("join_code"), nullable=False, unique=True),
    Column("network", EncryptedName("join_network"), nullable=False),
    Column("asked", SealedJson("join_asked"), nullable=False),  # which computer asks, from where
    Column("at", Instant, nullable=False),
    Column("allowed", Boolean),  # None until a member decided
    Column("granted", SealedJson("join_grant")),  # what the desktop gets, until it took it
    Index("join_request_by_network", "network"),
)

# What desktop agents sent, so that nothing sent twice is done twice: with the answer, deleted after some months.
desk_operation = Table(
    "desk_operation",
    metadata,
    Column("uid", String(32), primary_key=True),  # random
    Column("actor", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("answer", SealedJson("desk_answer"), nullable=False),
)

# The person that each desktop knows for a face that it spoke of: if the face is another person’s by now, the desktop is told.
desk_face = Table(
    "desk_face",
    metadata,
    Column("desk_id", String(32), ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True),
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("person_uid", String(32), nullable=False),  # random id; empty: no one
    Index("desk_face_by_face", "face_id"),
)
