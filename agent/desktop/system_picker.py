"""The region picker's windows on Windows and macOS: pywebview's own, one over each monitor."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from agent.desktop.picker_shell import PickerPane
from agent.desktop.popup_shell import LOAD_S, is_ours
from agent.desktop.work_area import Rect


class SystemPicker:
    """`make` creates a hidden frameless window that loads a page (pywebview's `create_window`).

    `stand` positions a window while hidden: pywebview's own `move` and `resize` count from the window's original screen (macOS), or in
    units of its scale, and show it (Windows).
    """

    def __init__(self, make: Callable[..., Any], stand: Callable[[Any, Rect], None]) -> None:
        self._make = make
        self._stand = stand
        self._windows: list[Any] = []
        self._filled: list[Any] = []
        self._page = ""

    def warm(self, url: str) -> bool:
        if not self._page:
            self._page = self._loaded(url).partition("#")[0]  # the code was for the first page
        return bool(self._page)

    def fill(self, panes: Sequence[PickerPane]) -> None:
        while len(self._windows) < len(panes):
            self._loaded(self._page)
        self._filled = self._windows[: len(panes)]
        for window, pane in zip(self._filled, panes, strict=True):
            self._stand(window, pane.rect)
            window.evaluate_js(f"location.hash = {json.dumps(pane.at)}")

    def reveal(self) -> None:
        for window in self._filled:
            window.show()

    def conceal(self) -> None:
        for window in self._windows:
            window.hide()
            window.evaluate_js("location.hash = ''")
        self._filled = []

    def _loaded(self, url: str) -> str:
        """The loaded page's address for a new window; empty if it did not load."""
        window = self._make("AI Popup", url, hidden=True, frameless=True, easy_drag=False, resizable=False, on_top=True, min_size=(1, 1))
        self._windows.append(window)
        found = str(window.get_current_url() or "") if window.events.loaded.wait(LOAD_S) else ""
        return found if is_ours(found) else ""
