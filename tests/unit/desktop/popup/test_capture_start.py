"""What the tray and the hotkey begin: a region is chosen, covered, copied and shown; and the hotkey follows its setting."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agent.desktop.capture.capture import CaptureService
from agent.desktop.capture.region_picker import RegionPicker
from agent.desktop.popup.capture_start import CaptureStart
from agent.desktop.system.hotkey import Hotkey
from agent.domain.errors import AgentError, CaptureCancelled, CaptureRefused, HotkeyTaken, NoDisplay
from agent.domain.identity_matching import IdentificationResult
from agent.domain.redaction import Style
from agent.domain.screen import ScreenRef, ScreenRegion
from agent.inference.engine.screen_port import GrabbedFrame
from agent.infrastructure.core.screen_settings import CaptureSettings
from tests.support.fake_screen import FakeClipboard, FakeGrabber, FakeWindows, surroundings
from tests.support.service_environment import environment


class Desk(FakeWindows):
    """Without room for a popup."""

    def __init__(self) -> None:
        super().__init__()
        self.keep_warm = False
        self.popped = asyncio.Event()

    async def show_popup(self) -> None:
        self.popped.set()
        raise NoDisplay


class Keys:
    """The system's keys: what is taken, and by whom."""

    def __init__(self) -> None:
        self.taken: dict[str, Callable[[], None]] = {}
        self.error: AgentError | None = None

    def __call__(self, keys: str, pressed: Callable[[], None]) -> Hotkey:
        if self.error is not None:
            raise self.error
        self.taken[keys] = pressed
        return SimpleNamespace(close=lambda: self.taken.pop(keys))


class Stage:
    def __init__(self) -> None:
        self.desk, self.keys, self.grabber, self.clipboard = Desk(), Keys(), FakeGrabber(), FakeClipboard()
        self.settings = CaptureSettings()
        self.told: list[AgentError | None] = []

        async def supply(_: object) -> None: ...

        async def nobody(analysis: Any) -> IdentificationResult:
            return IdentificationResult((None,) * len(analysis.faces))

        self.capturing = CaptureService(
            self.grabber,
            surroundings({}, self.clipboard),
            SimpleNamespace(people=list),  # type: ignore[arg-type]
            SimpleNamespace(identify=nobody),  # type: ignore[arg-type]
            environment(),
            supply=supply,
        )
        screen: Any = self
        self.picking = RegionPicker(lambda: self.capturing, self.desk)
        desk: Any = self.desk
        self.failures: list[AgentError] = []
        self.start = CaptureStart(screen, desk, self.picking, lambda: self.settings, self.told.append, failed=self.failed, take=self.keys)

    async def failed(self, error: AgentError) -> None:
        self.failures.append(error)

    async def choose(self) -> None:
        await self.desk.opened.wait()
        pick = self.desk.panes[0].pick
        self.picking.ready(pick, 1)
        self.picking.choose(pick, 1, ScreenRegion(1, 2, 3, 4))


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_what_is_chosen_is_covered_copied_and_shown(stage: Stage) -> None:
    stage.settings = CaptureSettings(style=Style.EMOJI)
    await asyncio.gather(stage.start.capture(), stage.choose())
    [capture] = stage.capturing.all()
    assert capture.look.style is Style.EMOJI and stage.clipboard.holds["png"] == b"png 2" and stage.desk.popped.is_set()


async def test_it_is_not_copied_unasked(stage: Stage) -> None:
    stage.settings = CaptureSettings(copy_at_once=False)
    await asyncio.gather(stage.start.capture(), stage.choose())
    assert not stage.clipboard.holds and stage.capturing.all()


async def test_who_calls_it_off_hears_so_only_if_they_wait(stage: Stage) -> None:
    choosing = asyncio.create_task(stage.start.capture())
    await stage.desk.opened.wait()
    stage.picking.cancel(stage.desk.panes[0].pick)
    with pytest.raises(CaptureCancelled):
        await choosing
    assert not stage.failures


async def test_a_capture_that_the_system_refuses_is_told_of_and_leaves_no_window(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = CaptureRefused()

    async def grab(_: ScreenRef) -> GrabbedFrame:
        raise refused

    monkeypatch.setattr(stage.grabber, "grab", grab)
    with pytest.raises(CaptureRefused):
        await stage.start.capture()
    assert stage.failures == [refused] and "open" not in stage.desk.done and not stage.picking.open


async def test_the_hotkey_follows_its_setting(stage: Stage) -> None:
    await stage.start.follow()
    assert not stage.keys.taken and not stage.desk.keep_warm
    stage.settings = CaptureSettings(hotkey="Ctrl+Shift+F9")
    await stage.start.follow()
    await stage.start.follow()
    assert set(stage.keys.taken) == {"Ctrl+Shift+F9"} and stage.desk.keep_warm
    await asyncio.sleep(0)
    assert stage.desk.done == ["warm"]
    stage.keys.taken["Ctrl+Shift+F9"]()
    await stage.choose()
    await stage.desk.popped.wait()
    stage.settings = CaptureSettings(hotkey="Print")
    await stage.start.follow()
    assert set(stage.keys.taken) == {"Print"}
    stage.settings = CaptureSettings()
    await stage.start.follow()
    assert not stage.keys.taken and not stage.desk.keep_warm and set(stage.told) == {None}
    await stage.start.close()


async def test_one_that_can_not_be_had_is_told_of(stage: Stage) -> None:
    stage.settings, stage.keys.error = CaptureSettings(hotkey="Print"), HotkeyTaken(keys="Print")
    await stage.start.follow()
    assert stage.told == [stage.keys.error] and not stage.desk.keep_warm


@pytest.mark.parametrize("keys", ["F9", "Ctrl", "Ctrl+", "ctrl+F9", "Ctrl+F13", "Ctrl+ab", "Hyper+F9", "Shift++"])
def test_what_is_no_combination_is_refused(keys: str) -> None:
    with pytest.raises(ValueError):
        CaptureSettings(hotkey=keys)
