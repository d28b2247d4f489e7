"""The library's tables, in types that every database has.

`agent/store/migrations` builds them step by step; a test proves that both give the same tables.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from agent.store.columns import Instant, LargeInteger, LocalTime, Name, PathBytes

# The newest migration: a library at this revision needs none, and Alembic is not even imported.
REVISION = "0015"

metadata = MetaData()
_KEY = "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"  # as Alembic creates it


def _index_of_few(name: str, column: Column[Any]) -> None:
    """An index of only the rows that have a value: a full index would tempt the planner to scan every present file."""
    some = column.is_not(None)
    # Setting it for PostgreSQL too would load its dialect in every agent (3 MB): `PostgreSql` takes the condition from here.
    Index(name, column, sqlite_where=some, info={"where": some})


# Ids are never reused (`sqlite_autoincrement`; PostgreSQL does so by itself): logs, events and open windows refer to them.

meta = Table(
    "meta",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeInteger, nullable=False),
)

image = Table(
    "image",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("format", String, nullable=False),
    Column("detector", String, nullable=False),
    Column("embedder", String),
    Column("precision", String, nullable=False),
    Column("ms_decode", Float, nullable=False),
    Column("ms_detect", Float, nullable=False),
    Column("ms_align", Float, nullable=False),
    Column("ms_embed", Float, nullable=False),
    Column("indexed_at", Instant, nullable=False),
    Column("left_at", Instant),  # when a place last got other content: with no place left, the grace time starts here
    Column("taken_at", LocalTime, nullable=False, server_default="0"),
    Column("face_count", Integer, nullable=False, server_default="0"),
    Column("hidden_at", Instant),
    Column("favourite_at", Instant),
    Index("image_by_size", "size"),
    # All columns that the library page needs of every image, in its order: 100,000 are read without touching a row.
    Index("image_by_taken_at", "taken_at", "id", "width", "height", "face_count", "hidden_at"),
    sqlite_autoincrement=True,
)

place = Table(
    "place",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String, nullable=False, server_default="file"),  # the scheme of its URI
    Column("host", String, nullable=False, server_default=""),  # the computer that holds the file; empty for the library's own
    Column("path", PathBytes, nullable=False),
    Column("folder", PathBytes),  # the watched folder; None for a single scanned file
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("image_id", Integer, ForeignKey("image.id", ondelete="SET NULL")),  # None until this exact content was analysed
    Column("noted_at", Instant, nullable=False),
    Column("missing_since", Instant),
    UniqueConstraint("path", "source", "host", name="place_of_source"),  # found by the path alone
    Index("place_by_image", "image_id", "missing_since"),
    Index("place_below_folder", "path", "image_id", "missing_since"),  # all columns that the library page needs of a folder's files
    sqlite_autoincrement=True,
)

_index_of_few("image_by_left_at", image.c.left_at)
_index_of_few("image_by_favourite_at", image.c.favourite_at)
_index_of_few("place_by_missing_since", place.c.missing_since)

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("place_id", Integer, ForeignKey("place.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("lease_worker", String),  # the worker that holds the lease
    Column("batch", BigInteger),  # a queued job that is handed out, on a server: the number of its batch in the work queue
    Column("error_code", String),
    Column("error_params", JSON),
    Column("changed_at", Instant, nullable=False),
    Index("job_by_turn", "state", "priority", "attempts", "id"),
    Index("job_by_change", "state", "changed_at"),
    sqlite_autoincrement=True,
)

_index_of_few("job_by_batch", job.c.batch)

# A server's workers, one row per run: a worker that starts again under its name is another one.
worker = Table(
    "worker",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("name", String, nullable=False),
    Column("host", String, nullable=False),
    Column("state", String, nullable=False),  # see `agent.workers.records.WorkerState`
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # by the clock of the database, as all instants of this table
    Column("done", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("rate", Float, nullable=False),  # photos per minute
    Column("batches", JSON, nullable=False),  # the numbers of the batches that it holds
    Column("drain_at", Instant),  # since then it is to finish and end
)

# What a server's processes share besides photos: the settings by which workers analyse.
shared = Table(
    "shared",
    metadata,
    Column("name", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", JSON, nullable=False),
)

face = Table(
    "face",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", Integer, ForeignKey("image.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("landmarks", JSON, nullable=False),  # five [x, y]
    Column("size", Float, nullable=False),
    Column("sharpness", Float, nullable=False),
    Column("yaw", Float, nullable=False),
    Column("roll", Float, nullable=False),
    Column("covered", Float, nullable=False, server_default="0"),  # probability of a mask or dark glasses; 0 where it was not measured
    UniqueConstraint("image_id", "ordinal", name="face_in_image"),
    sqlite_autoincrement=True,
)

# Filled only while recognition is on, and emptied when it is switched off: hence separate tables.
embedding = Table(
    "embedding",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("embedder", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("embedding_by_embedder", "embedder", "face_id"),
)

chip = Table(
    "chip",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("uid", String(32)),  # random: the id in the audit log and in the list of forgotten people
    Column("birth_date", Date),
    Column("notes", String, nullable=False, server_default=""),
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

_index_of_few("person_by_never", person.c.never_at)
_index_of_few("person_by_lapsed", person.c.lapsed_at)

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
    Column("guardian", String, nullable=False, server_default=""),
    Column("document", String, nullable=False, server_default=""),
    Column("entered_by", String(32), nullable=False),  # a member's random id; empty: the user of this computer
    Column("entered_at", Instant, nullable=False),
    Index("consent_of_person", "person_uid", "purpose", "id"),
    sqlite_autoincrement=True,
)

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
    Index("identity_by_person", "person_id"),
    Index("identity_by_certainty", "certainty"),
)

# "Not this person": kept for ever.
rejection = Table(
    "rejection",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Integer, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("rejection_by_person", "person_id"),
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
    Column("said", String(16), nullable=False),  # a digest of the name
)

# The cluster of each unnamed face: a suggestion. Faces in no cluster have no row.
grouping = Table(
    "grouping",
    metadata,
    Column("face_id", Integer, ForeignKey("face.id", ondelete="CASCADE"), primary_key=True),
    Column("group_id", Integer, nullable=False),
    Index("grouping_by_group", "group_id"),
)

# Steps that can be undone and redone, also after a restart: see `agent.store.journal`.
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
    Column("changes", JSON, nullable=False),
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
# `version` says what the digest covers, see `agent.store.audit_log`.
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
    Index("audit_by_actor", "actor", "id"),
    Index("audit_by_action", "action", "id"),
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

# Requested covered copies: one row for each request, or for a watched folder's rule.
redaction = Table(
    "redaction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),  # random
    Column("at", Instant, nullable=False),
    Column("folder", PathBytes, unique=True),  # the watched folder that the rule belongs to
    Column("wish", JSON, nullable=False),
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
    Column("facts", JSON),  # marks, doubts, ...: see `agent.redaction.copy_records.RedactedCopy`
    Column("doubts", Integer, nullable=False, server_default="0"),
    Column("edited", Integer, nullable=False, server_default="0"),
    Column("passed", Integer, nullable=False, server_default="0"),
    Column("error_code", String),
    Column("error_params", JSON),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("redaction_id", "source", name="item_of_redaction"),
    Index("redaction_item_by_state", "state", "redaction_id"),
    Index("redaction_item_by_target", "target"),
    Index("redaction_item_by_copy", "copy_sha256"),
    sqlite_autoincrement=True,
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("payload", JSON, nullable=False),
    sqlite_autoincrement=True,
)

# The members of a team server; empty on the desktop.
member = Table(
    "member",
    metadata,
    Column("id", String(32), primary_key=True),  # random
    Column("name", Name, nullable=False, unique=True),  # to sign in with, as `agent.accounts.names.folded` writes it
    Column("display_name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("locked_at", Instant),
    Column("password_hash", String),  # argon2id; None until the invitation is accepted
    Column("password_changed_at", Instant),
    Column("totp_secret", LargeBinary),  # encrypted: see `agent.accounts.second_factor`
    Column("totp_confirmed_at", Instant),  # None: begun, and not in use
    Column("totp_step", BigInteger),  # of the last code used: no code works twice
)

# Of the second factor: each works once.
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
)

# Links by which members set their password: one for each member, deleted with its use.
invitation = Table(
    "invitation",
    metadata,
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("expires_at", Instant, nullable=False),
)

member_session = Table(
    "member_session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("key_sha256", String(64), nullable=False, unique=True),
    Column("ticket_sha256", String(64), nullable=False, unique=True),
    Column("cookie_sha256", String(64), nullable=False),
    Column("browser", String, nullable=False),
    Column("address", String, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index("session_by_member", "member_id"),
    sqlite_autoincrement=True,
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", String(32), primary_key=True),  # random
    Column("member_id", String(32), ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("name", String, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("token_by_member", "member_id"),
)


def create(tx: Connection) -> None:
    """Create the tables as all migrations together would, in a tenth of their time and without loading Alembic: a test compares them."""
    metadata.create_all(tx, checkfirst=False)
    tx.execute(text(f"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, {_KEY})"))
    tx.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})
