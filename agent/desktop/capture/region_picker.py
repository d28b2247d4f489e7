"""Selection of a region on a still picture of the screen: the capture is exactly what the user saw."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.desktop.capture.capture import CaptureService
from agent.domain.errors import AgentError, CaptureCancelled, CaptureFailed, CaptureGone, PopupFailed, RegionOutside
from agent.domain.screen import ALL_MONITORS, Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.screen_port import GrabbedFrame
from agent.infrastructure.core.background import BackgroundTasks

# Seconds: until the windows must have their picture, and until an abandoned selection ends.
READY_S = 30.0
CHOSEN_S = 300.0
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Pane:
    """One window over one monitor."""

    monitor: Monitor
    pick: str
    frame: str  # with this key it gets its picture, once


class PickerWindows(Protocol):
    """Implementations: the desk's, and none (headless)."""

    async def warm_picker(self) -> None:
        """Prepare the hidden windows. Raises NoDisplay or PopupFailed."""
        ...

    async def open_picker(self, panes: Sequence[Pane]) -> None:
        """Give each window its picture while hidden. Raises PopupFailed."""
        ...

    async def reveal_picker(self) -> None:
        """Show the windows. Raises PopupFailed."""
        ...

    async def close_picker(self) -> None: ...

    @property
    def picker_alive(self) -> bool: ...


@dataclass(eq=False)
class _Pick:
    frame: GrabbedFrame
    monitors: dict[int, Monitor]
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    frames: dict[str, int] = field(default_factory=dict)  # monitors by the key of their picture
    waiting: set[int] = field(default_factory=set)  # monitors whose window has no picture yet
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    chosen: "asyncio.Future[ScreenRegion | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class RegionPicker:
    """One selection at a time: a second one cancels the first."""

    def __init__(self, capturing: Callable[[], CaptureService], windows: PickerWindows) -> None:
        """`capturing` may raise ScreenUnavailable."""
        self._capturing = capturing
        self._windows = windows
        self._pick: _Pick | None = None
        self._turn = asyncio.Lock()
        self._asked = 0  # the number of requested selections
        self._works = BackgroundTasks()

    @property
    def open(self) -> bool:
        return self._pick is not None

    async def pick(self) -> tuple[GrabbedFrame, ScreenRegion | None]:
        """Let the user select. Return the picture of all monitors, and the region of it.

        Raises CaptureCancelled, NoDisplay, PopupFailed, CaptureError, EngineError.
        """
        self._asked += 1
        mine = self._asked
        if self._pick is not None:
            _settle(self._pick, CaptureCancelled())
        async with self._turn:
            self._check_current(mine)
            return await self._picked(mine)

    def _check_current(self, mine: int) -> None:
        """Raise CaptureCancelled if another selection was requested meanwhile."""
        if mine != self._asked:
            raise CaptureCancelled

    async def _picked(self, mine: int) -> tuple[GrabbedFrame, ScreenRegion | None]:
        # The picture first: cold windows may take their time, and must not be in it.
        warming = asyncio.ensure_future(self._windows.warm_picker())
        try:
            frame, _ = await self._capturing().freeze(ScreenRef(ALL_MONITORS))
        except BaseException:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            raise
        try:
            monitors = await self._capturing().monitors()
            await warming
            self._check_current(mine)
            pick = self._pick = _Pick(frame, {each.number: each for each in monitors})
            region = await self._chosen(pick)
        except BaseException:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            await self._capturing().drop(frame)
            raise
        finally:
            self._pick = None
            await self._windows.close_picker()
        return frame, region

    async def _chosen(self, pick: _Pick) -> ScreenRegion | None:
        panes = [Pane(monitor, pick.id, secrets.token_hex(16)) for monitor in pick.monitors.values()]
        pick.frames = {pane.frame: pane.monitor.number for pane in panes}
        pick.waiting = set(pick.monitors)
        try:
            async with asyncio.timeout(READY_S):
                await self._windows.open_picker(panes)
                await pick.ready.wait()
                await self._windows.reveal_picker()
        except TimeoutError:
            raise PopupFailed from None
        # It is not awaited and not cancelled: cancelling an engine request ends the engine.
        self._works.start(self._capturing().prefetch_faces(pick.frame))
        left = CHOSEN_S
        while not pick.chosen.done():
            await asyncio.wait([pick.chosen], timeout=_LOOK_S)
            left -= _LOOK_S
            if not pick.chosen.done() and (left <= 0 or not self._windows.picker_alive):
                _settle(pick, CaptureCancelled())
            elif not pick.chosen.done():
                await self._stands(pick)
        return pick.chosen.result()

    async def _stands(self, pick: _Pick) -> None:
        """End the selection if the monitors changed: its windows are then misplaced, or gone."""
        try:
            if pick.monitors != {each.number: each for each in await self._capturing().monitors()}:
                _settle(pick, CaptureFailed())
        except AgentError as error:
            _settle(pick, error)

    # -- calls of the windows ----------------------------------------------------------------------------------------------------
    async def frame(self, word: str) -> bytes:
        """Return the picture for one window, uncovered, once. Raises CaptureGone."""
        pick = self._pick
        if pick is None or word not in pick.frames:
            raise CaptureGone
        return await self._capturing().uncovered(pick.frame, pick.monitors[pick.frames.pop(word)].region)

    def ready(self, id: str, number: int) -> None:
        """Note that the window on that monitor has its picture. Raises CaptureGone."""
        pick = self._of(id)
        pick.waiting.discard(number)
        if not pick.waiting:
            pick.ready.set()

    def choose(self, id: str, number: int, region: ScreenRegion | None) -> None:
        """Choose a region of all monitors together, None for that whole monitor. Raises CaptureGone, RegionOutside."""
        pick = self._of(id)
        if region is None:
            chosen = pick.monitors[number].region if number in pick.monitors else None
        else:
            ends = [(each.x + each.w, each.y + each.h) for each in pick.monitors.values()]
            within = (max(right for right, _ in ends), max(bottom for _, bottom in ends))
            chosen = ScreenRegion.clipped(region.x, region.y, region.w, region.h, within=within)
        if chosen is None:
            raise RegionOutside
        if not pick.chosen.done():
            pick.chosen.set_result(chosen)

    def cancel(self, id: str) -> None:
        """Cancel the selection. Raises CaptureGone."""
        _settle(self._of(id), CaptureCancelled())

    def _of(self, id: str) -> _Pick:
        if self._pick is None or self._pick.id != id:
            raise CaptureGone
        return self._pick


def _settle(pick: _Pick, error: AgentError) -> None:
    pick.ready.set()
    if not pick.chosen.done():
        pick.chosen.set_exception(error)
