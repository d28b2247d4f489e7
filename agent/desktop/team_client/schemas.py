"""The API schemas of the team that this desktop joined."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from agent.desktop.team_client.folder_uploads import UploadState
from agent.desktop.team_client.team_upload_queries import MOST_FAILURES
from agent.domain.errors import AgentError
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Problem


class TeamJoin(Schema):
    """A server by its address: to join it, or where the joined one is now."""

    address: Annotated[str, Field(min_length=1, max_length=300)]


class FoundServerOut(Schema):
    """A server as it announces itself in the local network: nothing of it is proven before it is joined."""

    name: str
    address: str
    fingerprint: str
    version: str
    joined: bool
    """this computer joined it"""
    followed_at: str = ""
    """the address at which this computer follows it, if that is another one"""


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
    system_trusts: bool = False
    """the system trusts the certificate: there is nothing to compare"""


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


class TeamNameCorrection(Schema):
    """Faces whose name another computer of the team changed. `token` undoes it for everyone; an empty name: none."""

    token: str
    mine: str
    theirs: str
    at: datetime
    count: int
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


class UploadFailure(Schema):
    image_id: int | None
    problem: Problem


class FolderUploadsOut(Schema):
    """Whole photos that go to the server."""

    sent: int
    there: int
    """the server had them"""
    waiting: int
    waiting_bytes: int
    failed: int
    """including files that can't be read now"""
    online_only: int
    removable: int
    """sent from folders that are no longer uploaded, and still on this computer"""
    last_copies: int
    """sent, and no longer on this computer"""
    rate: int
    """bytes per second"""
    left_s: int | None
    paused: bool
    failures: tuple[UploadFailure, ...]
    """the first of them"""
    problem: Problem | None

    @classmethod
    def of(cls, state: UploadState, problem: AgentError | None, texts: Texts) -> Self:
        counts = state.counts
        passed_over = len(state.failures) - min(counts.failed, MOST_FAILURES)
        return cls(
            sent=counts.sent,
            there=counts.there,
            waiting=max(0, counts.waiting - passed_over - state.online_only),
            waiting_bytes=counts.waiting_bytes,
            failed=counts.failed + passed_over,
            online_only=state.online_only,
            removable=counts.removable,
            last_copies=counts.last_copies,
            rate=state.rate,
            left_s=state.left_s,
            paused=state.paused,
            failures=tuple(
                UploadFailure(image_id=each, problem=Problem.of(error, texts)) for each, error in state.failures[:MOST_FAILURES]
            ),
            problem=Problem.maybe(problem, texts),
        )


class TakenBack(Schema):
    """`photos`: of which the server was told what is in them. `uploads`: that were sent whole."""

    photos: int
    uploads: int


class UploadsRetried(Schema):
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
    unsent: int = 0
    """changes made here that the team does not have, with those that wait to be settled"""
    seen_at: datetime | None = None
    joining: JoiningOut | None = None
    problem: Problem | None = None
    conflicts: tuple[TeamNameConflict, ...] = ()
    corrections: tuple[TeamNameCorrection, ...] = ()
    """the newest of the last week"""
    sharing: SharingOut | None = None
    uploads: FolderUploadsOut | None = None


class ConflictSettled(Schema):
    keep: Literal["mine", "theirs"]


class TeamLeave(Schema):
    """`remove`: the server deletes what this computer sent and told of."""

    remove: bool = False


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
    removed_photos: int
    """deleted on the server"""
    removed_results: int
    stays_photos: int
    """on the server: sent by this computer"""
    stays_results: int
