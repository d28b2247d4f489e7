"""What is asked of Windows for a key combination, in the thread that gets its messages."""

import queue
import threading
from typing import Any

import pytest

from agent.desktop.system.hotkey import WindowsHotkey
from agent.domain.errors import HotkeyTaken


class Windows:
    """Both DLLs; messages that a test puts there arrive."""

    def __init__(self, takes: bool = True) -> None:
        self.takes = takes
        self.messages: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.registered: tuple[int, int] | None = None
        self.given_back = False

    def GetCurrentThreadId(self) -> int:
        return threading.get_ident()

    def RegisterHotKey(self, _window: None, _id: int, modifiers: int, key: int) -> bool:
        self.registered = (modifiers, key)
        return self.takes

    def GetMessageW(self, message: Any, *_: object) -> int:
        message._obj.message = self.messages.get()
        return int(message._obj.message != 0x0012)

    def PostThreadMessageW(self, _thread: int, message: int, *_: int) -> None:
        self.messages.put(message)

    def UnregisterHotKey(self, *_: object) -> None:
        self.given_back = True


@pytest.mark.parametrize(
    ("keys", "registered"),
    [("Ctrl+Shift+F9", (0x4006, 0x78)), ("Super+S", (0x4008, 0x53)), ("Print", (0x4000, 0x2C)), ("Alt+1", (0x4001, 0x31))],
)
def test_it_is_registered_and_given_back(keys: str, registered: tuple[int, int]) -> None:
    system, pressed = Windows(), threading.Event()
    taken = WindowsHotkey(keys, pressed.set, load=lambda _: system)
    assert system.registered == registered
    system.messages.put(0x0312)
    assert pressed.wait(10)
    taken.close()
    assert system.given_back


def test_one_that_somebody_has_is_refused() -> None:
    with pytest.raises(HotkeyTaken):
        WindowsHotkey("Print", lambda: None, load=lambda _: Windows(takes=False))
