"""What mss says of monitors, and what becomes of it."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agent.domain.errors import CaptureFailed, CaptureRefused, RegionOutside
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine import screen_grab
from agent.inference.engine.screen_grab import MssScreen


def rectangle(left: int, top: int, width: int, height: int, **more: object) -> dict[str, Any]:
    return {"left": left, "top": top, "width": width, "height": height, **more}


class FakeMss:
    """Two monitors, the second to the left of the first and higher; `pixels` by unit, as on a Retina display."""

    def __init__(self, pixels: int = 1) -> None:
        self._monitors: object = None
        self.monitors = [rectangle(-800, -100, 2720, 1180), rectangle(0, 0, 1920, 1080), rectangle(-800, -100, 800, 600, is_primary=True)]
        self.grabbed: list[dict[str, Any]] = []
        self._pixels = pixels

    def grab(self, where: dict[str, Any]) -> object:
        self.grabbed.append(where)
        width, height = where["width"] * self._pixels, where["height"] * self._pixels
        return SimpleNamespace(width=width, height=height, raw=bytearray(width * height * 4))


def screen(mss: object, allowed: Callable[[], bool] = lambda: True) -> MssScreen:
    return MssScreen(mss, allowed)


def test_monitors_are_counted_from_the_top_left_of_all_of_them() -> None:
    assert screen(FakeMss()).monitors() == (
        Monitor(1, 800, 100, 1920, 1080, 1.0, False, 0, 0),
        Monitor(2, 0, 0, 800, 600, 1.0, True, -800, -100),
    )


def test_regions_are_of_their_monitor() -> None:
    mss = FakeMss()
    screen(mss).grab(ScreenRef(2, ScreenRegion(10, 20, 30, 40)))
    screen(mss).grab(ScreenRef(0, ScreenRegion(10, 20, 30, 40)))
    assert mss.grabbed == [rectangle(-790, -80, 30, 40), rectangle(-790, -80, 30, 40)]


def test_where_the_unit_is_no_pixel_regions_are_in_pixels_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    mss = FakeMss(pixels=2)
    assert screen(mss).monitors()[0] == Monitor(1, 1600, 200, 3840, 2160, 2.0, False, 0, 0)
    assert [each.place for each in screen(mss).monitors()] == [(0, 0, 1920, 1080), (-800, -100, 800, 600)]
    width, height, _ = screen(mss).grab(ScreenRef(1, ScreenRegion(100, 200, 300, 400)))
    assert (width, height) == (300, 400) and mss.grabbed[-1] == rectangle(50, 100, 150, 200)


def test_one_that_tells_of_no_monitor_has_one() -> None:
    mss = FakeMss()
    mss.monitors = mss.monitors[:1]
    assert screen(mss).monitors() == (Monitor(1, 0, 0, 2720, 1180, 1.0, True, -800, -100),)
    with pytest.raises(RegionOutside):
        screen(mss).grab(ScreenRef(1, ScreenRegion(2720, 0, 1, 1)))


def test_without_permission_there_is_no_picture_at_all() -> None:
    mss = FakeMss()
    with pytest.raises(CaptureRefused):
        screen(mss, lambda: False).grab(ScreenRef(1))
    assert not mss.grabbed


def test_whatever_mss_raises_is_a_capture_that_failed() -> None:
    with pytest.raises(CaptureFailed):
        screen(SimpleNamespace()).grab(ScreenRef(1))


@pytest.mark.parametrize(("knows", "answers"), [(True, False), (False, True), (False, False)])
def test_macos_is_asked_whether_it_allows_it(monkeypatch: pytest.MonkeyPatch, knows: bool, answers: bool) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    graphics = SimpleNamespace(CGPreflightScreenCaptureAccess=SimpleFunction(knows), CGRequestScreenCaptureAccess=SimpleFunction(answers))
    assert screen_grab._may_record(lambda _: graphics) is (knows or answers)


class SimpleFunction:
    restype: object = None

    def __init__(self, answer: bool) -> None:
        self._answer = answer

    def __call__(self) -> bool:
        return self._answer
