"""What is known of an upload."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MEGABYTE: Final = 1_000_000
GIGABYTE: Final = 1_000_000_000
EMPTY_FOR: Final = timedelta(minutes=10)
"""how long an upload of which nothing has arrived holds its room"""


class Outcome(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    """the same content is there already"""


@dataclass(frozen=True, slots=True)
class NewUpload:
    name: str
    """as the browser says it"""
    size: int
    """bytes"""
    modified_ns: int | None = None
    library: int | None = None
    """of several, the one it goes to"""
    sha256: str | None = None
    """of all of it: anything else is not stored"""
    token: str | None = None
    """the API token it comes by"""


@dataclass(frozen=True, slots=True)
class Upload:
    id: str
    """random"""
    member: str
    """a member's random id; empty: the user of the server's computer"""
    library: int | None
    """the library it goes to; None: the server has no libraries of its own"""
    name: str
    """the file's, made safe"""
    size: int
    """bytes"""
    modified_ns: int | None
    """when the file was last changed, by the browser's computer"""
    created_at: datetime
    expires_at: datetime
    """until then it must be finished; one of which nothing has arrived lapses sooner: see `Received`"""
    sha256: str | None = None
    """as the sender says it; once all of it has arrived, as it is"""
    target: str | None = None
    """the path it gets, noted before the file is moved"""
    outcome: Outcome | None = None
    """None: unfinished"""
    token: str | None = None
    """the API token it came by, such as a desk's; None: from a browser"""

    def is_same(self, other: "Upload") -> bool:
        """Whether a program began the same content again, because it lost the answer."""
        told = self.token, self.sha256, self.library, self.size
        return None not in (self.token, self.sha256) and told == (other.token, other.sha256, other.library, other.size)


@dataclass(frozen=True, slots=True)
class Received:
    """How much of an upload has arrived."""

    upload: Upload
    offset: int

    @property
    def expires_at(self) -> datetime:
        """Until then it must be finished, or must have begun to arrive."""
        upload = self.upload
        begun = self.offset or upload.target is not None  # a file that was moved has no part any more
        return upload.expires_at if begun else min(upload.expires_at, upload.created_at + EMPTY_FOR)


@dataclass(frozen=True, slots=True)
class Room:
    """What unfinished and finished uploads take. Bytes."""

    unfinished: int
    """the whole size of those that are not finished"""
    stored: int


@dataclass(frozen=True, slots=True)
class Limits:
    file_bytes: int
    total_bytes: int
    """0: none"""
    keep_free_bytes: int
    unfinished: int
    """of one member"""
    days: int
    """until an unfinished one is removed"""
