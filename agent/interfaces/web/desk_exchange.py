"""What a team server and the desktop agents that joined it say to each other, see `docs/decisions/0047`."""

import base64
import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from agent.domain.face import Box
from agent.domain.severity import Severity
from agent.interfaces.web.schema_base import Schema, Visible

Uid = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Figure = Annotated[float, Field(allow_inf_nan=False)]
Sequence = Annotated[int, Field(ge=0, lt=2**63)]
_REACH_BITS: Final = 31
"""of a generation: the rest are the same for all members"""
MOST_ENTRIES = 100
MOST_REFERENCES = 30
"""of a person: more add nothing to recognition"""
VECTOR_BYTES = 4_096
CHIP_CHARACTERS = 100_000
MOST_PHOTOS = 100
MOST_REJECTIONS = 500
"""of a person: older ones are not told"""
NO_ONE: Final = "0" * 32
"""where an operation needs a person and there is none"""
FACE_KINDS = ("name", "unname", "reject", "unreject")
WAIT_S = 20
"""how long a server keeps a question open while nothing changes"""
ALERT_NAME: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
"""the names of alerts: kebab-case"""
AlertName = Annotated[str, Field(pattern=ALERT_NAME, max_length=100)]
MOST_ALERTS: Final = 500


class ServerOut(BaseModel):
    """`fingerprint` is the SHA-256 of the certificate whose key agents pin, see `docs/decisions/0106`."""

    name: Annotated[Visible, Field(max_length=300)]
    version: str
    fingerprint: str
    authority: str = ""
    """that certificate, as PEM; earlier agents pin the certificate itself"""
    trusted: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    """certificates, as PEM, whose keys are or will be right: agents that joined pin them, see `docs/decisions/0107`"""


class JoinRequest(Schema):
    """A desktop asks to join (the device authorization request of RFC 8628)."""

    computer: Annotated[Visible, Field(min_length=1, max_length=100)]
    system: Annotated[Visible, Field(max_length=100)] = ""


class JoinRequested(Schema):
    """The answer, in the words of RFC 8628."""

    device_code: str
    user_code: Annotated[str, Field(pattern=r"^[0-9A-Z-]{1,20}$")]
    verification_uri: str
    verification_uri_complete: str
    expires_in: Annotated[int, Field(ge=1, le=86_400)]
    interval: Annotated[int, Field(ge=0, le=60)]


class JoinQuestion(Schema):
    device_code: Annotated[str, Field(min_length=1, max_length=100)]


class JoinAnswer(Schema):
    """`granted` comes once, with the token."""

    state: Literal["pending", "granted", "denied", "expired"]
    token: str = ""
    member: Annotated[Visible, Field(max_length=300)] = ""
    may_name: bool = False


class JoinAsked(Schema):
    """What the member who confirms is shown."""

    computer: str
    system: str
    address: str
    asked_at: datetime
    may_name: bool
    """whether names given at that computer will change the team's"""


class JoinDecision(Schema):
    """`password`: the member's, to let it in; one without a password signed in just now."""

    allow: bool
    password: Annotated[str, Field(max_length=1_000)] | None = None


class Sharing(StrEnum):
    SHARED = "shared"
    WITHDRAWN = "withdrawn"
    """the person no longer agrees to being recognised, or was forgotten: everything is to be deleted"""
    GONE = "gone"
    """merged, or without a face print"""


class SharedReference(Schema):
    """A face print, with what its face shows."""

    number: Sequence
    vector: Annotated[str, Field(max_length=4 * VECTOR_BYTES)]
    """base64"""
    size: float
    sharpness: float
    yaw: float
    roll: float
    covered: float

    @field_validator("vector")
    @classmethod
    def _of_numbers(cls, vector: str) -> str:
        content = base64.b64decode(vector, validate=True)
        if not content or len(content) % 4 or len(content) > VECTOR_BYTES:
            raise ValueError("not a vector")
        return vector

    @property
    def content(self) -> bytes:
        """float32, little endian"""
        return base64.b64decode(self.vector)


class FaceAt(Schema):
    """A face in the photo with this content, by its box: detections on two machines need not be in the same order."""

    photo: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    x: Figure
    y: Figure
    w: Figure
    h: Figure

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.w, self.h)


class FaceNamed(FaceAt):
    """A face of which the desk spoke, known to the team as another person than the desk knows: no one, if both are empty."""

    person_uid: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    name: Annotated[str, Field(max_length=200)] = ""


class SharedPerson(Schema):
    uid: Uid
    state: Sharing
    name: Annotated[str, Field(max_length=200)] = ""
    references: Annotated[tuple[SharedReference, ...], Field(max_length=MOST_REFERENCES)] = ()
    rejected: Annotated[tuple[FaceAt, ...], Field(max_length=MOST_REJECTIONS)] = ()
    """faces on photos of desks that are not theirs"""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.state is Sharing.SHARED and not self.name.strip():
            raise ValueError("no name")
        return self


class PeoplePage(Schema):
    """What changed after a number, oldest first. `reset`: it begins anew, and what is not told again is gone."""

    generation: Sequence
    cursor: Sequence
    embedder: str
    reset: bool
    more: bool
    people: Annotated[tuple[SharedPerson, ...], Field(max_length=MOST_ENTRIES)]
    faces: Annotated[tuple[FaceNamed, ...], Field(max_length=MOST_ENTRIES)] = ()
    """told again until the desk said with `known` that it took them"""


class DeskOperation(Schema):
    """Something done at a desk.

    `base` is what was changed: of `rename` the name, of the others the person that the face was known as to the server, if any.
    `name` and `unname` are about a face; a person who is new to the team gets `name`. `vector` and `chip` are of people who agreed.
    `known` changes nothing: the desk took that a face is known as `base`; `person_uid` is the same, or `NO_ONE`.
    """

    uid: Uid
    kind: Literal["rename", "receipt", "name", "unname", "reject", "unreject", "merge", "unmerge", "known"]
    person_uid: Uid
    base: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    deleted: Sequence = 0
    """face prints, by a receipt"""
    face: FaceAt | None = None
    into: Uid | None = None
    """the person who stays, of a merge"""
    of: Uid | None = None
    """the operation that is undone, of `unmerge`"""
    embedder: Annotated[str, Field(max_length=100)] = ""
    vector: Annotated[str, Field(max_length=4 * VECTOR_BYTES)] = ""
    chip: Annotated[str, Field(max_length=CHIP_CHARACTERS)] = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.kind in (*FACE_KINDS, "known")) is not (self.face is not None) or (self.kind == "merge") is not (self.into is not None):
            raise ValueError("incomplete")
        if (self.kind == "unmerge") is not (self.of is not None):
            raise ValueError("incomplete")
        return self

    @field_validator("vector", "chip")
    @classmethod
    def _is_base64(cls, said: str) -> str:
        base64.b64decode(said, validate=True)
        return said


class DeskOperations(Schema):
    items: Annotated[tuple[DeskOperation, ...], Field(max_length=MOST_ENTRIES)]


class DeskResult(Schema):
    """`conflict`: it has another name by now, `name`, given by `by` at `at`. `taken`: another person has the wanted name."""

    uid: Uid
    state: Literal["done", "conflict", "taken", "gone", "refused"]
    name: str = ""
    by: str = ""
    at: datetime | None = None
    person_uid: str = ""
    """who the face is known as: another one than was sent if the team had someone of that name"""
    printed: bool = False
    """the face print is stored"""


class DeskResults(Schema):
    items: tuple[DeskResult, ...]


class DeskAlert(Schema):
    """`number` is what the text of its name says, if the alert is the server's own: percent, hours, photos …"""

    id: Annotated[int, Field(ge=1, lt=2**63)]
    source: Literal["server", "prometheus"]
    name: AlertName
    severity: Severity
    number: int


class DeskAlerts(Schema):
    """`watched`: whether the member may see alerts at all. The items fire and are not silenced."""

    watched: bool
    items: Annotated[tuple[DeskAlert, ...], Field(max_length=MOST_ALERTS)] = ()


def generation_within(generation: int, seen: str) -> int:
    """Return the generation of a member who sees only that of the library."""
    own = int(hashlib.sha256(f"{generation}:{seen}".encode()).hexdigest()[:15], 16) % (1 << _REACH_BITS)
    return generation >> _REACH_BITS << _REACH_BITS | own


def lost_something(before: int, page: PeoplePage) -> bool:
    """Whether a server that begins anew may be of an earlier moment; otherwise the member sees more or less of it."""
    return before == page.generation or before >> _REACH_BITS != page.generation >> _REACH_BITS
