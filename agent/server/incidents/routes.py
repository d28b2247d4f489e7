"""Routes of incidents."""

import asyncio
from typing import Annotated, Final

from fastapi import FastAPI, Query

from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.record_entry import RecordEntry
from agent.interfaces.web.schemas import Id
from agent.server.incidents.schemas import (
    EvidenceKept,
    IncidentClose,
    IncidentCount,
    IncidentDetails,
    IncidentOut,
    IncidentsOut,
    MessageOut,
    MessagesSent,
)
from agent.server.incidents.service import Incidents
from agent.server.messages.sending import Sending

_READ: Final = needs(Scope.INCIDENTS_READ)
_MANAGE: Final = needs(Scope.INCIDENTS_MANAGE)


def incident_routes(api: FastAPI, incidents: Incidents, sending: Sending) -> None:
    """Add the routes to `api`."""
    queries = incidents.queries

    @api.get("/api/incidents", openapi_extra=_READ)
    async def all_incidents(
        closed: bool = False, before: Id | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> IncidentsOut:
        """Return incidents, newest first; `closed`: closed ones, too."""
        found = await asyncio.to_thread(queries.incidents, before=before, limit=limit + 1, everything=closed)
        items = tuple(map(IncidentOut.of, found[:limit]))
        return IncidentsOut(items=items, before=items[-1].id if len(found) > limit else None)

    @api.get("/api/incidents/count", openapi_extra=_READ)
    async def count() -> IncidentCount:
        return IncidentCount(open=await asyncio.to_thread(queries.count))

    @api.get("/api/incidents/{incident_id}", openapi_extra=_READ)
    async def one(incident_id: Id) -> IncidentDetails:
        """Return an incident with its evidence and messages."""
        found = await asyncio.to_thread(queries.incident, incident_id)
        entries = await asyncio.to_thread(queries.entries, found.evidence)
        messages = await asyncio.to_thread(queries.messages, incident_id)
        return IncidentDetails(
            incident=IncidentOut.of(found),
            evidence=tuple(map(RecordEntry.of, entries)),
            messages=tuple(map(MessageOut.from_record, messages)),
        )

    @api.post("/api/incidents/{incident_id}/see", openapi_extra=_MANAGE)
    async def see(incident_id: Id) -> IncidentOut:
        """Note that it is being looked at, and by whom."""
        return IncidentOut.of(await incidents.see(incident_id))

    @api.post("/api/incidents/{incident_id}/close", openapi_extra=_MANAGE)
    async def close(incident_id: Id, wanted: IncidentClose) -> IncidentOut:
        return IncidentOut.of(await incidents.close(incident_id, wanted.reason))

    @api.post("/api/incidents/{incident_id}/reopen", openapi_extra=_MANAGE)
    async def reopen(incident_id: Id) -> IncidentOut:
        return IncidentOut.of(await incidents.reopen(incident_id))

    @api.post("/api/incidents/{incident_id}/step", openapi_extra=_MANAGE)
    async def step(incident_id: Id) -> IncidentOut:
        """Take the first step: lock the member, end their sessions, or revoke the token."""
        return IncidentOut.of(await incidents.act(incident_id))

    @api.delete("/api/incidents/{incident_id}/step", openapi_extra=_MANAGE)
    async def undo(incident_id: Id) -> IncidentOut:
        """Take back a lock."""
        return IncidentOut.of(await incidents.undo(incident_id))

    _beside(api, incidents, sending)


def _beside(api: FastAPI, incidents: Incidents, sending: Sending) -> None:
    @api.post("/api/incidents/test-message", openapi_extra=_MANAGE)
    async def test_message() -> MessagesSent:
        """Send a message in each way that the settings name."""
        return MessagesSent(ways=await sending.test())

    @api.post("/api/incidents/evidence", openapi_extra=_MANAGE)
    async def evidence(kept: EvidenceKept) -> EvidenceKept:
        """Note in the record that evidence was kept, and its digest, so that a later change to the file is noticed."""
        await incidents.keep_evidence(kept.incident, kept.sha256)
        return kept
