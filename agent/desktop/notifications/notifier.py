"""The system's notifications: for photos only numbers, never a face, a name or a path; and faces seen on the screen."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from agent.desktop.system import session_bus
from agent.domain.errors import AgentError
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.resources import resource

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

SERVICE = "org.freedesktop.Notifications"

log = structlog.get_logger(__name__)


def words(texts: Texts, photos: int, faces: int) -> str:
    """The notification's text."""
    return texts("notify.both", photos=texts("notify.photos", count=photos), faces=texts("notify.faces", count=faces))


class Notifier:
    """Use it from one event loop. Its libraries are loaded at the first notification."""

    def __init__(self) -> None:
        self._notifier: DesktopNotifier | None = None

    async def tell(self, texts: Texts, photos: int, faces: int, clicked: Callable[[], None]) -> None:
        """Report how many photos were analysed, if this system allows notifications; never raises.

        `clicked` is called in the event loop when the user chooses the notification.
        """
        await self.say(texts, words(texts, photos, faces), texts("notify.show"), clicked, by_click=True)

    async def problem(self, texts: Texts, error: AgentError) -> None:
        """Show an error and its remedy."""
        said = texts("ui.sentences", cause=texts.cause(error), remedy=texts.remedy(error))
        await self.say(texts, said, texts("ui.close"), lambda: None)

    async def say(self, texts: Texts, message: str, button: str, pressed: Callable[[], None], *, by_click: bool = False) -> bool:
        """Show it with one button; with `by_click` a click on the notification counts too. False if this system has no notifications."""
        if sys.platform.startswith("linux") and not await asyncio.to_thread(session_bus.obtainable, SERVICE):
            return False
        try:
            await self._send(texts, message, button, pressed, by_click=by_click)
        except Exception as error:  # Windows with its service switched off, a Mac without its library: each has errors of its own
            log.warning("notification.failed", error=error)
            return False
        return True

    async def _send(self, texts: Texts, message: str, button: str, pressed: Callable[[], None], *, by_click: bool) -> None:
        if self._notifier is None:
            from desktop_notifier import DesktopNotifier, Icon

            notifier = DesktopNotifier(texts("app.name"), Icon(path=resource("icons") / "mark-128.png"))
            await notifier.request_authorisation()
            self._notifier = notifier
        from desktop_notifier import Button

        loop = asyncio.get_running_loop()

        def chosen() -> None:
            with contextlib.suppress(RuntimeError):  # the agent is ending
                loop.call_soon_threadsafe(pressed)  # some systems call from their own thread

        # Always with a button: some desktops (Xfce) don't report a click on the notification itself.
        buttons = [Button(button, on_pressed=chosen)]
        await self._notifier.send(title=texts("app.name"), message=message, buttons=buttons, on_clicked=chosen if by_click else None)
