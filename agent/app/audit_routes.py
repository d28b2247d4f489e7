"""Routes of the record: who did what, and whether it is as it was written."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextvars import copy_context
from functools import partial
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse

from agent.app.audit_schemas import RecordCheck, RecordPage, RecordVerified, record_checks
from agent.domain.errors import AgentError
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.audit_log import AuditQueries
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import Id, Problem
from agent.interfaces.web.streaming import NdjsonResponse

Word = Annotated[str | None, Query(max_length=80)]


def record_routes(api: FastAPI, library: AuditQueries, witness: AuditAnchor, texts: Callable[[], Texts]) -> None:
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

    @api.post(
        "/api/record/checks",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}}},
        openapi_extra=needs(Scope.RECORD_READ),
    )
    async def check() -> StreamingResponse:
        """Verify the whole record, and yield lines of JSON: how far it has been read, and at last what was found."""
        checks = record_checks(library, witness)
        within = copy_context()  # the caller's reach: the lines are read after this returned
        return NdjsonResponse(_lines(await asyncio.to_thread(next, checks), partial(within.run, next, checks, None), texts))


async def _lines(
    line: RecordCheck | None, following: Callable[[], RecordCheck | None], texts: Callable[[], Texts]
) -> AsyncGenerator[RecordCheck, None]:
    try:
        while line is not None:
            yield line
            line = await asyncio.to_thread(following)
    except AgentError as error:  # too late for a status of its own
        yield RecordCheck(stopped=Problem.of(error, texts()))
