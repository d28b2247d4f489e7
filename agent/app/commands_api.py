"""The part of the API that commands call too, where no agent runs: it loads nothing that only pages and windows need."""

import sys
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from agent import __version__
from agent.app import streams
from agent.app.app import App
from agent.app.member_view import FolderName, MemberView
from agent.desktop.capture.routes import Taken, capture_routes
from agent.domain.errors import NotRunning
from agent.features.consent.routes import consent_routes
from agent.features.library.album_routes import album_routes
from agent.features.library.scan_schemas import ScanRequest
from agent.features.people.name_drafts import Drafts, DraftsInMemory
from agent.features.people.routes import clustering_routes, editing_routes, naming_routes, search_routes
from agent.features.redaction.routes import making_routes
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.error_responses import problem_answers
from agent.interfaces.web.guard import Access, Guard, LocalAccess
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.schemas import MOST, Problem, Status
from agent.interfaces.web.scoped_route import ScopedRoute, Who
from agent.interfaces.web.streaming import NdjsonResponse


def commands_app(app: App, auth: Auth, texts: Callable[[], Texts], port: Callable[[], int]) -> FastAPI:
    """The routes that commands call where no agent runs: none that needs a desktop, for each of them costs time at the start."""

    async def no_windows() -> Taken:
        raise NotRunning  # the windows for it are the agent's

    api = guarded(LocalAccess(auth, port), __version__, texts)
    agent_routes(api, app, __version__, texts)
    edit_routes(api, app, DraftsInMemory())
    album_routes(api, app.library, app.environment)
    making_routes(api, app.redaction, app.photo_copy, app.actions, texts)
    capture_routes(api, app.screen, no_windows)
    return api


def guarded(access: Access, version: str, texts: Callable[[], Texts]) -> FastAPI:
    """Without routes. Each route that is added must declare its scope, or it refuses every request."""
    # FastAPI checks each type against Pydantic 1's, and would load all of that, 1.7 MB, for it. None of ours is one.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]  # Python's way to say that it can't be had
    # Measuring uses our own /metrics: no data is ever sent anywhere.
    silent = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
    api = FastAPI(
        title="AI Popup",
        version=version,
        docs_url=None,
        redoc_url=None,
        responses={"default": {"model": Problem, "description": "Refused"}},
        telemetry=silent,  # type: ignore[arg-type]  # a dict where TelemetryConfig is wanted
    )
    api.router.route_class = ScopedRoute
    api.add_middleware(Guard, access=access, texts=texts)
    problem_answers(api, texts)
    return api


async def _at_once() -> None:
    """Where no watch applies what the settings' file holds, there is nothing to wait for."""


def agent_routes(
    api: FastAPI,
    app: App,
    version: str,
    texts: Callable[[], Texts],
    folder_name: FolderName = lambda _: None,
    caught_up: Callable[[], Awaitable[None]] = _at_once,
) -> None:
    """Add those of the status, of what happens, and of scans to `api`. `caught_up` waits until saved settings are in force."""

    @api.get("/health", openapi_extra=needs(Scope.OPEN))
    async def health() -> dict[str, bool]:
        return {"ok": True}

    @api.get("/api/status", openapi_extra=needs(Scope.STATUS_READ))
    async def status(who: Who) -> Status:
        await caught_up()  # `ai-popup folders add` may have ended a moment ago
        now = await app.status.now()
        return await MemberView(app, who, folder_name).status(now, streams.status_of(now, texts(), version))

    @api.get("/api/events", response_class=EventSourceResponse, openapi_extra=needs(Scope.STATUS_READ))
    async def events(who: Who, last_event_id: Annotated[int | None, Header(le=MOST)] = None) -> AsyncIterable[ServerSentEvent]:
        async with aclosing(streams.event_stream(app, texts, version, last_event_id, who, folder_name)) as event_stream:
            async for event in event_stream:
                yield event

    @api.post(
        "/api/scans",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}}},
        openapi_extra=needs(Scope.DESKTOP),
    )
    async def scan(request: ScanRequest) -> StreamingResponse:
        return NdjsonResponse(streams.scan(app, request, texts()))


def edit_routes(api: FastAPI, app: App, drafts: Drafts) -> None:
    """Add all that change what is known of people to `api`."""
    naming_routes(api, app.people, app.library, drafts, lambda: app.settings, app.now)
    editing_routes(api, app.people, app.library, drafts)
    clustering_routes(api, app.clusters)
    consent_routes(api, app.consents)
    search_routes(api, app.face_search, app.verify, lambda: app.settings)
