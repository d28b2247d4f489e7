"""The one HTTP API: routes that parse, call a use case, and answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse

from agent.app.app import App
from agent.app.audit_routes import record_routes
from agent.app.commands_api import agent_routes, edit_routes, guarded
from agent.app.health import Health
from agent.app.library_restore import LibraryRestore
from agent.app.member_view import FolderName
from agent.app.status_routes import health_routes, restore_routes, status_routes
from agent.desktop.capture.region_picker import RegionPicker
from agent.desktop.capture.routes import capture_routes, review_routes, watch_routes
from agent.desktop.popup.routes import window_routes
from agent.desktop.team_client.routes import team_routes
from agent.desktop.team_client.service import TeamMembership
from agent.features.library.album_routes import album_routes
from agent.features.library.folder_routes import estimate_routes, folder_list_routes, folder_routes
from agent.features.library.onboarding import Onboarding
from agent.features.library.onboarding_routes import first_run_routes
from agent.features.library.routes import action_routes, image_routes, index_routes
from agent.features.people.name_drafts import Drafts, DraftsInMemory
from agent.features.people.routes import people_routes, waiting_routes
from agent.features.redaction.routes import batch_routes, copy_file_routes, item_routes, making_routes
from agent.features.updates.routes import update_routes
from agent.features.updates.service import Updates
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.setting_fields import DESKTOP_ONLY, SERVER_ONLY
from agent.infrastructure.core.settings import KeyHome
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.assets import Assets
from agent.interfaces.web.guard import Access, LocalAccess
from agent.interfaces.web.help_routes import Places, help_routes
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.session_routes import session_routes
from agent.interfaces.web.settings_routes import settings_routes
from agent.interfaces.web.settings_schemas import QuietRequest
from agent.interfaces.web.ui_port import UiPort

_SAVED_S = 2.0  # how long the status waits for settings that were saved a moment ago


@dataclass(frozen=True)
class Context:
    """The services used by the routes."""

    app: App
    auth: Auth
    desk: UiPort
    picking: RegionPicker
    settings: SettingsFile
    move_key: Callable[[KeyHome], None]
    recovery_code: Callable[[], str]
    beginning: Onboarding
    suggested: Callable[[], tuple[str, ...]]
    texts: Callable[[], Texts]
    remote: Callable[[str], bool]
    quit: Callable[[], None]
    health: Health
    restore: LibraryRestore
    version: str
    ui: Path  # the built web app
    help: Path
    drafts: Drafts = field(default_factory=DraftsInMemory)
    updates: Updates = field(default_factory=Updates.none)
    places: Places = field(default_factory=Places)
    membership: TeamMembership | None = None
    """of a desktop in a team"""


@dataclass(frozen=True)
class Team:
    """What a team server has instead of the sessions of one user."""

    access: Access
    routes: Callable[[FastAPI], None]  # adds its own
    folder_name: FolderName = lambda _: None
    """what a folder is to be called, if not by its own name"""


def create_app(context: Context, port: Callable[[], int], team: Team | None = None) -> FastAPI:
    """All routes behind the guard. `port` returns the port we listen on."""
    app, texts = context.app, context.texts
    if team is None:
        api = guarded(LocalAccess(context.auth, port), context.version, texts)
        session_routes(api, context.auth)
        if context.membership is not None:
            team_routes(api, context.membership, texts, context.settings.caught_up)
        hidden = SERVER_ONLY
    else:
        api = guarded(team.access, context.version, texts)
        team.routes(api)
        hidden = SERVER_ONLY | DESKTOP_ONLY | {"backup"}  # a stolen session must not lead backups elsewhere
    folder_name: FolderName = (lambda _: None) if team is None else team.folder_name
    settings_routes(api, context.settings, context.desk, context.move_key, texts, hidden, folder_name)
    help_routes(api, context.version, context.help, context.places, context.settings, texts)
    window_routes(api, context.desk)
    agent_routes(api, app, context.version, texts, folder_name, partial(context.settings.caught_up, _SAVED_S))
    _control_routes(api, context)
    _library_routes(api, context, folder_name)
    _people_routes(api, app, context.drafts)
    _redaction_routes(api, context)
    capture_routes(api, app.screen, context.picking.pick)
    review_routes(api, app.screen, context.picking)
    watch_routes(api, app.screen, context.settings, texts)
    status_routes(api, app, context.desk, texts)
    record_routes(api, app.library, app.witness, texts)
    health_routes(api, app, context.health, context.version, texts)
    restore_routes(api, context.restore, texts)
    update_routes(api, context.updates, lambda: app.settings, texts)
    _pages(api, context.ui, compressed=team is not None)  # on this computer it would only take time
    return api


def _library_routes(api: FastAPI, context: Context, folder_name: FolderName) -> None:
    app = context.app
    index_routes(api, app.library, app.whole_indexes, lambda: app.settings, app.rest)
    image_routes(api, app.library, app.previews, app.thumbnails)
    action_routes(api, app.actions, context.desk)
    album_routes(api, app.library, app.environment)
    folder_list_routes(api, app.library, app.ingest, lambda: app.settings, context.texts, app.rest, folder_name)
    folder_routes(api, context.settings, app.library, app.ingest, context.desk, context.texts)
    estimate_routes(api, app.tally, lambda: app.monitor.engine.size, context.remote)
    first_run_routes(api, context.beginning, context.recovery_code, context.suggested, context.texts)


def _people_routes(api: FastAPI, app: App, drafts: Drafts) -> None:
    people_routes(api, app.library, app.sidecars, lambda: app.settings, app.now)
    waiting_routes(api, app.group_cards, app.review)
    edit_routes(api, app, drafts)


def _redaction_routes(api: FastAPI, context: Context) -> None:
    app = context.app
    making_routes(api, app.redaction, app.photo_copy, app.actions, context.texts)
    batch_routes(api, app.redaction, app.library, context.texts, app.now, context.places)
    item_routes(api, app.redaction, app.library, context.texts)
    copy_file_routes(api, app.redaction, app.library, app.actions, app.analyser, context.desk, context.texts, app.now)


def _control_routes(api: FastAPI, context: Context) -> None:
    app = context.app

    @api.post("/api/pause", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def pause() -> None:
        app.indexer.pause()

    @api.post("/api/resume", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def resume() -> None:
        app.indexer.resume()

    @api.post("/api/rescan", status_code=202, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def rescan() -> None:
        await app.rescan()

    @api.post("/api/quiet", status_code=204, openapi_extra=needs(Scope.DESKTOP))
    async def quiet(request: QuietRequest) -> None:
        """Suppress the popup for some time, or until the current work is done; neither ends an earlier requested quiet time."""
        if not request.until_done:
            await app.quiet.put_off(request.minutes)
        if request.until_done or request.minutes is not None:
            await context.desk.hide_popup()

    @api.post("/api/burst/cancel", status_code=204, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def cancel_burst() -> None:
        await app.cancel_burst()

    @api.post("/api/quit", status_code=202, openapi_extra=needs(Scope.DESKTOP))
    async def quit_agent() -> None:
        context.quit()


def _pages(api: FastAPI, ui: Path, *, compressed: bool) -> None:
    @api.get("/", include_in_schema=False, openapi_extra=needs(Scope.OPEN))
    async def page() -> FileResponse:
        return FileResponse(ui / "index.html")

    @api.get("/popup", include_in_schema=False, openapi_extra=needs(Scope.OPEN))
    async def popup() -> FileResponse:
        return FileResponse(ui / "popup.html")

    @api.get("/picker", include_in_schema=False, openapi_extra=needs(Scope.OPEN))
    async def picker() -> FileResponse:
        return FileResponse(ui / "picker.html")

    api.mount("/assets", Assets(ui / "assets", compressed=compressed), name="assets")
