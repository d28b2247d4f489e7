"""Which windows an X server shows, whose they are and which is in use, by what a window manager says of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from Xlib import X, Xatom, display

from agent.desktop.system.window_list import XWindows
from agent.domain.face import Box
from agent.domain.scene import Scene


class Manager:
    """Says what a window manager would."""

    def __init__(self, name: str) -> None:
        self.server = display.Display(name)
        self.root = self.server.screen().root

    def window(self, program: str, title: str, pid: int, area: tuple[int, int, int, int], *, mapped: bool = True) -> int:
        made = self.root.create_window(*area, 0, X.CopyFromParent)
        made.set_wm_class(program.lower(), program)
        self._say(made, "_NET_WM_NAME", self.server.intern_atom("UTF8_STRING"), 8, title.encode())
        self._say(made, "_NET_WM_PID", Xatom.CARDINAL, 32, [pid])
        if mapped:
            made.map()
        self.server.sync()
        return int(made.id)

    def stack(self, *windows: int, front: int) -> None:
        """The topmost last."""
        self._say(self.root, "_NET_CLIENT_LIST_STACKING", Xatom.WINDOW, 32, list(windows))
        self._say(self.root, "_NET_ACTIVE_WINDOW", Xatom.WINDOW, 32, [front])
        self.server.sync()

    def _say(self, window: Any, name: str, kind: int, width: int, value: Any) -> None:
        window.change_property(self.server.intern_atom(name), kind, width, value)


@pytest.fixture
def manager(x_display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setenv("DISPLAY", x_display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    made = Manager(x_display)
    yield made
    made.server.close()


@pytest.fixture
def windows(manager: Manager) -> Iterator[XWindows]:
    asked = XWindows()
    yield asked
    asked.rest()


@pytest.fixture
def other() -> Iterator[int]:
    """A process that is not this program's: it is another one's child."""
    script = "import subprocess as s; print(s.Popen(['sleep', '60'], stdout=s.DEVNULL, stderr=s.DEVNULL).pid, flush=True)"
    started = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True, close_fds=True)
    pid = int(started.stdout)
    yield pid
    os.kill(pid, 9)


def test_windows_are_told_from_the_topmost_on_with_their_programs(manager: Manager, windows: XWindows, other: int) -> None:
    below = manager.window("Player", "A film", other, (100, 50, 400, 300))
    hidden = manager.window("Mail", "Letters", other, (0, 0, 10, 10), mapped=False)
    above = manager.window("zoom", "as_toolbar", other, (300, 100, 200, 150))
    manager.stack(below, hidden, above, front=above)
    front = windows.front()
    assert front is not None and front.programs == ("zoom", "zoom", "sleep") and not front.own
    scene = windows.scene()
    assert [(window.programs[1], window.area) for window in scene.windows] == [
        ("zoom", Box(300, 100, 200, 150)),
        ("Player", Box(100, 50, 400, 300)),
    ]
    assert scene.shared(["AS_*"]) and not scene.shared(["vnc"])
    manager.stack(below, front=below)
    front = windows.front()
    assert front is not None and front.programs[1] == "Player"


def test_this_programs_windows_and_pages_are_its_own(manager: Manager, windows: XWindows, other: int) -> None:
    numbers = [
        manager.window("popup", "x", os.getpid(), (0, 0, 10, 10)),
        manager.window("Chromium", "AI 弹窗助手 - Chromium", other, (0, 0, 10, 10)),
        manager.window("Chromium", "News - Chromium", other, (0, 0, 10, 10)),
    ]
    manager.stack(*numbers, front=numbers[0])
    assert [window.own for window in windows.scene().windows] == [False, True, True]


def test_where_nobody_tells_or_no_server_answers_there_is_none(
    manager: Manager, windows: XWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (windows.front(), windows.scene()) == (None, Scene())
    manager.stack(4711, front=4711)  # gone meanwhile
    assert (windows.front(), windows.scene()) == (None, Scene())
    windows.rest()
    monkeypatch.setenv("DISPLAY", ":4711")
    assert (windows.front(), windows.scene()) == (None, Scene())
