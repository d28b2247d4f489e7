"""The agent's process: the tray in the main thread, and everything else, the core, in one event loop in a second thread."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

import structlog

from agent.core.config_file import SettingsFile
from agent.core.files import store_error
from agent.core.i18n import Texts
from agent.core.paths import HOME_VARIABLE, AppPaths
from agent.core.threads import loop_threads
from agent.desktop.display import display_available, tray_available, why_no_tray
from agent.desktop.termination import on_termination
from agent.domain.errors import DesktopError, NoTray, reason_of

if TYPE_CHECKING:
    from agent.desktop.tray_bridge import TrayBridge
    from agent.main.agent_loop import Core
    from agent.store.database import Database

log = structlog.get_logger()

TRAY_WAIT_S = 10.0
TRAY_POLL_S = 0.5


class Agent:
    """One run, with the settings loaded and the instance lock held. Where there is a tray its icon comes first, then the core is loaded.

    `database` opens the library, in the core's thread. `on_ready` is called there when the API answers.
    """

    def __init__(
        self,
        paths: AppPaths,
        file: SettingsFile,
        database: Callable[[], "AbstractContextManager[Database]"],
        *,
        tray: bool,
        trial: bool = False,
        on_ready: Callable[[], None] = lambda: None,
        on_no_tray: Callable[[DesktopError], None] = lambda _: None,
    ) -> None:
        self._paths = paths
        self._file = file
        self._database = database
        self._wants_tray = tray
        self._trial = trial
        self._on_ready = on_ready
        self._on_no_tray = on_no_tray
        self.quit_by_user = False  # else by the system
        self.goes_on = False  # as a new version, at once
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Core and tray come in either order, each in its own thread.
        self._meeting = threading.Lock()
        self._core: Core | None = None
        self._bridge: TrayBridge | None = None
        self._met = False

    def run(self) -> None:
        """Returns when somebody quits it: the tray, the API, or a signal. Main thread only. Raises what else ended the core."""
        core = threading.Thread(target=self._run_core, name="core")
        try:
            with on_termination(self._ended.set):
                if self._wants_tray and tray_available():
                    self._show_tray(core.start)
                else:
                    core.start()
                    if self._wants_tray and self._tray_comes():
                        self._show_tray(lambda: None)
                    else:
                        self._ended.wait()
        finally:
            self.quit()
            if core.ident is not None:
                core.join()
        if self._failure is not None:
            raise self._failure

    def quit(self) -> None:
        """From any thread: end everything, also a start that is still under way."""
        self._ended.set()
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)

    # -- what the core asks for --------------------------------------------------------------------------------------------------
    def is_up(self, core: "Core") -> None:
        """The tray may be told what there is to tell."""
        with self._meeting:
            self._core = core
        self._meet()

    def answers(self) -> None:
        """The API does."""
        self._on_ready()

    def retell(self) -> None:
        """The language changed."""
        if self._bridge is not None:
            self._bridge.retell()

    def user_quits(self) -> None:
        """End, and stay away: it was no log-out."""
        self.quit_by_user = True
        self.quit()

    def go_on(self) -> None:
        """End, to go on as a new version."""
        self.goes_on = True
        self.quit()

    # -- the main thread ---------------------------------------------------------------------------------------------------------
    def _tray_comes(self) -> bool:
        """Wait a little for a place to show the icon in: at login the panel may start after this program."""
        deadline = time.monotonic() + TRAY_WAIT_S
        while not tray_available():
            why = why_no_tray()
            if not isinstance(why, NoTray) or not display_available() or time.monotonic() > deadline:
                self._on_no_tray(why)
                return False
            if self._ended.wait(TRAY_POLL_S):
                return False
        return not self._ended.is_set()

    def _show_tray(self, on_shown: Callable[[], None]) -> None:
        from agent.desktop.tray_bridge import TrayBridge  # brings Qt on Linux: only where there is a tray

        bridge = TrayBridge(lambda: Texts(self._file.snapshot.general.language.value), quit=self.user_quits)
        with self._meeting:
            self._bridge = bridge
        self._meet()
        if self._ended.is_set():  # meanwhile: nobody would take the icon away
            return
        bridge.tray.run(on_shown)

    def _meet(self) -> None:
        with self._meeting:
            core, bridge = self._core, self._bridge
            if self._met or core is None or bridge is None:
                return
            self._met = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(core.join, bridge)

    # -- the core's thread -------------------------------------------------------------------------------------------------------
    def _run_core(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            log.exception("core.failed")
            reason = reason_of(error)
            # Of a file of its own: those of photos, models and settings are named where they arise.
            self._failure = store_error(reason) if isinstance(reason, OSError) else reason
        finally:
            self._ended.set()
            with self._meeting:
                bridge = self._bridge
            if bridge is not None:
                bridge.tray.stop()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._ended.is_set():
            return
        with loop_threads(self._loop):
            await self._live_with_threads()

    async def _live_with_threads(self) -> None:
        from agent.main.agent_loop import Core  # most of what is loaded: after the icon

        # An icon alone tells nobody that a folder is to be chosen. Libraries of their own (demo, tests) do without.
        welcomes = self._wants_tray and HOME_VARIABLE not in os.environ
        with self._database() as database:
            if self._ended.is_set():  # meanwhile
                return
            await Core(self, self._paths, self._file, database, welcomes=welcomes, trial=self._trial).run(self._stop)
