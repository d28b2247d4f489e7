"""Which tables move with a library, by what their rows are recognised on the other side, and why the others stay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import Table

from agent.domain.jobs import JobState
from agent.infrastructure.store import schema

Row: TypeAlias = dict[str, Any]


class RowKind(StrEnum):
    """What a number refers to: numbers differ between libraries."""

    IMAGE = "image"
    FACE = "face"
    PERSON = "person"
    PLACE = "place"
    REDACTION = "redaction"
    UNDO = "undo"
    ALBUM = "album"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class Moving:
    """A table that moves. `key` are the columns by which a row is found on the other side; the first one is looked up."""

    table: Table
    key: tuple[str, ...]
    refs: Mapping[str, RowKind] = field(default_factory=dict)
    left: frozenset[str] = frozenset()  # columns of one side: derived there, neither moved nor compared
    gives: RowKind | None = None  # what other tables refer to by its `id`
    paths: tuple[str, ...] = ()  # columns that hold a path
    may_miss: frozenset[str] = frozenset()  # of `refs`: a row moves without what these name

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def columns(self) -> list[str]:
        return [each.name for each in self.table.columns if each.name not in self.left]


def _of_face(table: Table) -> Moving:
    return Moving(table, ("face_id",), {"face_id": RowKind.FACE})


def _of_both(table: Table) -> Moving:
    return Moving(table, ("face_id", "person_id"), {"face_id": RowKind.FACE, "person_id": RowKind.PERSON})


_ID: Final = frozenset({"id"})
PERSON: Final = Moving(schema.person, ("uid",), left=_ID | {"cover_face_id", "lapsed_at"}, gives=RowKind.PERSON)
CONSENT: Final = Moving(schema.consent, ("person_uid", "purpose", "entered_at", "given_on", "state"), left=_ID)
IMAGE: Final = Moving(schema.image, ("sha256",), left=_ID, gives=RowKind.IMAGE)
PLACE: Final = Moving(
    schema.place,
    ("path", "source", "host"),
    {"image_id": RowKind.IMAGE},
    left=_ID | {"library_id"},
    gives=RowKind.PLACE,
    paths=("path", "folder"),
)
JOB: Final = Moving(
    schema.job, ("place_id",), {"place_id": RowKind.PLACE}, left=_ID | {"lease_until", "lease_worker", "batch", "request_id"}
)
FACE: Final = Moving(schema.face, ("image_id", "ordinal"), {"image_id": RowKind.IMAGE}, left=_ID, gives=RowKind.FACE)
EMBEDDING, CHIP, IGNORED, ADOPTED = (_of_face(each) for each in (schema.embedding, schema.chip, schema.ignored, schema.adopted))
IDENTITY: Final = Moving(schema.identity, ("face_id",), {"face_id": RowKind.FACE, "image_id": RowKind.IMAGE, "person_id": RowKind.PERSON})
REJECTION, UNSEEN = _of_both(schema.rejection), _of_both(schema.unseen)
REDACTION: Final = Moving(schema.redaction, ("uid",), left=_ID, gives=RowKind.REDACTION, paths=("folder",))
REDACTION_ITEM: Final = Moving(
    schema.redaction_item,
    ("redaction_id", "source"),
    {"redaction_id": RowKind.REDACTION},
    left=_ID | {"request_id"},
    paths=("source", "target"),
)
ALBUM: Final = Moving(
    schema.album,
    ("uid",),
    {"cover_image_id": RowKind.IMAGE},
    left=_ID | {"library_id"},
    gives=RowKind.ALBUM,
    may_miss=frozenset({"cover_image_id"}),
)
ALBUM_IMAGE: Final = Moving(schema.album_image, ("image_id", "album_id"), {"album_id": RowKind.ALBUM, "image_id": RowKind.IMAGE})
ALBUM_PERSON: Final = Moving(schema.album_person, ("album_id", "person_id"), {"album_id": RowKind.ALBUM, "person_id": RowKind.PERSON})
UNDO: Final = Moving(schema.undo, ("token",), {"person_id": RowKind.PERSON}, left=_ID, gives=RowKind.UNDO)
UNDO_PERSON: Final = Moving(schema.undo_person, ("undo_id", "person_id"), {"undo_id": RowKind.UNDO, "person_id": RowKind.PERSON})

OF_FACES: Final = (EMBEDDING, CHIP, IDENTITY, REJECTION, UNSEEN, IGNORED, ADOPTED)
OF_PHOTOS: Final = (IMAGE, PLACE, JOB, FACE, *OF_FACES)
MOVES: Final = (PERSON, CONSENT, *OF_PHOTOS, REDACTION, REDACTION_ITEM, ALBUM, ALBUM_IMAGE, ALBUM_PERSON, UNDO, UNDO_PERSON)
COVER: Final = "cover"
"""a person's chosen picture, which is moved once its face is there: shown like a table of its own"""
RECORD: Final = "record"
"""the audit log, which moves as a file, because the other side can't continue its chain"""

# Each has a sentence in the catalogue: `cli.move.stays.<reason>`.
STAYS: Final[Mapping[str, str]] = {
    "audit": RECORD,
    "audit_head": RECORD,
    "grouping": "derived",
    "event": "passing",
    "draft": "passing",
    "meta": "passing",
    "shared": "passing",
    "worker": "passing",
    "upload": "passing",
    "member": "accounts",
    "recovery_code": "accounts",
    "passkey": "accounts",
    "provider_link": "accounts",
    "ceremony": "accounts",
    "sign_in_attempt": "accounts",
    "invitation": "accounts",
    "member_session": "accounts",
    "api_token": "accounts",
    "library": "accounts",
    "library_source": "accounts",
    "library_access": "accounts",
    "bucket": "accounts",
    "consent_link": "accounts",
    "incident": "accounts",
    "incident_message": "accounts",
    "backup_run": "accounts",
    "alert": "accounts",
    "alert_message": "accounts",
    "alert_silence": "accounts",
    "lease": "passing",
    "desk_face": "accounts",
    "desk_feed": "accounts",
    "desk_operation": "accounts",
    "join_request": "accounts",
    "team_link": "membership",
    "team_photo": "membership",
    "team_upload": "membership",
    "team_face": "membership",
    "team_person": "membership",
    "team_reference": "membership",
    "team_outbox": "membership",
}


def at_rest(row: Row) -> Row:
    """A job without a worker: a lease ends with its worker."""
    state = JobState.QUEUED if row["state"] == JobState.LEASED else row["state"]
    return row | {"state": state}
