"""The agent's process: the tray in the main thread, and the core in one event loop in a second thread."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

import structlog

from agent.desktop.system.display import display_available, tray_available, why_no_tray
from agent.desktop.system.termination import on_termination
from agent.domain.errors import AgentError, NoTray, StoreDiskFull, reason_of
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.paths import HOME_VARIABLE, AppPaths
from agent.infrastructure.core.process_exit import loop_threads

if TYPE_CHECKING:
    from agent.app.agent_loop import AgentLoop
    from agent.app.library_restore import RestoreOutcome
    from agent.desktop.tray.tray_bridge import TrayBridge
    from agent.infrastructure.store.database import Database

log = structlog.get_logger()

TRAY_WAIT_S = 10.0
TRAY_POLL_S = 0.5
ROOM_POLL_S = 5.0  # on a full disk
NOTIFY_S = 5.0


class Agent:
    """One run, with loaded settings and the instance lock held. If there is a tray, its icon appears before the core is loaded.

    `database` opens the library, in the core's thread. `on_ready` is called there when the API answers. `explain` tells the user of what
    is missing or of what the start waits for.
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
        explain: Callable[[AgentError], None] = lambda _: None,
    ) -> None:
        self._paths = paths
        self._file = file
        self._database = database
        self._wants_tray = tray
        self._trial = trial
        self._on_ready = on_ready
        self._explain = explain
        self.quit_by_user = False  # otherwise by the system
        self.restarts = False  # restarts as a new version immediately
        self._wanted: str | None = None  # the backup to restore
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Core and tray become ready in either order, each in its own thread.
        self._meeting = threading.Lock()
        self._core: AgentLoop | None = None
        self._bridge: TrayBridge | None = None
        self._met = False

    def run(self) -> None:
        """Run until quit by the tray, the API or a signal. Main thread only. Raises the error that ended the core, if any."""
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
        """End everything, even during the start. May be called from any thread."""
        self._ended.set()
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it has already ended
                self._loop.call_soon_threadsafe(self._stop.set)

    # -- called by the core ------------------------------------------------------------------------------------------------------
    def is_up(self, core: "AgentLoop") -> None:
        """The core is built: connect the tray."""
        with self._meeting:
            self._core = core
        self._meet()

    def answers(self) -> None:
        """The API answers requests."""
        self._on_ready()

    def refresh_texts(self) -> None:
        """Refresh the tray's texts after a change of language."""
        if self._bridge is not None:
            self._bridge.refresh_texts()

    def user_quits(self) -> None:
        """Quit at the user's request, not because of a logout."""
        self.quit_by_user = True
        self.quit()

    def restart(self) -> None:
        """End and restart as a new version."""
        self.restarts = True
        self.quit()

    def restore(self, name: str) -> None:
        """Close the library, replace it by this backup, and continue with that. May be called from any thread."""
        self._wanted = name
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    # -- the main thread ---------------------------------------------------------------------------------------------------------
    def _tray_comes(self) -> bool:
        """Wait briefly for a place to show the icon: at login the panel may start after this program."""
        deadline = time.monotonic() + TRAY_WAIT_S
        while not tray_available():
            why = why_no_tray()
            if not isinstance(why, NoTray) or not display_available() or time.monotonic() > deadline:
                self._explain(why)
                return False
            if self._ended.wait(TRAY_POLL_S):
                return False
        return not self._ended.is_set()

    def _show_tray(self, on_shown: Callable[[], None]) -> None:
        from agent.desktop.tray.tray_bridge import TrayBridge  # loads Qt on Linux: only where there is a tray

        bridge = TrayBridge(lambda: Texts(self._file.snapshot.general.language.value), quit=self.user_quits)
        with self._meeting:
            self._bridge = bridge
        self._meet()
        if self._ended.is_set():  # ended in the meantime: the icon would never be removed
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
            self._failure = _reason(error)
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
        from agent.app.agent_loop import AgentLoop, Continuity  # most of the code to load: after the icon

        # The icon alone does not tell the user to choose a folder. Separate libraries (demo, tests) skip this.
        welcomes = self._wants_tray and HOME_VARIABLE not in os.environ
        kept, full = Continuity(), False
        while True:
            try:
                with self._database() as database:
                    if self._ended.is_set():  # ended in the meantime
                        return
                    await AgentLoop(self, self._paths, self._file, database, kept, welcomes=welcomes, trial=self._trial).run(self._stop)
                full = False
            except Exception as error:
                reason = _reason(error)
                if self._wanted is not None:  # the damaged library can't be closed in an orderly way
                    log.exception("core.failed")
                elif self._trial or not isinstance(reason, StoreDiskFull):
                    raise
                else:
                    if not full:
                        await self._say_full(reason)
                    full = True
            self._leave()
            if self._wanted is not None:
                name, self._wanted, welcomes, full = self._wanted, None, False, False
                self._stop.clear()
                if self._ended.is_set():
                    return
                kept.restored = await asyncio.to_thread(self._replace, name, kept.restored.number + 1)
            elif not full or await self._stopped():
                return

    def _leave(self) -> None:
        """Disconnect the tray from a core that has ended; the next one connects it again."""
        with self._meeting:
            self._core, self._met = None, False
            if self._bridge is not None:
                self._bridge.disconnect()

    async def _say_full(self, error: StoreDiskFull) -> None:
        from agent.desktop.notifications.notifier import Notifier

        log.error("core.no_room")
        await asyncio.to_thread(self._explain, error)
        with suppress(Exception):  # a failing notification must not end the wait
            await asyncio.wait_for(Notifier().problem(Texts(self._file.snapshot.general.language.value), error), NOTIFY_S)

    async def _stopped(self) -> bool:
        """Wait a while for room on the disk; returns whether the agent is to end instead."""
        await wait_at_most(self._stop, ROOM_POLL_S)
        return self._ended.is_set()

    def _replace(self, name: str, number: int) -> "RestoreOutcome":
        """Blocks. The library is closed."""
        from agent.app.library_home import backup_store
        from agent.app.library_restore import RestoreOutcome
        from agent.infrastructure.core.service_context import utc_now

        try:
            store = backup_store(self._file.snapshot, self._paths)
            return RestoreOutcome(number, store.restore(store.get(name), utc_now()))
        except AgentError as error:
            log.error("library.not_restored", code=error.code)
            return RestoreOutcome(number, problem=error)


def _reason(error: BaseException) -> BaseException:
    """An OSError is one of the library's own file: errors of photos, models and settings are handled where they arise."""
    reason = reason_of(error)
    return store_error(reason) if isinstance(reason, OSError) else reason
