"""A screen that shows what a test says, and a clipboard and windows beside it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.desktop.capture.capture import CaptureDesktop
from agent.desktop.capture.region_picker import Pane
from agent.domain.errors import CaptureGone, DesktopError, MonitorUnknown, NoWindow
from agent.domain.face import Analysis, Box
from agent.domain.redaction import Cover
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.screen_port import GrabbedFrame
from tests.support.in_process_agent import analysis


class FakeGrabber:
    """A screen that shows two faces. Pictures say in words what is covered on them."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.there: tuple[Monitor, ...] = (Monitor(1, 0, 0, 800, 600, 1.0, True),)
        self.asked: list[object] = []
        self.tasks: list[Analyse] = []
        self.looked_ahead: list[str] = []
        self.error: Exception | None = None
        self.forgotten = 0

    async def monitors(self) -> tuple[Monitor, ...]:
        return self.there

    async def grab(self, ref: ScreenRef) -> GrabbedFrame:
        if ref.monitor > 1:
            raise MonitorUnknown(number=ref.monitor, count=1)
        return self._frame(ref)

    async def take(self, path: str) -> GrabbedFrame:
        return self._frame(path)

    def _frame(self, asked: object) -> GrabbedFrame:
        self.asked.append(asked)
        self.open.add(handle := f"{len(self.asked)}")
        return GrabbedFrame(handle, 800, 600)

    async def frame(self, handle: str, region: ScreenRegion | None) -> bytes:
        if handle not in self.open:
            raise CaptureGone
        return f"uncovered {region}".encode()

    async def ahead(self, handle: str, task: Analyse) -> None:
        self.looked_ahead.append(handle)
        if self.error is not None:
            raise self.error

    async def look(self, handle: str, region: ScreenRegion | None, task: Analyse) -> Analysis:
        self.asked.append(region)
        self.tasks.append(task)
        if self.error is not None:
            raise self.error
        found = analysis(b"x", task.recipe, chip=task.keep_chips)
        return replace(found, faces=(found.faces[0], replace(found.faces[0], box=Box(60, 5, 20, 20))))

    async def cover(self, handle: str, covers: tuple[Cover, ...], format: str) -> bytes:
        if handle not in self.open:
            raise CaptureGone
        return f"{format} {len(covers)}".encode()

    async def drop(self, handle: str) -> None:
        self.open.discard(handle)

    def forget(self) -> None:
        self.forgotten += 1
        self.open.clear()

    async def close(self) -> None:
        self.open.clear()


class FakeClipboard:
    formats: tuple[str, ...] = ("png", "bmp")

    def __init__(self) -> None:
        self.holds: Mapping[str, bytes] = {}

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        self.holds = pictures

    async def close(self) -> None:
        self.holds = {}


class FakeWindows:
    """The windows in which a region is chosen; `error` is raised in the place of what `failing` names."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.panes: Sequence[Pane] = ()
        self.opened = asyncio.Event()
        self.shown = asyncio.Event()
        self.error: DesktopError | None = None
        self.failing = ""
        self.picker_alive = True

    def _do(self, what: str) -> None:
        self.done.append(what)
        if self.error is not None and self.failing == what:
            raise self.error

    async def warm_picker(self) -> None:
        self._do("warm")

    async def open_picker(self, panes: Sequence[Pane]) -> None:
        self._do("open")
        self.panes = panes
        self.opened.set()

    async def reveal_picker(self) -> None:
        self._do("reveal")
        self.shown.set()

    async def close_picker(self) -> None:
        self._do("close")
        self.opened.clear()
        self.shown.clear()


def surroundings(saved: dict[str, bytes], clipboard: FakeClipboard) -> CaptureDesktop:
    """A desktop on which no window is in use; files end in `saved`."""

    def window() -> tuple[int, int, int, int]:
        raise NoWindow

    def save(path: str, picture: bytes) -> str:
        saved[path] = picture
        return path

    return CaptureDesktop(window, lambda: "/pictures/now.png", save, clipboard)
