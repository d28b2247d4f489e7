"""The API schemas of the team that this desktop joined."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from agent.web.schemas import Problem, Schema


class TeamJoin(Schema):
    address: Annotated[str, Field(min_length=1, max_length=300)]


class FoundServerOut(Schema):
    """A server as it announces itself in the local network: nothing of it is proven before it is joined."""

    name: str
    address: str
    fingerprint: str
    version: str
    joined: bool
    """this computer joined it"""


class FoundServersOut(Schema):
    servers: tuple[FoundServerOut, ...]


class JoiningOut(Schema):
    """A member confirms `code` on `page`, and compares the fingerprint."""

    address: str
    name: str
    fingerprint: str
    code: str
    page: str
    until: datetime


class TeamNameConflict(Schema):
    """`taken`: another person at the team has the name given here. `face`: a face has another name at the team.

    `rejection`: a face that is not the person here has that name at the team.
    """

    uid: str
    person_id: int | None
    mine: str
    theirs: str
    by: str
    at: datetime | None
    reason: Literal["conflict", "taken", "face", "rejection"]
    face_id: int | None
    image_id: int | None


class SharingOut(Schema):
    """What the server knows of photos on this computer."""

    sent: int
    waiting: int
    stays: int
    """photos that it still knows, though their folder is no longer shared or they are gone here"""
    refused: int
    """it has them in libraries out of the member's reach"""
    problem: Problem | None = None


class TakenBack(Schema):
    photos: int


class TeamOut(Schema):
    state: Literal["none", "joining", "joined"]
    name: str = ""
    address: str = ""
    fingerprint: str = ""
    member: str = ""
    may_name: bool = False
    people: int = 0
    prints: int = 0
    waiting: int = 0
    """names and receipts that are to be sent"""
    seen_at: datetime | None = None
    joining: JoiningOut | None = None
    problem: Problem | None = None
    conflicts: tuple[TeamNameConflict, ...] = ()
    sharing: SharingOut | None = None


class ConflictSettled(Schema):
    keep: Literal["mine", "theirs"]


class TeamReceipt(Schema):
    """What leaving deleted. Not `revoked`: the server could not be told yet, which follows."""

    server: str
    at: datetime
    people: int
    prints: int
    names: int
    """people who stay under a name that was given here"""
    unsent: int
    revoked: bool
