"""The team server that a desktop joined, and what came from it. Empty on a server."""

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from agent.infrastructure.store.columns import Instant, Name
from agent.infrastructure.store.tables.base import metadata

# One row: the team server that this desktop joined. Its token is where the library's key is.
team_link = Table(
    "team_link",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False),  # random: the account of the token in the keyring
    Column("address", String, nullable=False),
    Column("name", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("authority", String, nullable=False),  # what is trusted at the address, see `agent.interfaces.web.tls_trust.Trust.text`
    Column("member", String, nullable=False),
    Column("may_name", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False),  # of the server's numbers
    Column("cursor", BigInteger, nullable=False),  # the last of them that was taken
    Column("joined_at", Instant, nullable=False),
)

# People who came from the team, by their random id there.
team_person = Table(
    "team_person",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("person_id", Integer, ForeignKey("person.id", ondelete="SET NULL")),
    Column("name", Name, nullable=False),  # at the server
    Column("shown", Name, nullable=False),  # here, when last compared: another name now is the user's
    Column("made", Integer, nullable=False),  # 1: the person did not exist here before
    Column("own", Name, nullable=False),  # here, before they came from the team
    Column("refused", Integer, nullable=False),  # 1: forgotten here, and never taken again
    Column("agreed", Integer, nullable=False, server_default="0"),  # 1: the server says that they may be recognised
    Column("merged", String(32)),  # the operation that told the server of a merge here, which keeps the row for its undo
    Index("team_person_by_person", "person_id"),
)

# Their face prints. The ids are of the sequence of faces, so that the matcher can hold both.
team_reference = Table(
    "team_reference",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("uid", String(32), ForeignKey("team_person.uid", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),  # at the server
    Column("embedder", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Column("size", Float, nullable=False),
    Column("sharpness", Float, nullable=False),
    Column("yaw", Float, nullable=False),
    Column("roll", Float, nullable=False),
    Column("covered", Float, nullable=False),
    UniqueConstraint("uid", "number", name="reference_of_person"),
)

# What is to be sent to the team, in this order; written with the naming itself.
team_outbox = Table(
    "team_outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),  # random: the server does nothing twice
    Column("kind", String, nullable=False),  # see `agent.interfaces.web.desk_exchange.DeskOperation`
    Column("person_uid", String(32), nullable=False),
    Column("content", JSON, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("conflict", JSON),  # what the server has instead: it waits for the user
    sqlite_autoincrement=True,
)

# Photos of which the server was told what is in them.
team_photo = Table(
    "team_photo",
    metadata,
    Column("sha256", String(64), primary_key=True),
    # "sent"; "again": to be told once more; "refused": in libraries out of the member's reach; "back": to be taken back
    Column("state", String, nullable=False),
)

# What the server was told of faces: another person or rejection now is the user's.
team_face = Table(
    "team_face",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("person_uid", String(32), nullable=False),  # empty: none
    Column("rejected", JSON, nullable=False),  # random ids
    Column("printed", Integer, nullable=False),  # 1: the server has the face print
    Index("team_face_by_person", "person_uid"),
)

# Photos of this computer that were sent to the server whole, or can't be.
team_upload = Table(
    "team_upload",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("state", String, nullable=False),  # "sent"; "again": to be asked for; "there": the server had it; "failed"; "back"
    Column("code", String),  # of the error
    Column("params", JSON),
)
