"""Routes of the record: who did what, and whether it is as it was written."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Query

from agent.main.record_schemas import RecordEntry, RecordPage, RecordVerified
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
        found = await asyncio.to_thread(library.audit_entries, before=before, limit=limit + 1, actor=actor, action=action)
        items = tuple(map(RecordEntry.of, found[:limit]))
        return RecordPage(items=items, before=items[-1].id if len(found) > limit else None)

    @api.post("/api/record/verify", openapi_extra=needs(Scope.RECORD_READ))
    async def verify() -> RecordVerified:
        """Read the whole record and check each entry."""
        broken_at = await asyncio.to_thread(lambda: library.audit_broken_at(witness.read()))
        return RecordVerified(entries=(await asyncio.to_thread(library.audit_head)).number, broken_at=broken_at)
