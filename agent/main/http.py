"""The one HTTP API: routes that parse, call a use case, and answer."""

import sys
from collections.abc import AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header
from fastapi.responses import FileResponse, Response, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles

from agent.core.config_file import SettingsFile
from agent.core.i18n import Texts
from agent.core.settings import KeyHome
from agent.desktop.routes import desk_routes
from agent.library.folder_routes import estimate_routes, folder_list_routes, folder_routes
from agent.library.onboarding import Beginning
from agent.library.onboarding_routes import first_run_routes
from agent.library.routes import action_routes, image_routes, index_routes
from agent.library.scan_schemas import ScanRequest
from agent.main import present_status, streams
from agent.main.app import App
from agent.main.health import Health
from agent.main.status_routes import health_routes, status_routes
from agent.people.drafts import Drafts
from agent.people.routes import editing_routes, naming_routes, people_routes, search_routes, waiting_routes
from agent.redaction.routes import batch_routes, copy_file_routes, item_routes, making_routes
from agent.screen.region_picker import Picking
from agent.screen.routes import capture_routes
from agent.screen.watch_routes import watch_routes
from agent.updates.routes import update_routes
from agent.updates.service import Updates
from agent.web.auth import Auth
from agent.web.desk import Desk
from agent.web.guard import Guard
from agent.web.help_routes import Places, help_routes
from agent.web.problem_answers import problem_answers
from agent.web.schemas import Problem, Status
from agent.web.session_routes import session_routes
from agent.web.settings_routes import settings_routes
from agent.web.settings_schemas import QuietRequest


@dataclass(frozen=True)
class Context:
    """What the routes work with."""

    app: App
    auth: Auth
    desk: Desk
    picking: Picking
    settings: SettingsFile
    move_key: Callable[[KeyHome], None]
    recovery_code: Callable[[], str]
    beginning: Beginning
    suggested: Callable[[], tuple[str, ...]]
    texts: Callable[[], Texts]
    remote: Callable[[str], bool]
    quit: Callable[[], None]
    health: Health
    version: str
    ui: Path  # the built web app
    help: Path
    drafts: Drafts = field(default_factory=Drafts)
    updates: Updates = field(default_factory=Updates.none)
    places: Places = field(default_factory=Places)


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

    problem_answers(api, context.texts)
    session_routes(api, context.auth)
    settings_routes(api, context.settings, context.desk, context.move_key, context.texts)
    help_routes(api, context.version, context.help, context.places, context.settings, context.texts)
    desk_routes(api, context.desk)
    _agent_routes(api, context)
    _control_routes(api, context)
    _library_routes(api, context)
    _people_routes(api, context)
    _redaction_routes(api, context)
    capture_routes(api, context.app.screen, context.picking)
    watch_routes(api, context.app.screen, context.settings, context.texts)
    status_routes(api, context.app, context.desk, context.texts)
    health_routes(api, context.app, context.health, context.version, context.texts)
    update_routes(api, context.updates, lambda: context.app.settings, context.texts)
    _pages(api, context.ui)
    return api


def _library_routes(api: FastAPI, context: Context) -> None:
    app = context.app
    index_routes(api, app.library, lambda: app.settings, app.rest)
    image_routes(api, app.library, app.previews, app.thumbnails)
    action_routes(api, app.actions, context.desk)
    folder_list_routes(api, app.library, app.ingest, lambda: app.settings, context.texts, app.rest)
    folder_routes(api, context.settings, app.library, app.ingest, context.desk, context.texts)
    estimate_routes(api, app.tally, lambda: app.monitor.engine.size, context.remote)
    first_run_routes(api, context.beginning, context.recovery_code, context.suggested, context.texts)


def _people_routes(api: FastAPI, context: Context) -> None:
    app = context.app
    people_routes(api, app.library, app.sidecars, lambda: app.settings, app.now)
    waiting_routes(api, app.group_cards, app.review)
    naming_routes(api, app.people, app.library, context.drafts, lambda: app.settings)
    editing_routes(api, app.people, app.library, context.drafts)
    search_routes(api, app.face_search, app.verify, lambda: app.settings)


def _redaction_routes(api: FastAPI, context: Context) -> None:
    app = context.app
    making_routes(api, app.redaction, app.photo_copy, app.actions, context.texts)
    batch_routes(api, app.redaction, app.library, context.texts, app.now)
    item_routes(api, app.redaction, app.library, context.texts)
    copy_file_routes(api, app.redaction, app.library, app.actions, app.analyser, context.desk)


def _agent_routes(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.get("/health")
    async def health() -> dict[str, bool]:
        return {"ok": True}

    @api.get("/api/status")
    async def status() -> Status:
        return present_status.status(await app.status.now(), context.texts(), context.version)

    @api.get("/api/events", response_class=EventSourceResponse)
    async def events(last_event_id: Annotated[int | None, Header(lt=2**63)] = None) -> AsyncIterable[ServerSentEvent]:
        async with aclosing(streams.happenings(app, context.texts, context.version, last_event_id)) as happenings:
            async for event in happenings:
                yield event

    @api.post("/api/scans", response_class=StreamingResponse, responses={200: {"content": {"application/x-ndjson": {}}}})
    async def scan(request: ScanRequest) -> StreamingResponse:
        return StreamingResponse(streams.scan(app, request, context.texts()), media_type="application/x-ndjson")


def _control_routes(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.post("/api/pause", status_code=204)
    async def pause() -> None:
        app.indexer.pause()

    @api.post("/api/resume", status_code=204)
    async def resume() -> None:
        app.indexer.resume()

    @api.post("/api/rescan", status_code=202)
    async def rescan() -> None:
        await app.rescan()

    @api.post("/api/quiet", status_code=204)
    async def quiet(request: QuietRequest) -> None:
        """No popup for some time, or until the work at hand is done; neither ends a quiet time that was asked for."""
        if not request.until_done:
            await app.quiet.put_off(request.minutes)
        if request.until_done or request.minutes is not None:
            await context.desk.hide_popup()

    @api.post("/api/burst/cancel", status_code=204)
    async def cancel_burst() -> None:
        await app.cancel_burst()

    @api.post("/api/quit", status_code=202)
    async def quit_agent() -> None:
        context.quit()


def _pages(api: FastAPI, ui: Path) -> None:
    @api.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(ui / "index.html")

    @api.get("/popup", include_in_schema=False)
    async def popup() -> FileResponse:
        return FileResponse(ui / "popup.html")

    @api.get("/picker", include_in_schema=False)
    async def picker() -> FileResponse:
        return FileResponse(ui / "picker.html")

    api.mount("/assets", _Assets(directory=ui / "assets", check_dir=False), name="assets")


class _Assets(StaticFiles):
    """The program's own files, whose names change with their content: a browser may keep them, and their compiled form."""

    def file_response(self, *args: Any, **named: Any) -> Response:
        answer = super().file_response(*args, **named)
        answer.headers["cache-control"] = "private, max-age=31536000, immutable"
        return answer
