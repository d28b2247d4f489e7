"""Captures started from the tray or by hotkey: the user chooses a region, and the covered picture is copied and shown."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from agent.desktop.capture.region_picker import RegionPicker
from agent.desktop.capture.service import ScreenService
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.desktop.system.hotkey import Hotkey, hotkey
from agent.domain.errors import AgentError, CaptureCancelled, DesktopError
from agent.domain.redaction import Look
from agent.domain.screen import ScreenRef
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.screen_settings import CaptureSettings

log = structlog.get_logger()


class CaptureStart:
    """Use it from one event loop. `tell` receives the reason why the hotkey is unavailable, or None.

    `failed` receives the reason why a capture failed: a user who pressed a key or chose a menu item sees no other feedback.
    """

    def __init__(
        self,
        screen: ScreenService,
        desk: UiLauncher,
        picking: RegionPicker,
        settings: Callable[[], CaptureSettings],
        tell: Callable[[AgentError | None], None],
        *,
        failed: Callable[[AgentError], Coroutine[Any, Any, None]],
        take: Callable[[str, Callable[[], None]], Hotkey] = hotkey,
    ) -> None:
        self._screen = screen
        self._desk = desk
        self._picking = picking
        self._settings = settings
        self._tell = tell
        self._failed = failed
        self._take = take
        self._hotkey: Hotkey | None = None
        self._keys = ""
        self._works = BackgroundTasks()

    async def capture(self) -> None:
        """Take a capture. Raises CaptureCancelled, CaptureError, EngineError, DesktopError and other errors of `Capturing`."""
        try:
            await self._capture()
        except CaptureCancelled:
            raise
        except AgentError as error:
            await self._failed(error)
            raise

    async def _capture(self) -> None:
        capturing, settings = self._screen.capturing, self._settings()
        if capturing.desktop_chooses:
            frame, region = await capturing.freeze(ScreenRef(), choosing=True)
        else:
            frame, region = await self._picking.pick()
        capture = await capturing.review(frame, region, (), Look(settings.style))
        if settings.copy_at_once:
            await capturing.copy(capture.id)
        with suppress(DesktopError):  # even without a popup it is on the clipboard
            await self._desk.show_popup()

    def begin(self) -> None:
        """Like `capture`, in the background; a failure is logged."""
        self._works.start(self._captured(), event="capture.failed")

    async def follow(self) -> None:
        """Register the hotkey from the settings and release any other."""
        keys = self._settings().hotkey
        if keys == self._keys:
            return
        await self.close()
        self._keys = keys
        self._desk.keep_warm = bool(keys)
        if not keys:
            self._tell(None)
            return
        loop = asyncio.get_running_loop()
        try:
            self._hotkey = await asyncio.to_thread(self._take, keys, lambda: _in_loop(loop, self.begin))
        except DesktopError as error:
            log.warning("hotkey.unavailable", code=error.code)
            self._desk.keep_warm = False
            self._tell(error)
            return
        self._tell(None)
        # So that the first press is as fast as later ones.
        self._works.start(self._desk.warm_picker(), event="capture.failed")

    async def close(self) -> None:
        taken, self._hotkey = self._hotkey, None
        if taken is not None:
            await asyncio.to_thread(taken.close)

    async def _captured(self) -> None:
        with suppress(CaptureCancelled):
            await self.capture()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: the agent has ended
        loop.call_soon_threadsafe(call)
