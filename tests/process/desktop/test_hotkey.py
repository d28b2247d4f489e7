"""A key combination on a real X server: it works from any window, and a second program that wants it gets an error."""

import os
import subprocess
import threading
import time

import pytest

from agent.desktop.system.hotkey import X11Hotkey, hotkey
from agent.domain.errors import HotkeyTaken, HotkeyUnavailable


class Presses:
    """How often it was pressed."""

    def __init__(self) -> None:
        self.made = threading.Semaphore(0)

    def __call__(self) -> None:
        self.made.release()

    def came(self) -> bool:
        return self.made.acquire(timeout=60)


def press(display: str, keys: str) -> None:
    subprocess.run(["xdotool", "key", keys], env={**os.environ, "DISPLAY": display}, check=True, timeout=100)


@pytest.fixture
def display(x_display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", x_display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return x_display


@pytest.mark.parametrize(("keys", "pressed"), [("Ctrl+Shift+F9", "ctrl+shift+F9"), ("Super+S", "super+s"), ("Print", "Print")])
def test_it_arrives_whatever_window_is_in_use(display: str, keys: str, pressed: str) -> None:
    presses = Presses()
    taken = hotkey(keys, presses)
    try:
        press(display, "a")
        press(display, pressed)
        assert presses.came()
        press(display, pressed)
        assert presses.came() and not presses.made.acquire(blocking=False)
    finally:
        taken.close()


def test_a_key_that_is_held_was_pressed_once(display: str) -> None:
    presses = Presses()
    taken = hotkey("Ctrl+Shift+F9", presses)
    windows = {**os.environ, "DISPLAY": display}
    try:
        subprocess.run(["xdotool", "keydown", "ctrl", "keydown", "shift", "keydown", "F9"], env=windows, check=True, timeout=100)
        assert presses.came()
        time.sleep(1)  # the server repeats it after 0.66 seconds, 25 times a second
        subprocess.run(["xdotool", "keyup", "F9", "keyup", "shift", "keyup", "ctrl"], env=windows, check=True, timeout=100)
        assert not presses.made.acquire(blocking=False)
        press(display, "ctrl+shift+F9")
        assert presses.came()
    finally:
        taken.close()


def test_one_that_somebody_has_is_refused_until_it_is_given_back(display: str) -> None:
    first = X11Hotkey("Ctrl+Shift+F9", lambda: None)
    with pytest.raises(HotkeyTaken) as taken:
        X11Hotkey("Ctrl+Shift+F9", lambda: None)
    assert taken.value.params == {"keys": "Ctrl+Shift+F9"}
    first.close()
    X11Hotkey("Ctrl+Shift+F9", lambda: None).close()


def test_on_wayland_and_without_a_display_the_program_says_so(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(HotkeyUnavailable):
        hotkey("Print", lambda: None)
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(HotkeyUnavailable):
        X11Hotkey("Print", lambda: None)
