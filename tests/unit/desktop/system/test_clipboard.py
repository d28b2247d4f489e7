"""What is asked of each system's clipboard, and what is said where it refuses."""

import ctypes
import sys
from typing import Any

import pytest

from agent.desktop.system import clipboard
from agent.desktop.system.clipboard import LinuxClipboard, SystemClipboard, write_macos, write_windows
from agent.domain.errors import ClipboardFailed

PICTURES = {"png": b"a png", "bmp": b"14 bytes first" + b"a dib"}


class Call:
    def __init__(self, system: "Windows", name: str) -> None:
        self.system, self.name = system, name
        self.restype: object = None

    def __call__(self, *arguments: Any) -> int:
        return self.system.called(self.name, arguments)


class Windows:
    """Both DLLs, and the memory that is given to them; what is in `failing` answers no."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.names: list[str] = []
        self.memory: list[Any] = []
        self.given: dict[int, bytes] = {}

    def __getattr__(self, name: str) -> Call:
        return Call(self, name)

    def called(self, name: str, arguments: tuple[Any, ...]) -> int:
        self.names.append(name)
        if name in self.failing:
            return 0
        if name == "GlobalAlloc":
            self.memory.append(ctypes.create_string_buffer(arguments[1].value))
            return ctypes.addressof(self.memory[-1])
        if name == "GlobalLock":
            return int(arguments[0].value)
        if name == "SetClipboardData":
            self.given[arguments[0]] = self.memory[-1].raw
        return 0xC0DE if name == "RegisterClipboardFormatW" else 1


def test_windows_is_given_a_png_and_a_bitmap() -> None:
    system = Windows()
    assert write_windows(PICTURES, load=lambda _: system)
    assert system.given == {0xC0DE: b"a png", 8: b"a dib"}
    assert system.names[:2] == ["OpenClipboard", "EmptyClipboard"] and system.names[-1] == "CloseClipboard"


def test_windows_is_asked_again_while_another_program_has_the_clipboard() -> None:
    class Busy(Windows):
        def called(self, name: str, arguments: tuple[Any, ...]) -> int:
            answer = super().called(name, arguments)
            return 0 if name == "OpenClipboard" and self.names.count(name) < 3 else answer

    system = Busy()
    assert write_windows(PICTURES, load=lambda _: system)
    assert system.given == {0xC0DE: b"a png", 8: b"a dib"}
    assert system.names.count("CloseClipboard") == 1


@pytest.mark.parametrize("failing", ["OpenClipboard", "GlobalAlloc", "GlobalLock", "SetClipboardData"])
def test_windows_refuses(failing: str) -> None:
    system = Windows(failing)
    assert not write_windows(PICTURES, load=lambda _: system)
    assert ("GlobalFree" in system.names) is (failing == "SetClipboardData")
    assert ("CloseClipboard" in system.names) is (failing != "OpenClipboard")


class MacOs:
    """AppKit's part of it."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.given: dict[str, bytes] = {}
        self.NSPasteboard = self.NSData = self

    def generalPasteboard(self) -> "MacOs":
        return self

    def clearContents(self) -> None:
        self.given.clear()

    def dataWithBytes_length_(self, content: bytes, length: int) -> bytes:
        return content[:length]

    def setData_forType_(self, content: bytes, kind: str) -> bool:
        self.given[kind] = content
        return self.answer


def test_macos_is_given_a_png() -> None:
    system = MacOs(True)
    assert write_macos(PICTURES, appkit=system) and system.given == {"public.png": b"a png"}
    assert not write_macos(PICTURES, appkit=MacOs(False))


async def test_a_refusal_is_an_error() -> None:
    await SystemClipboard(("png",), lambda _: True).put(PICTURES)
    with pytest.raises(ClipboardFailed):
        await SystemClipboard(("png",), lambda _: False).put(PICTURES)


@pytest.mark.parametrize(("platform", "formats"), [("win32", ("png", "bmp")), ("darwin", ("png",)), ("linux", ("png",))])
def test_every_system_has_one(monkeypatch: pytest.MonkeyPatch, platform: str, formats: tuple[str, ...]) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert clipboard.clipboard().formats == formats


async def test_without_a_display_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "display_available", lambda: False)
    board = LinuxClipboard()
    with pytest.raises(ClipboardFailed):
        await board.put(PICTURES)
    assert board.pid is None


HOLDERS = {"refuses": "import sys; sys.stdin.readline(); print('{\"ok\": false}', flush=True); sys.stdin.read()", "ends": ""}


@pytest.mark.parametrize("holder", HOLDERS)
async def test_a_holder_that_can_not_hold_it_is_an_error(monkeypatch: pytest.MonkeyPatch, holder: str) -> None:
    monkeypatch.setattr(clipboard, "display_available", lambda: True)
    board = LinuxClipboard([sys.executable, "-S", "-c", HOLDERS[holder]])
    with pytest.raises(ClipboardFailed):
        await board.put(PICTURES)
    await board.close()
