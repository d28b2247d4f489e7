"""The system's notifications: of photos numbers only, never a face, a name or a path; and what was seen on the screen."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.core.i18n import Texts
from agent.core.resources import resource
from agent.desktop import session_bus
from agent.domain.errors import AgentError

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

SERVICE = "org.freedesktop.Notifications"


def words(texts: Texts, photos: int, faces: int) -> str:
    """What the notification says."""
    return texts("notify.both", photos=texts("notify.photos", count=photos), faces=texts("notify.faces", count=faces))


class Notifier:
    """Use it from one event loop. What it needs is loaded at the first notification."""

    def __init__(self) -> None:
        self._notifier: DesktopNotifier | None = None

    async def tell(self, texts: Texts, photos: int, faces: int, clicked: Callable[[], None]) -> None:
        """Say how many photos were looked at, where this system has notifications and lets us; nothing is raised.

        `clicked` is called in the event loop when the user chooses the notification.
        """
        await self.say(texts, words(texts, photos, faces), texts("notify.show"), clicked, by_click=True)

    async def problem(self, texts: Texts, error: AgentError) -> None:
        """What went wrong, and what helps."""
        said = texts("ui.sentences", cause=texts.cause(error), remedy=texts.remedy(error))
        await self.say(texts, said, texts("ui.close"), lambda: None)

    async def say(self, texts: Texts, message: str, button: str, pressed: Callable[[], None], *, by_click: bool = False) -> bool:
        """With one button, which a click on the notification itself stands for if `by_click`. False if this system has no notifications."""
        if sys.platform.startswith("linux") and not await asyncio.to_thread(session_bus.obtainable, SERVICE):
            return False
        if self._notifier is None:
            from desktop_notifier import DesktopNotifier, Icon

            self._notifier = DesktopNotifier(texts("app.name"), Icon(path=resource("icons") / "mark-128.png"))
            await self._notifier.request_authorisation()
        from desktop_notifier import Button

        loop = asyncio.get_running_loop()

        def chosen() -> None:
            with contextlib.suppress(RuntimeError):  # the agent is ending
                loop.call_soon_threadsafe(pressed)  # some systems call from a thread of their own

        # A button in any case: some desktops (Xfce) tell nobody of a click on the notification itself.
        buttons = [Button(button, on_pressed=chosen)]
        await self._notifier.send(title=texts("app.name"), message=message, buttons=buttons, on_clicked=chosen if by_click else None)
        return True
