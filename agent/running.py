"""The agent's process: the tray in the main thread, everything else in one event loop in a second thread."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from agent import __version__, logs
from agent.adapters.beginning import read_choices, usual_folders, write_choices
from agent.adapters.config_file import SettingsFile
from agent.adapters.drives import is_remote
from agent.adapters.durable import store_error
from agent.adapters.folder_scan import walk_images
from agent.adapters.paths import HOME_VARIABLE, AppPaths
from agent.adapters.store import SqliteLibrary
from agent.api.auth import Auth
from agent.api.context import Context
from agent.api.server import serving
from agent.api.whereabouts import opening
from agent.app.beginning import Beginning
from agent.app.lifecycle import App, Reconfigure
from agent.app.picking import Picking
from agent.app.updates import Updates
from agent.app.watching import SWITCH
from agent.bootstrap import build, move_key, recovery_code
from agent.checkup import health
from agent.desktop import autostart
from agent.desktop.capture_start import CaptureStart
from agent.desktop.desk import Desk
from agent.desktop.display import display_available, tray_available
from agent.desktop.notify import Notifier
from agent.desktop.presence import presence
from agent.desktop.presenter import News, Presenter
from agent.desktop.termination import on_termination
from agent.desktop.watch_teller import WatchTeller
from agent.domain.errors import AgentError, AutostartFailed, SettingsError, reason_of
from agent.handover import updates_of
from agent.heap import forget_sources
from agent.i18n import Texts
from agent.resources import resource
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.desktop.tray_bridge import TrayBridge

log = structlog.get_logger()

TRAY_WAIT_S = 10.0
TRAY_POLL_S = 0.5


class Agent:
    """One run, with the library open and the instance lock held. `on_ready` is called in the core's thread when the API answers.

    Where a tray is wanted, a new user is welcomed: by the popup, else by the browser, at each start until they are done with it.
    With `trial` it only comes up: nothing is watched or looked at, and nothing outside follows it.
    """

    def __init__(
        self,
        paths: AppPaths,
        file: SettingsFile,
        library: SqliteLibrary,
        *,
        tray: bool,
        trial: bool = False,
        on_ready: Callable[[], None] = lambda: None,
        on_no_tray: Callable[[], None] = lambda: None,
    ) -> None:
        self._paths = paths
        self._file = file
        self._library = library
        self._on_ready = on_ready
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._built = threading.Event()  # app and desk are there, or never will be
        self._wants_tray = tray
        # An icon alone tells nobody that a folder is to be chosen. Libraries of their own (demo, tests) do without.
        self._welcomes = tray and HOME_VARIABLE not in os.environ
        self._on_no_tray = on_no_tray
        self._trial = trial
        self.quit_by_user = False  # else by the system
        self.goes_on = False  # as a new version, at once
        self._bridge: TrayBridge | None = None

    def run(self) -> None:
        """Returns when somebody quits it: the tray, the API, or a signal. Main thread only. Raises what else ended the core."""
        core = threading.Thread(target=self._core, name="core")
        core.start()
        try:
            with on_termination(self._ended.set):
                if self._wants_tray and self._tray_comes():
                    self._show_tray()
                else:
                    self._ended.wait()
        finally:
            self.quit()
            core.join()
        if self._failure is not None:
            raise self._failure

    def _tray_comes(self) -> bool:
        """Wait a little for a place to show the icon in: at login the panel may start after this program."""
        deadline = time.monotonic() + TRAY_WAIT_S
        while not tray_available():
            if not display_available() or time.monotonic() > deadline:
                self._on_no_tray()
                return False
            if self._ended.wait(TRAY_POLL_S):
                return False
        return not self._ended.is_set()

    def _show_tray(self) -> None:
        from agent.desktop.tray_bridge import TrayBridge  # brings Qt on Linux: only where there is a tray

        bridge = self._bridge = TrayBridge(
            self._texts, scan=self._scan, capture=lambda: self._captures.capture(), watch=self._watch, quit=self._user_quits
        )
        self._built.wait()
        if self._loop is not None and not self._ended.is_set():
            self._loop.call_soon_threadsafe(lambda: bridge.connect(self._app, self._desk))
            bridge.tray.run()

    def quit(self) -> None:
        """From any thread: end everything, also a start that is still under way."""
        self._ended.set()
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)

    def _go_on(self) -> None:
        self.goes_on = True
        self.quit()

    def _user_quits(self) -> None:
        self.quit_by_user = True
        self.quit()

    def _core(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            log.exception("core.failed")
            reason = reason_of(error)
            # Of a file of its own: those of photos, models and settings are named where they arise.
            self._failure = store_error(reason) if isinstance(reason, OSError) else reason
        finally:
            self._ended.set()
            self._built.set()
            if self._bridge is not None:
                self._bridge.tray.stop()

    async def _live(self) -> None:
        """Build, serve and work until quit."""
        self._loop = asyncio.get_running_loop()
        if self._ended.is_set():
            return
        auth = Auth(time.monotonic)
        port = 0

        def url(page: str, at: str | None) -> str:
            return opening(f"http://127.0.0.1:{port}", auth.new_code(), page, at)

        desk = self._desk = Desk(url, self._settings.popup, lambda: self._texts().language)
        app = self._app = build(
            self._settings, self._paths, library=self._library, reconfigure=self._hooks(desk), renamed=self._file.rename_kept
        )
        notifier = Notifier()
        presenter = Presenter(
            desk,
            enabled=lambda: self._settings.popup.enabled,
            loud=app.loud,
            disturbs=self._popup_disturbs,
            notify=lambda news: self._notify(notifier, news),
        )
        desk.on_hidden = presenter.sent_away
        app.screen.watching.listen(WatchTeller(app.screen.watching, notifier, desk, self._texts, self._popup_disturbs))
        data = self._paths.data
        beginning = Beginning(
            self._library, lambda: bool(self._settings.folders), lambda: read_choices(data), lambda chosen: write_choices(data, chosen)
        )
        picking = Picking(lambda: app.screen.capturing, desk)
        self._captures = CaptureStart(
            app,
            desk,
            picking,
            lambda: self._settings.capture,
            self._hotkey_problem,
            failed=lambda error: notifier.problem(self._texts(), error),
        )
        updates = self._updates = (
            Updates.none()
            if self._trial
            else updates_of(self._paths, lambda: self._settings, restart=self._go_on, changed=app.status.changed)
        )
        if self._trial:
            app.indexer.pause()
        app.status.update = lambda: (updates.ready, updates.state.outcome)
        context = Context(
            app=app,
            auth=auth,
            previews=app.previews,
            desk=desk,
            picking=picking,
            settings=self._file,
            move_key=lambda to: move_key(self._file, self._paths, to),
            recovery_code=lambda: recovery_code(self._settings, self._paths),
            beginning=beginning,
            suggested=usual_folders,
            texts=self._texts,
            walk=walk_images,
            remote=is_remote,
            quit=self._user_quits,
            health=health(app, self._paths, self._texts, __version__),
            version=__version__,
            ui=resource("ui"),
            help=resource("help"),
            updates=updates,
        )
        try:
            async with serving(context, port=self._settings.api.port, runtime=self._paths.runtime) as port:
                log.info("agent.started", version=__version__)
                forget_sources()
                self._on_ready()
                if self._welcomes and await asyncio.to_thread(beginning.needed):
                    desk.welcome(popup=self._settings.popup.enabled)
                if not self._trial:
                    await self._follow_autostart(self._settings)
                    await self._captures.follow()
                await self._work(app, desk, presenter)
        finally:
            await self._captures.close()
            await desk.close()
            log.info("agent.ended")

    async def _work(self, app: App, desk: Desk, presenter: Presenter) -> None:
        app.status.listen(presenter.status)
        self._built.set()
        with app.bus.listening(presenter.happened):
            async with asyncio.TaskGroup() as tasks:
                works = (
                    app.run(watch=not self._trial),
                    presenter.run(),
                    self._updates.run(),
                    self._file.watch(self._settings_changed, self._settings_refused),
                )
                running = [tasks.create_task(work) for work in works]
                await self._stop.wait()
                for task in running:
                    task.cancel()

    # -- settings ----------------------------------------------------------------------------------------------------------------
    @property
    def _settings(self) -> Settings:
        return self._file.snapshot

    def _texts(self) -> Texts:
        return Texts(self._settings.general.language.value)

    async def _settings_changed(self, settings: Settings, sections: frozenset[str]) -> None:
        await self._app.apply(settings)
        if "general" in sections and self._bridge is not None:
            self._bridge.retell()
        if "updates" in sections:
            await self._updates.reread()

    async def _settings_refused(self, error: SettingsError) -> None:
        self._app.refuse(error)

    def _hooks(self, desk: Desk) -> dict[str, Reconfigure]:
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
            return  # a library of its own: what happens at log-in is the other one's business
        try:
            await asyncio.to_thread(autostart.follow, settings.general.autostart)
        except AutostartFailed as error:
            log.warning("autostart.failed", code=error.code)
            self._app.refuse(error)

    def _hotkey_problem(self, error: AgentError | None) -> None:
        if error is not None:
            self._app.refuse(error)

    async def _popup_disturbs(self) -> bool:
        if self._app.quiet.until() is not None:
            return True
        popup = self._settings.popup
        if not popup.quiet_fullscreen and not popup.quiet_presenting:
            return False
        now = await asyncio.to_thread(presence)
        return (popup.quiet_fullscreen and now.fullscreen) or (popup.quiet_presenting and now.presenting)

    async def _notify(self, notifier: Notifier, news: Sequence[News]) -> None:
        """Where no popup can be shown. A click opens the photo that it tells of, or all of them."""
        images = {each.image_id for each in news}
        at = f"photo-{news[0].image_id}" if len(images) == 1 else "photos"
        await notifier.tell(self._texts(), len(images), sum(each.faces for each in news), lambda: self._desk.browse(at))

    async def _watch(self, on: bool) -> None:
        """The tray's switch: the setting, so that it holds. Raises SettingsError."""
        await asyncio.to_thread(self._file.put, SWITCH, on)

    async def _scan(self, path: str) -> None:
        """The tray's "scan a folder": what comes of it is shown by the popup."""
        files = await asyncio.to_thread(lambda: list(walk_images([path])))
        async for _ in self._app.scan(files):
            pass
