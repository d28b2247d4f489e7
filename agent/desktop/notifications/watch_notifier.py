"""Reports faces seen on the screen: by a notification, or by the popup where there are none."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from agent.desktop.capture.face_alerts import SightingAnnouncement, SightingKind
from agent.desktop.capture.watch import WatchService
from agent.desktop.notifications.notifier import Notifier
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.i18n import Texts

log = structlog.get_logger()

SNOOZE_MINUTES = 60


class Shows(Protocol):
    """The desk."""

    async def show_popup(self) -> None:
        """Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed."""
        ...


class WatchNotifier:
    """A listener of watching. Use it from the event loop."""

    def __init__(
        self, watching: WatchService, notifier: Notifier, desk: Shows, texts: Callable[[], Texts], disturbs: Callable[[], Awaitable[bool]]
    ) -> None:
        """`disturbs`: whether the user has a full-screen window or a presentation."""
        self._watching = watching
        self._notifier = notifier
        self._desk = desk
        self._texts = texts
        self._disturbs = disturbs
        self._telling = BackgroundTasks()

    def __call__(self, said: SightingAnnouncement) -> None:
        self._telling.start(self._tell(said), event="watch.untold")

    async def _tell(self, said: SightingAnnouncement) -> None:
        # During a presentation, only report that a face is visible, without details.
        if said.kind is not SightingKind.SHARED and await self._disturbs():
            return
        texts = self._texts()
        text = said.text(texts, await self._watching.names())
        if not await self._notifier.say(texts, text, texts("watch.snooze_hour"), self._snooze):
            await self._desk.show_popup()  # its page shows the details

    def _snooze(self) -> None:
        self._telling.start(self._watching.snooze(SNOOZE_MINUTES), event="watch.untold")
