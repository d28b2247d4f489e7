"""Routes of the record: who did what, and whether it is as it was written."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query

from agent.main.record_schemas import RecordPage, RecordVerified
from agent.store.audit_log import AuditQueries
from agent.store.audit_witness import AuditWitness
from agent.web.access import Scope, needs
from agent.web.schemas import Id

Word = Annotated[str | None, Query(max_length=80)]


def record_routes(api: FastAPI, library: AuditQueries, witness: AuditWitness) -> None:
    """Add the routes of the record to `api`."""

    @api.get("/api/record", openapi_extra=needs(Scope.RECORD_READ))
    async def record(
        before: Id | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100, actor: Word = None, action: Word = None
    ) -> RecordPage:
        """Return entries older than entry `before`; an empty `actor` is the user of this computer."""
        return await asyncio.to_thread(RecordPage.read, library, before=before, limit=limit, actor=actor, action=action)

    @api.post("/api/record/verify", openapi_extra=needs(Scope.RECORD_READ))
    async def verify() -> RecordVerified:
        """Read the whole record and check each entry."""
        return await asyncio.to_thread(RecordVerified.read, library, witness)
