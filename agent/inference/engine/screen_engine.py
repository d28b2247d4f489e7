"""The agent's side of the screen's engine: one process, started on demand, that keeps screenshots for a review, and watches."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from agent.domain.errors import CaptureFailed, CaptureGone
from agent.domain.face import Analysis
from agent.domain.redaction import Cover
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine import screen_calls as calls
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.screen_calls import FrameRequest, LookRequest, ScreenCoverRequest
from agent.inference.engine.screen_port import GrabbedFrame, WatchedScreen, WatchTask
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.photo_files import open_photo
from agent.infrastructure.core.settings import EngineSettings

# A user may be called away from a review; after this time open screenshots are dropped.
KEPT_S: Final = 15 * 60.0
# The process stays between two looks at the screen: starting anew costs more than the look.
WATCHING_S: Final = 5 * 60.0
# The only information about the desktop that the process gets: the way to its pixels.
_DISPLAY: Final = ("DISPLAY", "XAUTHORITY")


class ScreenEngine(EnginePool):
    """A ScreenGrabber and ScreenWatcher, separate from the usual engines, which have no screen access. This one decodes no user files."""

    def __init__(
        self,
        settings: EngineSettings,
        models: Mapping[str, ModelFile],
        equipment: ComputeSetup,
        *,
        display: bool = True,
    ) -> None:
        """Without `display` it sees no screen, only files made by the desktop."""
        told = {name: os.environ[name] for name in _DISPLAY if display and name in os.environ}
        command = own_command("screen-worker")
        super().__init__(settings, models, equipment, command=command, environment=told)
        self._open: dict[str, float] = {}  # by handle: last use, in the loop's seconds
        self._watching = False

    @property
    def size(self) -> int:
        """One: another process would not have the first one's screenshots."""
        return 1

    @property
    def _idle_s(self) -> float:
        return max(self.settings.idle_s, KEPT_S if self._open else 0, WATCHING_S if self._watching else 0)

    async def monitors(self) -> tuple[Monitor, ...]:
        return await self.ask(calls.MONITORS, None)

    async def grab(self, ref: ScreenRef) -> GrabbedFrame:
        try:
            return self._opened(await self.ask(calls.GRAB, ref))
        except CaptureFailed:
            # The connection is broken or made for a smaller desktop than the current one: only a new process helps.
            self.forget()
            return self._opened(await self.ask(calls.GRAB, ref))

    async def take(self, path: str) -> GrabbedFrame:
        return self._opened(await self.ask(calls.TAKE, None, (partial(open_photo, path),)))

    async def frame(self, handle: str, region: ScreenRegion | None) -> bytes:
        return await self.ask(calls.FRAME, FrameRequest(self._known(handle), region))

    async def ahead(self, handle: str, task: Analyse) -> None:
        await self.ask(calls.AHEAD, LookRequest(self._known(handle), None, replace(task, path="", thumbnail=None)))

    async def look(self, handle: str, region: ScreenRegion | None, task: Analyse) -> Analysis:
        return await self.ask(calls.LOOK, LookRequest(self._known(handle), region, replace(task, path="", thumbnail=None)))

    async def cover(self, handle: str, covers: tuple[Cover, ...], format: str) -> bytes:
        return await self.ask(calls.COVER, ScreenCoverRequest(self._known(handle), covers, format))

    async def drop(self, handle: str) -> None:
        if handle not in self._open:
            return
        del self._open[handle]
        if self.stats():  # no process is started just for this
            await self.ask(calls.DROP, handle)

    async def watch(self, task: WatchTask) -> WatchedScreen:
        self._watching = True
        await self._drop_old()
        try:
            return await self.ask(calls.WATCH, task)
        except CaptureFailed:
            if not self._open:
                self.forget()  # as in `grab`: the next look may use another connection
            raise

    async def unwatch(self) -> None:
        if not self._watching:
            return
        self._watching = False
        if not self._open:
            self.forget()
        elif self.stats():
            await self.ask(calls.UNWATCH, None)

    async def renew(self) -> bool:
        """End the process; the next request starts another. Return False while it works, or keeps a screenshot for a review."""
        await self._drop_old()
        if self._open or self.is_busy:
            return False
        self.forget()
        return True

    @property
    def pid(self) -> int | None:
        """The process; None if none runs."""
        return next((slot.child.pid for slot in self._line.slots if slot.child is not None and slot.child.alive), None)

    def forget(self) -> None:
        self._open.clear()
        super().forget()

    async def _drop_old(self) -> None:
        """Drop expired screenshots: a process that watching keeps busy does not end and take them along."""
        now = asyncio.get_running_loop().time()
        for handle in [handle for handle, used in self._open.items() if now - used >= KEPT_S]:
            await self.drop(handle)

    def _opened(self, frame: GrabbedFrame) -> GrabbedFrame:
        self._open[frame.handle] = asyncio.get_running_loop().time()
        return frame

    def _known(self, handle: str) -> str:
        if handle not in self._open:
            raise CaptureGone
        self._open[handle] = asyncio.get_running_loop().time()
        return handle
