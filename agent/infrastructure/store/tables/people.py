"""People, and what recognition keeps of faces."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import EncryptedName, SealedDate, SealedFace, SealedText
from agent.infrastructure.store.tables.base import index_of_few, metadata

# Filled only while recognition is on, and emptied when it is switched off: hence separate tables.
embedding = Table(
    "embedding",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("embedder", String, nullable=False),
    Column("vector", SealedFace("embedding"), nullable=False),
    Index("embedding_by_embedder", "embedder", "face_id"),
)

chip = Table(
    "chip",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("jpeg", SealedFace("chip"), nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", EncryptedName("person"), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("uid", String(32)),  # random: the id in the audit log and in the list of forgotten people
    Column("birth_date", SealedDate("birth_date")),
    Column("notes", SealedText("notes"), nullable=False, server_default=""),
    Column("cover_face_id", Integer),  # no reference: if that face is gone, another replaces it
    Column("hidden_at", Instant),
    Column("never_at", Instant),  # never recognised since then
    Column("basis", String),  # why the face may be kept: "own_consent", "family", "contract", "guardian"
    Column("basis_at", Instant),
    Column("retention_days", Integer),  # since a face was last confirmed; None: the settings' value
    Column("watch_at", Instant),  # since then they agree to being named when they appear on the screen
    Column("lapsed_at", Instant),  # since then not recognised for want of consent: derived from `consent` by `consent_rows.follow`
    Index("person_by_uid", "uid", unique=True),
    sqlite_autoincrement=True,
)

index_of_few("person_by_never", person.c.never_at)
index_of_few("person_by_lapsed", person.c.lapsed_at)

identity = Table(
    "identity",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Integer, ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    Column("certainty", String, nullable=False),  # "confirmed" by the user; all others are suggestions
    Column("distance", Float, nullable=False),
    Column("agree", Integer, nullable=False),
    Column("refs", Integer, nullable=False),
    Column("confirmed_at", Instant),  # None for a suggestion, and for confirmations before this column existed
    # Of a confirmed face, repeated so that the list of people reads no faces; None for a suggestion.
    Column("image_id", Integer),
    Column("fit", Float),  # as a portrait, see `agent.domain.reference.fit_of`
    Index("identity_by_person", "person_id"),
    Index("identity_by_certainty", "certainty"),
)

index_of_few("identity_confirmed", identity.c.fit, led_by=(identity.c.person_id, identity.c.image_id, identity.c.face_id))

# "Not this person": kept for ever.
rejection = Table(
    "rejection",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Integer, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("rejection_by_person", "person_id"),
)

# Names that members of a server began to type, until they are saved.
draft = Table(
    "draft",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("actor", String(32), primary_key=True),
    Column("name", SealedText("draft"), nullable=False),
    Column("at", Instant, nullable=False),
)

# Faces that were in a cluster when others of it were named as this person, and were not looked at: at most probable as them.
unseen = Table(
    "unseen",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Integer, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("unseen_by_person", "person_id"),
)

# The program never asks about these faces.
ignored = Table(
    "ignored",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("reason", String, nullable=False),  # "user"; "forgotten" and "never": its embedding is never stored again
    Column("at", Instant, nullable=False),
)

# An imported face's name in another program, kept so that the face is not imported again after it was removed.
adopted = Table(
    "adopted",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("said", SealedText("adopted", 16), nullable=False),  # a digest of the name
)

# The cluster of each unnamed face: a suggestion. Faces in no cluster have no row.
grouping = Table(
    "grouping",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", Integer, nullable=False),
    Index("grouping_by_group", "group_id"),
)
