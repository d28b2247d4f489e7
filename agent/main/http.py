"""The one HTTP API: routes that parse, call a use case, and answer."""

import sys
from collections.abc import AsyncIterable, Callable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from agent.desktop.routes import desk_routes
from agent.domain.errors import (
    AgentError,
    BadRequest,
    CaptureError,
    CaptureGone,
    CopyMissing,
    CopyUnsupported,
    FaceUnknown,
    ImageError,
    ImageMissing,
    MonitorUnknown,
    NameEmpty,
    NameTaken,
    NoSuchName,
    NotFound,
    NothingToUndo,
    NotRestorable,
    PersonUnknown,
    RecognitionOff,
    RedactionError,
    RegionOutside,
    SelfMerge,
    SettingsError,
    SettingsUnknownKey,
    SettingsUnwritable,
    SourceError,
    Unauthorised,
    UnfitReference,
    UpdateManaged,
    UpdateNotReady,
    UpdatesOff,
    WholeOnly,
)
from agent.library.folder_routes import folder_routes
from agent.library.routes import library_routes
from agent.library.scan_schemas import ScanRequest
from agent.main import streams
from agent.main.status_routes import status_routes
from agent.people.routes import people_routes
from agent.redaction.routes import redact_routes
from agent.screen.routes import capture_routes
from agent.screen.watch_routes import watch_routes
from agent.updates.routes import update_routes
from agent.web import present
from agent.web.context import Context
from agent.web.guard import Guard
from agent.web.help_routes import help_routes
from agent.web.schemas import Problem, Status
from agent.web.session_routes import session_routes
from agent.web.settings_routes import settings_routes

STATUS_OF: tuple[tuple[type[AgentError], int], ...] = (
    (BadRequest, 422),
    (NotFound, 404),
    (FaceUnknown, 404),
    (PersonUnknown, 404),
    (NothingToUndo, 404),
    (RecognitionOff, 409),
    (NameTaken, 409),
    (SelfMerge, 422),
    (NameEmpty, 422),
    (UnfitReference, 422),
    (CaptureGone, 404),
    (MonitorUnknown, 422),
    (RegionOutside, 422),
    (WholeOnly, 422),
    (CaptureError, 409),
    (CopyUnsupported, 422),
    (NoSuchName, 422),
    (ImageMissing, 409),
    (CopyMissing, 409),
    (NotRestorable, 409),
    (RedactionError, 422),
    (ImageError, 422),
    (UpdateNotReady, 409),
    (UpdateManaged, 409),
    (UpdatesOff, 409),
    (Unauthorised, 401),
    (SettingsUnknownKey, 404),
    (SettingsUnwritable, 503),
    (SettingsError, 422),
    (SourceError, 422),
)


def create_app(context: Context, port: Callable[[], int]) -> FastAPI:
    """All routes behind the guard. `port` tells where we listen."""
    # FastAPI asks of each type whether it is one of Pydantic 1's, and would load all of that, 1.7 MB, to know. None of ours is.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]  # Python's way to say that it can't be had
    # Measuring goes through our own /metrics: nothing is ever sent anywhere.
    silent = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
    api = FastAPI(
        title="AI Popup",
        version=context.version,
        docs_url=None,
        redoc_url=None,
        responses={422: {"model": Problem}},
        telemetry=silent,  # type: ignore[arg-type]  # a dict where TelemetryConfig is wanted
    )
    api.add_middleware(Guard, auth=context.auth, port=port, texts=context.texts)

    _problems(api, context)
    _health_route(api)
    session_routes(api, context)
    library_routes(api, context)
    people_routes(api, context)
    _agent_routes(api, context)
    desk_routes(api, context)
    capture_routes(api, context)
    watch_routes(api, context)
    settings_routes(api, context)
    folder_routes(api, context)
    help_routes(api, context)
    status_routes(api, context)
    redact_routes(api, context)
    update_routes(api, context)
    _pages(api, context)
    return api


def _problems(api: FastAPI, context: Context) -> None:
    """Whatever is refused is said as a Problem, in the program's language."""

    def answer(error: AgentError, status: int) -> JSONResponse:
        return JSONResponse(present.problem(error, context.texts()).model_dump(), status)

    @api.exception_handler(AgentError)
    async def refused(_: Request, error: AgentError) -> JSONResponse:
        return answer(error, next((status for kind, status in STATUS_OF if isinstance(error, kind)), 503))

    @api.exception_handler(RequestValidationError)
    async def not_understood(_: Request, error: RequestValidationError) -> JSONResponse:
        # Where it is wrong, never what was sent.
        return answer(BadRequest(reason=", ".join(sorted({".".join(map(str, each["loc"])) for each in error.errors()}))), 422)

    @api.exception_handler(HTTPException)
    async def not_there(_: Request, error: HTTPException) -> JSONResponse:
        return answer(NotFound() if error.status_code == 404 else BadRequest(reason=error.detail), error.status_code)


def _health_route(api: FastAPI) -> None:
    @api.get("/health")
    async def health() -> dict[str, bool]:
        return {"ok": True}


def _agent_routes(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.get("/api/status")
    async def status() -> Status:
        return present.status(await app.status.now(), context.texts(), context.version)

    @api.get("/api/events", response_class=EventSourceResponse)
    async def events(last_event_id: Annotated[int | None, Header(lt=2**63)] = None) -> AsyncIterable[ServerSentEvent]:
        async with aclosing(streams.happenings(context, last_event_id)) as happenings:
            async for event in happenings:
                yield event

    @api.post("/api/pause", status_code=204)
    async def pause() -> None:
        app.pause()

    @api.post("/api/resume", status_code=204)
    async def resume() -> None:
        app.resume()

    @api.post("/api/rescan", status_code=202)
    async def rescan() -> None:
        await app.rescan()

    @api.post("/api/scans", response_class=StreamingResponse, responses={200: {"content": {"application/x-ndjson": {}}}})
    async def scan(request: ScanRequest) -> StreamingResponse:
        return StreamingResponse(streams.scan(context, request), media_type="application/x-ndjson")


def _pages(api: FastAPI, context: Context) -> None:
    @api.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(context.ui / "index.html")

    @api.get("/popup", include_in_schema=False)
    async def popup() -> FileResponse:
        return FileResponse(context.ui / "popup.html")

    @api.get("/picker", include_in_schema=False)
    async def picker() -> FileResponse:
        return FileResponse(context.ui / "picker.html")

    api.mount("/assets", _Assets(directory=context.ui / "assets", check_dir=False), name="assets")


class _Assets(StaticFiles):
    """The program's own files, whose names change with their content: a browser may keep them, and their compiled form."""

    def file_response(self, *args: Any, **named: Any) -> Response:
        answer = super().file_response(*args, **named)
        answer.headers["cache-control"] = "private, max-age=31536000, immutable"
        return answer
