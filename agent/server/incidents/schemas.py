"""The API schemas of incidents."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from agent.domain.severity import Severity
from agent.interfaces.web.record_entry import RecordEntry
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Id
from agent.server.incidents.incident_kinds import CloseReason, FirstStep, IncidentKind, IncidentState
from agent.server.incidents.queries import Incident


class IncidentOut(Schema):
    """Without names: members and people appear by random ids."""

    id: int
    kind: IncidentKind
    severity: Severity
    at: datetime
    subject: str | None
    """the random id of the member or person concerned"""
    number: int
    """of attempts, photos, searches or minutes; for a broken record the entry"""
    state: IncidentState
    seen_at: datetime | None
    seen_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    reason: CloseReason | None
    step: FirstStep | None
    """what the button does first; null: only the runbook helps"""
    acted_at: datetime | None
    acted_by: str | None
    undone_at: datetime | None
    page: str
    """its page in the runbook"""

    @classmethod
    def of(cls, found: Incident) -> Self:
        return cls.from_record(found, page=found.kind.page)


class IncidentsOut(Schema):
    """Newest first."""

    items: tuple[IncidentOut, ...]
    before: int | None
    """asks for the page of older ones; null: there are none"""


class IncidentCount(Schema):
    open: int
    """that nobody has looked at"""


class MessageOut(Schema):
    way: str
    """`email` or `webhook`"""
    attempts: int
    due_at: datetime | None
    """of the next attempt; null: sent, or given up"""
    sent_at: datetime | None
    error_code: str | None


class IncidentDetails(Schema):
    incident: IncidentOut
    evidence: tuple[RecordEntry, ...]
    messages: tuple[MessageOut, ...]


class IncidentClose(Schema):
    reason: CloseReason


class EvidenceKept(Schema):
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """of the file with the evidence"""
    incident: Id | None = None


class MessagesSent(Schema):
    ways: tuple[str, ...]
    """in which a message was sent"""
