"""What every library holds: photos, the files they are found in, the work on them, their faces, and the events that windows follow."""

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from agent.infrastructure.store.columns import Instant, LargeInteger, LocalTime, PathBytes
from agent.infrastructure.store.tables.base import index_of_few, metadata

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
    Column("library_id", Integer),  # on a server, derived from `folder` by a trigger: see `agent.infrastructure.store.row_security`
    UniqueConstraint("path", "source", "host", name="place_of_source"),  # found by the path alone
    Index("place_by_image", "image_id", "missing_since"),
    Index("place_below_folder", "path", "image_id", "missing_since"),  # all columns that the library page needs of a folder's files
    sqlite_autoincrement=True,
)

index_of_few("image_by_left_at", image.c.left_at)
index_of_few("image_by_favourite_at", image.c.favourite_at)
index_of_few("place_by_missing_since", place.c.missing_since)
# Which libraries an image is in, without touching a row.
index_of_few("place_by_library", place.c.library_id, led_by=(place.c.image_id,))

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
    Column("request_id", String(40)),  # of the request that made it, see `agent.infrastructure.core.request_id`
    Index("job_by_turn", "state", "priority", "attempts", "id"),
    Index("job_by_change", "state", "changed_at"),
    sqlite_autoincrement=True,
)

index_of_few("job_by_batch", job.c.batch)

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

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("payload", JSON, nullable=False),
    sqlite_autoincrement=True,
)
