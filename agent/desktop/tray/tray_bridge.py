"""Connects the tray's thread and the event loop: clicks become calls in the loop, and the status becomes the tray's state."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from agent.desktop.tray.tray import RECENT, TOMORROW, RecentResult, Snooze, Tray, TrayActions, TrayModel, TrayState, TrayWatch
from agent.domain.errors import CaptureCancelled
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.i18n import Texts

if TYPE_CHECKING:
    from agent.desktop.capture.service import ScreenService
    from agent.desktop.popup.ui_launcher import UiLauncher
    from agent.features.library.do_not_disturb import DoNotDisturb
    from agent.features.library.indexer import Indexer
    from agent.features.library.queries.library_queries import LibraryQueries
    from agent.features.library.status import AgentStatus, StatusFeed

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TrayServices:
    """The services that the tray shows and controls."""

    library: "LibraryQueries"
    indexer: "Indexer"
    status: "StatusFeed"
    quiet: "DoNotDisturb"
    screen: "ScreenService"
    desk: "UiLauncher"


class TrayBridge:
    """Created before the loop runs, `connect`ed inside it. Of earlier clicks, the last one is carried out then."""

    def __init__(
        self,
        texts: Callable[[], Texts],
        *,
        quit: Callable[[], None],
    ) -> None:
        self._texts = texts
        self._joining = threading.Lock()
        self._early: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._services: TrayServices | None = None
        self._calls = BackgroundTasks()
        self._recent: tuple[RecentResult, ...] = ()
        self._images = -1
        self._status: AgentStatus | None = None
        self.tray = Tray(
            TrayActions(
                open=lambda: self._call(self._open),
                capture=lambda: self._call(self._capture),
                scan_folder=lambda: self._call(self._scan),
                toggle_pause=lambda: self._call(self._toggle),
                show_recent=lambda image_id: self._call(lambda here: here.desk.open_browser(f"photo-{image_id}")),
                set_quiet=lambda minutes: self._call(lambda here: here.quiet.put_off(minutes)),
                watch=lambda on: self._call(lambda _: self._watch(on)),
                snooze=lambda span: self._call(lambda here: self._snooze(here, span)),
                show_update=lambda: self._call(lambda here: here.desk.open_browser("status")),
                quit=quit,
            ),
            texts(),
            TrayModel(TrayState.STARTING),
        )

    def connect(
        self,
        services: TrayServices,
        *,
        scan: Callable[[str], Coroutine[Any, Any, None]],
        capture: Callable[[], Coroutine[Any, Any, None]],
        watch: Callable[[bool], Coroutine[Any, Any, None]],
    ) -> None:
        """Called from the loop's thread."""
        self._scan_path, self._capture_region, self._watch = scan, capture, watch
        with self._joining:
            self._loop, self._services = asyncio.get_running_loop(), services
            early, self._early = self._early, None
        if early is not None:
            early()
        services.status.listen(lambda status: self._start(self._show(status)))

    def disconnect(self) -> None:
        """The services have ended; the last click from now on is carried out once others are connected. Call it in the loop's thread."""
        with self._joining:
            self._services = None
        self._status, self._images = None, -1
        self.tray.update(TrayModel(TrayState.ATTENTION))

    def refresh_texts(self) -> None:
        """Refresh the texts after a change of language."""
        self.tray.update(self._model(), self._texts())

    def _call(self, action: Callable[[TrayServices], Coroutine[Any, Any, None]]) -> None:
        """Called from the tray's thread."""
        with self._joining:
            if self._loop is None or self._services is None:
                self._early = lambda: self._call(action)
                return
            loop, services = self._loop, self._services
        loop.call_soon_threadsafe(lambda: self._start(action(services)))

    def _start(self, call: Coroutine[Any, Any, None]) -> None:
        self._calls.start(call, event="tray.action_failed")

    async def _open(self, here: TrayServices) -> None:
        await here.desk.show_popup()

    async def _capture(self, here: TrayServices) -> None:
        with suppress(CaptureCancelled):
            await self._capture_region()

    async def _snooze(self, here: TrayServices, span: Snooze) -> None:
        await here.screen.watching.snooze(span if isinstance(span, int) else None, until_tomorrow=span == TOMORROW)

    async def _scan(self, here: TrayServices) -> None:
        texts = self._texts()
        folder = await here.desk.choose_folder(texts("tray.scan"), texts.language)
        if folder is not None:
            await self._scan_path(folder)

    async def _toggle(self, here: TrayServices) -> None:
        if here.indexer.paused:
            here.indexer.resume()
        else:
            here.indexer.pause()

    async def _show(self, status: "AgentStatus") -> None:
        if self._services is None:
            return
        self._status = status
        if status.images != self._images:
            newest = await asyncio.to_thread(self._services.library.images, limit=RECENT)
            self._images = status.images
            self._recent = tuple(
                RecentResult(image.id, image.places[0][1].replace("\\", "/").rpartition("/")[2], len(image.faces))
                for image in newest
                if image.places
            )
        self.tray.update(self._model())

    def _model(self) -> TrayModel:
        """From the newest status: another may have arrived while the photos were read."""
        if self._status is None:
            return TrayModel(TrayState.STARTING)
        status, state = self._status, TrayState(self._status.state.value)
        if status.warning is not None and state in (TrayState.IDLE, TrayState.WORKING):
            state = TrayState.LIMITED
        return TrayModel(
            state,
            paused=state is TrayState.PAUSED,
            left=status.queued,
            recent=self._recent,
            throttled=status.throttled.value if status.throttled else None,
            watch=self._watch_model(status),
            quiet_until=self._texts().moment(status.quiet_until, datetime.now(UTC)) if status.quiet_until else None,
            update=status.update,
            taken_back=str(status.taken_back.params.get("version", "")) if status.taken_back else None,
        )

    def _watch_model(self, status: "AgentStatus") -> TrayWatch | None:
        assert self._services is not None
        if self._services.screen.watching.refused is not None:
            return None
        until = self._texts().moment(status.watch_until, datetime.now(UTC)) if status.watch_until else None
        return TrayWatch(status.watch.value, until)
