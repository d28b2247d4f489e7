"""The agent's event loop, in which all services are built and run until the agent is quit."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from agent import __version__
from agent.app.app import Reconfigure
from agent.app.checkup import health
from agent.app.http import Context, create_app
from agent.app.library_home import backup_store, move_key, recovery_code
from agent.app.library_restore import LibraryRestore, RestoreOutcome
from agent.app.memory_limits import guarded_agent, guarded_popup
from agent.app.program_swap import updates_of
from agent.app.team_membership import membership_of
from agent.app.unsupported_settings import UnsupportedSettings
from agent.app.wiring import build
from agent.desktop.capture.region_picker import RegionPicker
from agent.desktop.capture.watch import SWITCH
from agent.desktop.notifications.alert_notifier import AlertNotifier
from agent.desktop.notifications.notifier import Notifier
from agent.desktop.notifications.watch_notifier import WatchNotifier
from agent.desktop.popup.capture_start import CaptureStart
from agent.desktop.popup.popup_policy import News, PopupPolicy
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.desktop.system import autostart
from agent.desktop.system.presence import presence
from agent.domain.errors import AutostartFailed, SettingsError
from agent.features.library.onboarding import Onboarding, read_choices, usual_folders, write_choices
from agent.features.library.status import UpdateShown
from agent.features.updates.service import Updates
from agent.infrastructure.core import logs
from agent.infrastructure.core.abandonable_calls import cancellable
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.malloc_tuning import forget_sources, freeze_gc
from agent.infrastructure.core.paths import HOME_VARIABLE, AppPaths
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.folder.drives import is_remote
from agent.infrastructure.sources.folder.folder_scan import walk_images
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.integrity import Soundness
from agent.interfaces.web.help_routes import Places
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.runtime_file import opening
from agent.interfaces.web.server import serving

if TYPE_CHECKING:
    from agent.desktop.tray.tray_bridge import TrayBridge

log = structlog.get_logger()


class Process(Protocol):
    """The interface of the process in which the loop runs, called from the loop's thread. Implementation: `agent.app.process.Agent`."""

    def is_up(self, core: "AgentLoop") -> None: ...
    def answers(self) -> None: ...
    def refresh_texts(self) -> None: ...
    def user_quits(self) -> None: ...
    def restart(self) -> None: ...
    def restore(self, name: str) -> None: ...


@dataclass
class Continuity:
    """What outlives the loop when the library is replaced: open pages keep their address and their session."""

    auth: Auth = field(default_factory=lambda: Auth(time.monotonic))
    port: int = 0  # none yet
    restored: RestoreOutcome = field(default_factory=RestoreOutcome)


class AgentLoop:
    """One run with an open library. With `trial` it only starts: no folder or screen is watched, and the system is not changed.

    With `welcomes`, new users get the welcome in the popup, else in the browser, at each start until they finish it.
    """

    def __init__(
        self,
        process: Process,
        paths: AppPaths,
        file: SettingsFile,
        database: Database,
        kept: Continuity,
        *,
        welcomes: bool,
        trial: bool,
    ) -> None:
        self._process = process
        self._paths = paths
        self._file = file
        self._database = database
        self._kept = kept
        self._welcomes = welcomes
        self._trial = trial

    async def run(self, stop: asyncio.Event) -> None:
        """Build, serve and work until `stop`."""
        auth, port = self._kept.auth, 0

        def url(page: str, at: str | None) -> str:
            return opening(f"http://127.0.0.1:{port}", auth.new_code(own=page != "library"), page, at)

        desk = self._desk = UiLauncher(url, self._settings.popup, lambda: self._texts().language)
        app = self._app = build(
            self._settings, self._paths, database=self._database, reconfigure=self._hooks(desk), renamed=self._file.rename_kept
        )
        for guarded in (guarded_popup(desk), guarded_agent(app.rest.now)):
            app.memory.also(guarded)
        self._unmet = UnsupportedSettings(app.refuse)
        notifier = Notifier()
        presenter = PopupPolicy(
            desk, app.library, app.environment, disturbs=self._popup_disturbs, notify=lambda news: self._notify(notifier, news)
        )
        desk.on_hidden = presenter.sent_away
        app.screen.watching.listen(WatchNotifier(app.screen.watching, notifier, desk, self._texts, self._popup_disturbs))
        data = self._paths.data
        beginning = Onboarding(
            app.library, lambda: bool(self._settings.folders), lambda: read_choices(data), lambda chosen: write_choices(data, chosen)
        )
        picking = RegionPicker(lambda: app.screen.capturing, desk)
        self._captures = CaptureStart(
            app.screen,
            desk,
            picking,
            lambda: self._settings.capture,
            partial(self._unmet.note, "capture"),
            failed=lambda error: notifier.problem(self._texts(), error),
        )
        updates = self._updates = (
            Updates.none() if self._trial else updates_of(self._paths, lambda: self._settings, restart=self._process.restart)
        )
        if self._trial:
            app.indexer.pause()

        def show_update(_: object = None) -> None:
            app.status.update.set(UpdateShown(updates.ready, updates.state.outcome))

        membership = self._membership = membership_of(app, self._paths, AlertNotifier(notifier, self._texts, self._popup_disturbs))
        updates.changed.subscribe(show_update)
        show_update()
        context = Context(
            app=app,
            auth=auth,
            desk=desk,
            picking=picking,
            settings=self._file,
            move_key=lambda to: move_key(self._file, self._paths, to),
            recovery_code=lambda: recovery_code(self._settings, self._paths),
            beginning=beginning,
            suggested=usual_folders,
            texts=self._texts,
            remote=is_remote,
            quit=self._process.user_quits,
            health=health(app, self._paths, self._texts, __version__),
            version=__version__,
            ui=resource("ui"),
            help=resource("help"),
            updates=updates,
            places=Places(self._paths.data, self._paths.logs),
            membership=membership,
            restore=self._restore(),
        )
        try:
            application = partial(create_app, context)
            wanted = self._kept.port or self._settings.api.port
            async with serving(application, token=auth.token, port=wanted, runtime=self._paths.runtime) as port:
                self._kept.port = port
                log.info("agent.started", version=__version__)
                forget_sources()
                freeze_gc(tidy=False)  # of 140,000 objects some 30 are garbage: loading makes none
                self._process.answers()
                if self._welcomes and await asyncio.to_thread(beginning.needed):
                    desk.welcome(popup=self._settings.popup.enabled)
                if not self._trial:
                    await self._follow_autostart(self._settings)
                    await self._captures.follow()
                await self._work(presenter, stop)
        finally:
            await self._captures.close()
            await desk.close()
            log.info("agent.ended")

    def join(self, bridge: "TrayBridge") -> None:
        """Connect the tray: its clicks arrive here from now on, and it shows the status."""
        from agent.desktop.tray.tray_bridge import TrayServices  # loaded with the bridge, and only where there is a tray

        app = self._app
        services = TrayServices(app.library, app.indexer, app.status, app.quiet, app.screen, self._desk)
        bridge.connect(services, scan=self._scan, capture=self._captures.capture, watch=self._watch)

    async def _work(self, presenter: PopupPolicy, stop: asyncio.Event) -> None:
        app = self._app
        app.status.listen(presenter.status)
        self._process.is_up(self)
        with app.bus.listening(presenter.happened):
            async with asyncio.TaskGroup() as tasks:
                works = [
                    app.run(watch=not self._trial),
                    presenter.run(),
                    self._updates.run(),
                    self._file.watch(self._settings_changed, self._settings_refused),
                ]
                if not self._trial:
                    works.append(self._membership.run())
                running = [tasks.create_task(work) for work in works]
                await stop.wait()
                for task in running:
                    task.cancel()

    def _restore(self) -> LibraryRestore:
        soundness = Soundness(self._paths.library)
        return LibraryRestore(
            lambda: backup_store(self._settings, self._paths),
            self._database,
            damaged=lambda: not soundness.look(self._database),
            close=self._process.restore,
            last=self._kept.restored,
        )

    # -- settings ----------------------------------------------------------------------------------------------------------------
    @property
    def _settings(self) -> Settings:
        return self._file.snapshot

    def _texts(self) -> Texts:
        return Texts(self._settings.general.language.value)

    async def _settings_changed(self, settings: Settings, sections: frozenset[str]) -> None:
        await self._app.apply(settings)
        self._unmet.repeat()  # the error stays until the settings are valid
        if "general" in sections:
            self._process.refresh_texts()
        if "updates" in sections:
            await self._updates.reread()

    async def _settings_refused(self, error: SettingsError) -> None:
        self._app.refuse(error)

    def _hooks(self, desk: UiLauncher) -> dict[str, Reconfigure]:
        async def popup(settings: Settings) -> None:
            desk.reconfigure(settings.popup)

        async def log_files(settings: Settings) -> None:
            try:
                await asyncio.to_thread(logs.configure, settings.logs, self._paths.logs)
            except OSError:
                log.error("logs.unwritable")

        async def capture(_: Settings) -> None:
            await self._captures.follow()

        return {"popup": popup, "capture": capture, "logs": log_files, "general": self._follow_autostart}

    async def _follow_autostart(self, settings: Settings) -> None:
        if HOME_VARIABLE in os.environ:
            return  # a separate library: starting at login is the main library's setting
        try:
            await asyncio.to_thread(autostart.follow, settings.general.autostart)
        except AutostartFailed as error:
            log.warning("autostart.failed", code=error.code)
            self._unmet.note("general", error)
        else:
            self._unmet.note("general", None)

    async def _popup_disturbs(self) -> bool:
        if self._app.quiet.until() is not None:
            return True
        popup = self._settings.popup
        if not popup.quiet_fullscreen and not popup.quiet_presenting:
            return False
        now = await asyncio.to_thread(presence)
        return (popup.quiet_fullscreen and now.fullscreen) or (popup.quiet_presenting and now.presenting)

    async def _notify(self, notifier: Notifier, news: Sequence[News]) -> None:
        """Show a notification where no popup can be shown. A click opens the photo, or all of them."""
        images = {each.image_id for each in news}
        at = f"photo-{news[0].image_id}" if len(images) == 1 else "photos"
        await notifier.tell(self._texts(), len(images), sum(each.faces for each in news), lambda: self._desk.browse(at))

    async def _watch(self, on: bool) -> None:
        """The tray's watch switch: changes the setting, so that it lasts. Raises SettingsError."""
        await asyncio.to_thread(self._file.put, SWITCH, on)

    async def _scan(self, path: str) -> None:
        """The tray's "scan a folder": the popup shows the results."""
        roots = [folder.root for folder in self._settings.folders]
        files = await cancellable(lambda: list(walk_images([path], roots=roots)))
        async for _ in self._app.scan(files):
            pass
