"""The picker's windows on Windows and macOS: one over each monitor, in the system's unit."""

import threading
from types import SimpleNamespace
from typing import Any

from agent.desktop.picker_shell import PickerPane
from agent.desktop.system_picker import SystemPicker
from agent.desktop.work_area import Rect

URL = "http://127.0.0.1:5000/open?code=1&page=picker"
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

    def move(self, x: int, y: int) -> None:
        self.done.append((x, y))

    def resize(self, w: int, h: int) -> None:
        self.done.append((w, h))

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


def test_a_window_over_each_monitor_is_filled_shown_and_emptied() -> None:
    made = Made()
    picker = SystemPicker(made)
    assert picker.warm(URL) and picker.warm(URL)
    picker.fill([PickerPane(Rect(0, 0, 3840, 2160), 2.0, "a/b/1/en"), PickerPane(Rect(3840, 0, 1920, 1080), 2.0, "a/c/2/en")])
    one, other = made.windows
    assert (one.asked, other.asked) == (URL, PAGE)
    assert one.done == [(0, 0), (1920, 1080), 'location.hash = "a/b/1/en"']
    assert other.done == [(1920, 0), (960, 540), 'location.hash = "a/c/2/en"']
    picker.reveal()
    picker.conceal()
    assert one.done[3:] == other.done[3:] == ["show", "hide", "location.hash = ''"]


def test_a_page_that_is_not_ours_is_not_there() -> None:
    assert not SystemPicker(Made("http://192.0.2.1/")).warm(URL)
