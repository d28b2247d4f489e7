"""Shows the UI on this desktop: the popup in its corner, the full UI in the browser."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from agent.desktop.capture.region_picker import Pane
from agent.desktop.popup.popup import PopupHost
from agent.desktop.system.display import display_available
from agent.desktop.system.external_apps import open_image, open_in_browser, open_text, show_in_folder
from agent.domain.errors import DesktopError, NoDisplay, NothingOpens, PopupFailed
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.settings import PopupSettings

log = structlog.get_logger()


class UiLauncher:
    """Popup and browser. `url` makes an address with a one-time code for a page ("popup" or "library") and a place on it."""

    def __init__(self, url: Callable[[str, str | None], str], popup: PopupSettings, language: Callable[[], str] = lambda: "en") -> None:
        self._url = url
        self._language = language
        self.on_hidden: Callable[[], None] = lambda: None  # the user closed the popup
        self._browsing = BackgroundTasks()
        self._corner = popup.corner
        self._popup = PopupHost(
            self._popup_url, keep_warm_s=popup.keep_warm_s, hidden=lambda: self.on_hidden(), picker_url=self._picker_url
        )

    async def _popup_url(self) -> str:
        return self._url("popup", None)

    async def _picker_url(self) -> str:
        return self._url("picker", None)

    def reconfigure(self, popup: PopupSettings) -> None:
        self._corner = popup.corner
        self._popup.keep_warm_s = popup.keep_warm_s

    async def show_popup(self) -> None:
        """Show the popup. Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed."""
        await self._popup.show(self._corner)

    async def hide_popup(self) -> None:
        self.on_hidden()
        await self._popup.hide()

    async def open_browser(self, at: str) -> None:
        """Open a place in the UI, such as `photo-12`. Raises NoDisplay or NothingOpens."""
        if not await asyncio.to_thread(open_in_browser, self._url("library", at)):
            raise await _why_not()

    def browse(self, at: str) -> None:
        """Like `open_browser`, from a callback in the event loop: runs in the background and only logs failures."""
        self._browsing.start(self._browse(at))

    def welcome(self, *, popup: bool) -> None:
        """Show the welcome in the popup, or in the browser if `popup` is not wanted or can't be shown. Runs like `browse`."""
        self._browsing.start(self._welcome(popup))

    async def _welcome(self, popup: bool) -> None:
        if popup:
            try:
                return await self.show_popup()
            except DesktopError as error:
                log.warning("popup.unavailable", code=error.code)
        await self._browse("photos")

    async def _browse(self, at: str) -> None:
        try:
            await self.open_browser(at)
        except DesktopError as error:
            log.warning("browser.unavailable", code=error.code)

    async def show_file(self, path: str) -> None:
        """Show the file in its folder. Raises NoDisplay or NothingOpens."""
        if not await asyncio.to_thread(show_in_folder, Path(path)):
            raise await _why_not()

    async def open_file(self, path: str) -> None:
        """Open an image with the system's viewer. Raises NoDisplay or NothingOpens."""
        if not await asyncio.to_thread(open_image, Path(path)):
            raise await _why_not()

    async def edit_file(self, path: Path) -> None:
        """Open one of our text files in the user's editor. Raises NoDisplay or NothingOpens."""
        if not await asyncio.to_thread(lambda: display_available() and open_text(path)):
            raise await _why_not()

    async def choose_folder(self, title: str, language: str) -> str | None:
        """Ask the user for a folder. Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed."""
        return await self._popup.choose_folder(title, language)

    # -- choosing a region of the screen -----------------------------------------------------------------------------------------
    async def warm_picker(self) -> None:
        """Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed."""
        await self._popup.warm_picker()

    async def open_picker(self, panes: Sequence[Pane]) -> None:
        """Raises PopupFailed."""
        language = self._language()
        told = [
            {
                "rect": pane.monitor.place,
                "at": f"{pane.pick}/{pane.frame}/{pane.monitor.number}/{pane.monitor.x}/{pane.monitor.y}/{language}",
            }
            for pane in panes
        ]
        await self._popup.picker({"do": "fill_picker", "panes": told})

    async def reveal_picker(self) -> None:
        """Raises PopupFailed."""
        await self._popup.picker({"do": "reveal_picker"})

    async def close_picker(self) -> None:
        with suppress(PopupFailed):  # a closed picker shows nothing anyway
            await self._popup.picker({"do": "conceal_picker"})

    @property
    def keep_warm(self) -> bool:
        """Keep its process however long it is idle."""
        return self._popup.keep

    @keep_warm.setter
    def keep_warm(self, keep: bool) -> None:
        self._popup.keep = keep

    @property
    def picker_alive(self) -> bool:
        return self._popup.alive

    @property
    def popup_pid(self) -> int | None:
        """The popup's process, None if there is none."""
        return self._popup.pid

    async def renew_popup(self) -> bool:
        """Replace the popup's process unless it is in use; returns whether it was."""
        with suppress(DesktopError):  # only the windows for a region aren't loaded in advance then
            return await self._popup.renew()
        return True

    async def close(self) -> None:
        await self._popup.close()


async def _why_not() -> DesktopError:
    """Return why the desktop opened nothing: a session with a display lacks the program."""
    return NothingOpens() if await asyncio.to_thread(display_available) else NoDisplay()
