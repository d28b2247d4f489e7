"""Albums: photos chosen by hand, or those of people, whose names they follow."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.encrypted_types import SealedText
from agent.infrastructure.store.tables.base import metadata

album = Table(
    "album",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("library_id", Integer),  # of a server's several; None on the desktop
    Column("name", SealedText("album"), nullable=False),
    Column("match", String),  # of an album of people, see `agent.features.library.records.Match`; None: by hand
    Column("certain", Integer, nullable=False, server_default="0"),  # 1: without photos where they are only probable
    Column("cover_image_id", Integer),  # no reference: if that image is gone, another replaces it
    Column("created_at", Instant, nullable=False),
    Column("uid", String(32)),  # of one that moved here from another library; None: its number and time, see `album_facts.uid_of`
    Index("album_by_uid", "uid", unique=True),
    sqlite_autoincrement=True,
)

album_image = Table(
    "album_image",
    metadata,
    Column("album_id", Integer, ForeignKey("album.id", ondelete="CASCADE"), primary_key=True),
    Column("image_id", Integer, ForeignKey("image.id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, nullable=False),  # with room between, so that a move changes few rows
    Index("album_of_image", "image_id"),
)

# No reference: undoing a step may bring a person back.
album_person = Table(
    "album_person",
    metadata,
    Column("album_id", Integer, ForeignKey("album.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", Integer, primary_key=True),
)
