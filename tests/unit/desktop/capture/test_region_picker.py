"""A region is chosen on a frozen picture; however the choice ends, no unreviewed picture is left."""

import asyncio
from collections.abc import Awaitable

import pytest

from agent.desktop.capture import region_picker as picking_module
from agent.desktop.capture.capture import CaptureService
from agent.desktop.capture.region_picker import RegionPicker
from agent.domain.errors import (
    CaptureCancelled,
    CaptureFailed,
    CaptureGone,
    EngineCrashed,
    MonitorUnknown,
    PopupFailed,
    RegionOutside,
    ScreenUnavailable,
)
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.screen_port import GrabbedFrame
from tests.support.fake_screen import FakeClipboard, FakeGrabber, FakeWindows, surroundings
from tests.support.service_environment import environment

TWO = (Monitor(1, 800, 0, 1920, 1080, 1.0, True), Monitor(2, 0, 100, 800, 600, 1.0, False))
Taken = tuple[GrabbedFrame, ScreenRegion | None]


class Choice:
    """Somebody who chooses, with what they choose on."""

    def __init__(self) -> None:
        self.grabber, self.windows = FakeGrabber(), FakeWindows()
        self.grabber.there = TWO

        async def supply(_: object) -> None: ...

        capturing = CaptureService(
            self.grabber,
            surroundings({}, FakeClipboard()),
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            environment(),
            supply=supply,
        )
        self.picking = RegionPicker(lambda: capturing, self.windows)

    async def opened(self) -> "asyncio.Task[Taken]":
        choosing = asyncio.create_task(self.picking.pick())
        await self.windows.opened.wait()
        return choosing

    async def seen(self) -> "asyncio.Task[Taken]":
        """The windows are shown."""
        choosing = await self.opened()
        for pane in self.windows.panes:
            self.picking.ready(pane.pick, pane.monitor.number)
        await self.windows.shown.wait()
        return choosing

    @property
    def id(self) -> str:
        return self.windows.panes[0].pick


@pytest.fixture
async def choice() -> Choice:
    return Choice()


async def ended(choosing: Awaitable[Taken], error: type[Exception], choice: Choice) -> None:
    with pytest.raises(error):
        await choosing
    assert not choice.grabber.open and not choice.picking.open


async def test_windows_are_seen_when_all_have_their_picture(choice: Choice) -> None:
    choosing = await choice.opened()
    assert choice.grabber.asked == [ScreenRef(0)]
    one, other = choice.windows.panes
    assert await choice.picking.frame(one.frame) == b"uncovered 800,0,1920,1080"
    assert await choice.picking.frame(other.frame) == b"uncovered 0,100,800,600"
    choice.picking.ready(one.pick, 1)
    await asyncio.sleep(0)
    assert "reveal" not in choice.windows.done
    choice.picking.ready(one.pick, 2)
    await choice.windows.shown.wait()
    choice.picking.choose(one.pick, 2, ScreenRegion(790, 120, 30, 40))  # on both of them
    frame, region = await choosing
    assert region == ScreenRegion(790, 120, 30, 40) and frame.handle in choice.grabber.open
    assert choice.grabber.looked_ahead == [frame.handle]
    assert choice.windows.done == ["warm", "open", "reveal", "close"] and not choice.picking.open


async def test_a_picture_is_given_to_its_window_and_only_once(choice: Choice) -> None:
    choosing = await choice.opened()
    word = choice.windows.panes[0].frame
    await choice.picking.frame(word)
    for gone in (word, "0" * 32):
        with pytest.raises(CaptureGone):
            await choice.picking.frame(gone)
    choice.picking.cancel(choice.id)
    await ended(choosing, CaptureCancelled, choice)


async def test_a_whole_monitor_and_what_lies_beyond_all_of_them(choice: Choice) -> None:
    choosing = await choice.seen()
    with pytest.raises(RegionOutside):
        choice.picking.choose(choice.id, 2, ScreenRegion(2720, 0, 5, 5))
    with pytest.raises(RegionOutside):
        choice.picking.choose(choice.id, 3, None)
    choice.picking.choose(choice.id, 1, None)
    choice.picking.choose(choice.id, 2, None)  # too late
    assert (await choosing)[1] == ScreenRegion(800, 0, 1920, 1080)


async def test_faces_that_can_not_be_looked_for_ahead_are_nobody_s_trouble_yet(choice: Choice) -> None:
    choice.grabber.error = EngineCrashed()
    choosing = await choice.seen()
    choice.picking.choose(choice.id, 1, None)
    assert (await choosing)[1] is not None


async def test_who_calls_it_off_leaves_nothing(choice: Choice) -> None:
    choosing = await choice.seen()
    choice.picking.cancel(choice.id)
    await ended(choosing, CaptureCancelled, choice)
    with pytest.raises(CaptureGone):
        choice.picking.cancel(choice.id)
    with pytest.raises(CaptureGone):
        choice.picking.ready(choice.id, 1)
    assert choice.windows.done[-1] == "close"


async def test_a_second_choice_takes_the_place_of_the_first(choice: Choice) -> None:
    first = await choice.seen()
    second = asyncio.create_task(choice.picking.pick())
    with pytest.raises(CaptureCancelled):
        await first
    await choice.windows.opened.wait()
    assert choice.picking.open
    for pane in choice.windows.panes:
        choice.picking.ready(pane.pick, pane.monitor.number)
    choice.picking.choose(choice.id, 1, None)
    frame, _ = await second
    assert choice.grabber.open == {frame.handle}


async def test_one_that_was_only_about_to_begin_is_called_off_unseen(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    taking, taken = asyncio.Event(), asyncio.Event()
    grab = choice.grabber.grab

    async def slowly(ref: ScreenRef) -> GrabbedFrame:
        taking.set()
        await taken.wait()
        return await grab(ref)

    monkeypatch.setattr(choice.grabber, "grab", slowly)
    first = asyncio.create_task(choice.picking.pick())
    await taking.wait()
    second, third = await choice_begins(choice), asyncio.create_task(choice.picking.pick())
    await asyncio.sleep(0)
    taken.set()
    for each in (first, second):
        with pytest.raises(CaptureCancelled):
            await each
    await choice.windows.opened.wait()
    assert choice.windows.done.count("open") == 1 and len(choice.grabber.open) == 1
    for pane in choice.windows.panes:
        choice.picking.ready(pane.pick, pane.monitor.number)
    choice.picking.choose(choice.id, 1, None)
    assert (await third)[1] == TWO[0].region


async def choice_begins(choice: Choice) -> "asyncio.Task[Taken]":
    """One that waits for its turn."""
    waiting = asyncio.create_task(choice.picking.pick())
    await asyncio.sleep(0)
    return waiting


@pytest.mark.parametrize("step", ["warm", "open", "reveal"])
async def test_windows_that_fail_leave_nothing(choice: Choice, step: str) -> None:
    choice.windows.error, choice.windows.failing = PopupFailed(), step
    choosing = asyncio.create_task(choice.picking.pick())
    if step == "reveal":
        await choice.windows.opened.wait()
        for pane in choice.windows.panes:
            choice.picking.ready(pane.pick, pane.monitor.number)
    await ended(choosing, PopupFailed, choice)


async def test_windows_that_never_get_ready_or_end_are_given_up(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking_module, "READY_S", 0.01)
    monkeypatch.setattr(picking_module, "_LOOK_S", 0.01)
    await ended(choice.picking.pick(), PopupFailed, choice)
    monkeypatch.setattr(picking_module, "READY_S", 30.0)
    choosing = await choice.seen()
    choice.windows.picker_alive = False
    await ended(choosing, CaptureCancelled, choice)


@pytest.mark.parametrize("there", [TWO[:1], (TWO[0], Monitor(2, 0, 0, 800, 600, 1.0, False)), (*TWO, Monitor(3, 2720, 0, 10, 10))])
async def test_monitors_that_come_go_or_move_end_the_choice_and_its_windows(
    choice: Choice, monkeypatch: pytest.MonkeyPatch, there: tuple[Monitor, ...]
) -> None:
    monkeypatch.setattr(picking_module, "_LOOK_S", 0.01)
    choosing = await choice.seen()
    choice.grabber.there = there
    await ended(choosing, CaptureFailed, choice)
    assert choice.windows.done[-1] == "close"


async def test_a_screen_that_is_gone_ends_the_choice(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    async def monitors() -> tuple[Monitor, ...]:
        raise ScreenUnavailable

    monkeypatch.setattr(picking_module, "_LOOK_S", 0.01)
    choosing = await choice.seen()
    monkeypatch.setattr(choice.grabber, "monitors", monitors)
    await ended(choosing, ScreenUnavailable, choice)


async def test_nobody_chooses_for_ever(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking_module, "CHOSEN_S", 0.02)
    monkeypatch.setattr(picking_module, "_LOOK_S", 0.01)
    await ended(await choice.seen(), CaptureCancelled, choice)


async def test_a_screen_that_can_not_be_grabbed_opens_no_window(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    async def grab(_: ScreenRef) -> GrabbedFrame:
        raise MonitorUnknown(number=0, count=0)

    monkeypatch.setattr(choice.grabber, "grab", grab)
    await ended(choice.picking.pick(), MonitorUnknown, choice)
    assert "open" not in choice.windows.done
