"""What the library knows of the team server that this desktop joined."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Link:
    """The server; `uid` is the account of its token in the keyring."""

    uid: str
    address: str
    name: str
    fingerprint: str
    authority: str
    member: str
    may_name: bool
    generation: int = 0
    cursor: int = 0


@dataclass(frozen=True, slots=True)
class TeamConflict:
    """A person has one name here and another at the team. `taken`: another person there has the name given here."""

    uid: str
    person_id: int | None
    mine: str
    theirs: str
    by: str
    at: datetime | None
    reason: Literal["conflict", "taken", "face", "rejection"]
    face_id: int | None = None
    """the face that has two names; with `rejection`, the team's name for a face that is not them here"""
    image_id: int | None = None


@dataclass(frozen=True, slots=True)
class TeamCorrection:
    """A name that was given here and changed at another desk. `token` undoes it for everyone; `image_id`: of the first face."""

    token: str
    mine: str
    theirs: str
    at: datetime
    count: int
    image_id: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    people: int
    prints: int
    waiting: int
    unsent: int
    """what was said here and the team does not have: it waits to be sent, or to be settled"""


@dataclass(frozen=True, slots=True)
class Left:
    """The receipt of leaving. `revoked`: the server ended the token at once; otherwise that follows when it can be reached."""

    server: str
    at: datetime
    people: int
    prints: int
    names: int
    """people who stay under a name that was given here"""
    unsent: int
    revoked: bool = False
    removed_photos: int = 0
    """deleted on the server: those that this computer sent"""
    removed_results: int = 0
    stays_photos: int = 0
    stays_results: int = 0
