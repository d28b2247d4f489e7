"""The agent's side of the popup: starts its process on first use, keeps it warm after use, and ends it after a long idle time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from agent.desktop.system.display import display_available
from agent.domain.errors import DesktopError, LibraryMissing, NoDisplay, PopupFailed, WebViewMissing
from agent.infrastructure.core.json_child import Child, ChildExited, ChildTimeout, Message, own_command
from agent.infrastructure.core.settings import Corner

_START_S = 45.0  # a cold disk, the web engine's first start
_WARM_S = 5.0
_LOOK_S = 1.0


class PopupHost:
    """One popup window in a separate process. Use it from one event loop.

    `url` makes the address of the page, with a one-time code; it is only called when the page must be loaded, because a warm window's
    page is alive and updates itself. `picker_url` does the same for the page on which a region of the screen is chosen. `hidden` is
    called when the user closes the window.
    """

    def __init__(
        self,
        url: Callable[[], Awaitable[str]],
        *,
        picker_url: Callable[[], Awaitable[str]] | None = None,
        keep_warm_s: float,
        hidden: Callable[[], None] = lambda: None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._url = url
        self._picker_url = picker_url or url
        self.keep_warm_s = keep_warm_s  # may be changed; applies from the next time it is hidden
        self._hidden = hidden
        self._command = list(command or own_command("popup-window"))
        self._child: Child | None = None
        self._loaded = False
        self._visible = False
        self._picker_loaded = False
        self._picking = False
        self.keep = False  # regardless of its idle time; applies from the next time it is hidden
        self._turn = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._dropping: asyncio.Task[None] | None = None
        self._folder: asyncio.Future[str | None] | None = None
        self._lacks: DesktopError | None = None  # what its process reported as missing

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def visible(self) -> bool:
        return self._visible and self.alive

    @property
    def pid(self) -> int | None:
        """The popup's process, None if there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def show(self, corner: Corner) -> None:
        """Show the window without taking the focus. Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed."""
        async with self._turn:
            try:
                if not await self._shown(corner) and not await self._shown(corner):
                    raise self._failure()
            finally:
                self._rest()

    async def hide(self) -> None:
        """Hide it if it is shown; its process stays warm for a while."""
        async with self._turn:
            if self._child is not None and self._child.alive:
                with contextlib.suppress(ChildExited, ChildTimeout):
                    await self._child.request({"do": "hide"}, timeout=_WARM_S)
            self._visible = False
            self._rest()

    async def choose_folder(self, title: str, language: str) -> str | None:
        """Ask the user for a folder with the system's dialog; None if it is dismissed.

        Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed.

        The popup's process does this on every system: it already has a window system's main thread, and a native dialog may load tens of
        megabytes of desktop libraries, which would otherwise stay in the agent. A second call brings the open dialog to the front.
        """
        async with self._turn:
            child = await self._dialog(title, language) or await self._dialog(title, language)
            if child is None or self._folder is None:
                raise self._failure()
            folder = self._folder
        while not folder.done():
            await asyncio.wait([folder], timeout=_LOOK_S)
            if not child.alive and not folder.done():
                folder.set_result(None)
        return folder.result()

    # -- the windows in which a region of the screen is chosen ---------------------------------------------------------------------
    async def warm_picker(self) -> None:
        """Start the process and load their page while hidden. Raises NoDisplay, LibraryMissing, WebViewMissing or PopupFailed."""
        async with self._turn:
            try:
                if not await self._picker_loads() and not await self._picker_loads():
                    raise self._failure()
            finally:
                self._rest()

    async def picker(self, request: Message) -> None:
        """Send a request to the loaded windows. Raises PopupFailed."""
        async with self._turn:
            try:
                if self._child is None or not self._picker_loaded or not await self._ok(self._child, request, _WARM_S):
                    raise PopupFailed
                self._picking = request["do"] != "conceal_picker"
            finally:
                self._rest()

    async def _picker_loads(self) -> bool:
        child = await self._started()
        if not self._picker_loaded:
            self._picker_loaded = await self._ok(child, {"do": "warm_picker", "url": await self._picker_url()}, _START_S)
        return self._picker_loaded

    async def renew(self) -> bool:
        """Replace the process, unless one of its windows or dialogs is in use. Return whether it was. Raises as `warm_picker` does."""
        async with self._turn:
            if self._in_use:
                return False
            warm = self.keep and self._picker_loaded
            await self._drop()
        if warm:
            await self.warm_picker()
        return True

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            self._wake()
            await self._drop()
        if self._dropping is not None:
            await asyncio.gather(self._dropping, return_exceptions=True)

    # -- the process -------------------------------------------------------------------------------------------------------------

    async def _shown(self, corner: Corner) -> bool:
        """False if the process failed: it is then gone, and a second try starts a new one."""
        child = await self._started()
        within_s = _WARM_S if self._loaded else _START_S
        url = None if self._loaded else await self._url()
        # Set early: the user may close the window while the answer is still on its way.
        self._visible = True
        self._loaded = await self._ok(child, {"do": "show", "url": url, "corner": str(corner)}, within_s)
        return self._loaded

    async def _dialog(self, title: str, language: str) -> Child | None:
        """The process with the open dialog; None if it failed, as above."""
        child = await self._started()
        if self._folder is None or self._folder.done():
            self._folder = asyncio.get_running_loop().create_future()
        request: Message = {"do": "choose_folder", "title": title, "language": language}
        return child if await self._ok(child, request, _START_S) else None

    async def _ok(self, child: Child, request: Message, within_s: float) -> bool:
        """Whether the process carried out the request; if not, it is ended."""
        try:
            answer = await child.request(request, timeout=within_s)
        except (ChildExited, ChildTimeout):
            answer = {}
        if answer.get("ok") is True:
            return True
        await self._drop()
        return False

    async def _started(self) -> Child:
        self._wake()
        if self._child is not None and self._child.alive:
            return self._child
        if not display_available():
            raise NoDisplay
        await self._drop()
        self._lacks = None
        try:
            self._child = await Child.start(self._command, on_notice=self._on_notice)
        except ChildExited as error:
            raise PopupFailed from error
        return self._child

    def _failure(self) -> DesktopError:
        return self._lacks or PopupFailed()

    async def _drop(self) -> None:
        child, self._child = self._child, None
        self._loaded = self._visible = self._picker_loaded = self._picking = False
        if self._folder is not None and not self._folder.done():
            self._folder.set_result(None)
        if child is not None:
            await child.stop()

    def _on_notice(self, notice: Message) -> None:
        match notice:
            case {"notice": "hidden"}:
                self._visible = False
                self._rest()
                self._hidden()
            case {"notice": "lacks", "library": str() as library}:
                self._lacks = LibraryMissing(library=library)
            case {"notice": "lacks_web_view"}:
                self._lacks = WebViewMissing()
            case {"notice": "folder", "path": str() | None as path}:
                if self._folder is not None and not self._folder.done():
                    self._folder.set_result(path)
                self._rest()

    # -- idleness ----------------------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _rest(self) -> None:
        """Start the idle time, unless the window is shown."""
        self._wake()
        if self.alive and not self._visible and not self._picking and not self.keep:
            self._idle = asyncio.get_running_loop().call_later(self.keep_warm_s, self._drop_idle)

    def _drop_idle(self) -> None:
        self._dropping = asyncio.get_running_loop().create_task(self._drop_if_idle())

    async def _drop_if_idle(self) -> None:
        async with self._turn:
            if not self._in_use and not self.keep:
                await self._drop()

    @property
    def _in_use(self) -> bool:
        return self._visible or self._picking or (self._folder is not None and not self._folder.done())
