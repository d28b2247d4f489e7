"""The picker's windows on Windows and macOS: one over each monitor, where that stands, in the system's unit."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from agent.desktop.capture.region_picker import Pane
from agent.desktop.popup.picker_shell import PickerPane
from agent.desktop.popup.popup import PopupHost
from agent.desktop.popup.system_shells import SystemPicker
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.desktop.system.work_area import Rect
from agent.domain.screen import Monitor
from agent.infrastructure.core.json_child import Message
from agent.infrastructure.core.settings import PopupSettings

URL = "http://127.0.0.1:5000/picker#code=1"
PAGE = "http://127.0.0.1:5000/picker"


class Window:
    """pywebview's; a code leads to the page."""

    def __init__(self, url: str, leads_to: str) -> None:
        self.events = SimpleNamespace(loaded=threading.Event())
        self.events.loaded.set()
        self.url = leads_to
        self.asked = url
        self.done: list[object] = []

    def get_current_url(self) -> str:
        return self.url

    def evaluate_js(self, script: str) -> None:
        self.done.append(script)

    def show(self) -> None:
        self.done.append("show")

    def hide(self) -> None:
        self.done.append("hide")


class Made:
    def __init__(self, leads_to: str = PAGE) -> None:
        self.windows: list[Window] = []
        self.leads_to = leads_to

    def __call__(self, title: str, url: str, **how: Any) -> Window:
        assert how["hidden"] and how["frameless"]
        self.windows.append(Window(url, self.leads_to))
        return self.windows[-1]


def stand(window: Window, at: Rect) -> None:
    window.done.append(at)


def test_a_window_over_each_monitor_is_filled_shown_and_emptied() -> None:
    made = Made()
    picker = SystemPicker(made, stand)
    assert picker.warm(URL) and picker.warm(URL)
    left, right = Rect(-960, 0, 960, 540), Rect(0, 0, 1920, 1080)
    picker.fill([PickerPane(left, "a/b/1/en"), PickerPane(right, "a/c/2/en")])
    one, other = made.windows
    assert (one.asked, other.asked) == (URL, PAGE)
    assert one.done == [left, 'location.hash = "a/b/1/en"']
    assert other.done == [right, 'location.hash = "a/c/2/en"']
    picker.reveal()
    picker.conceal()
    assert one.done[2:] == other.done[2:] == ["show", "hide", "location.hash = ''"]


def test_a_page_that_is_not_ours_is_not_there() -> None:
    assert not SystemPicker(Made("http://192.0.2.1/"), stand).warm(URL)


async def test_a_monitor_beside_the_first_is_covered_where_it_stands_and_told_where_its_picture_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Message] = []

    async def picker(self: PopupHost, request: Message) -> None:
        asked.append(request)

    monkeypatch.setattr(PopupHost, "picker", picker)
    first, beside = Monitor(1, 1600, 200, 3840, 2160, 2.0), Monitor(2, 0, 0, 1600, 1200, 2.0, left=-800, top=-100)
    await UiLauncher(lambda *_: "", PopupSettings()).open_picker([Pane(first, "a", "b"), Pane(beside, "a", "c")])
    [filled] = asked
    assert [(*each["rect"], each["at"]) for each in filled["panes"]] == [
        (0, 0, 1920, 1080, "a/b/1/1600/200/en"),
        (-800, -100, 800, 600, "a/c/2/0/0/en"),
    ]
