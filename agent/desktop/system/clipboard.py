"""Puts pictures on the clipboard in each system's way: as encoded bytes, which are not decoded here."""

import asyncio
import base64
import ctypes
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.desktop.system.display import display_available
from agent.domain.errors import ClipboardFailed
from agent.inference.engine.screen_port import Clipboard
from agent.infrastructure.core.json_child import Child, ChildExited, ChildTimeout, own_command

_ANSWER_S = 20.0


class LinuxClipboard:
    """Uses a separate process, which ends when another program copies something: the agent itself loads no Qt for it."""

    formats: tuple[str, ...] = ("png",)

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command or own_command("clipboard-holder"))
        self._child: Child | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process that holds the clipboard; None if there is none."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        if not await asyncio.to_thread(display_available):
            raise ClipboardFailed
        async with self._turn:
            try:
                if self._child is None or not self._child.alive:
                    await self._end()
                    self._child = await Child.start(self._command)
                answer = await self._child.request({"png": base64.b64encode(pictures["png"]).decode()}, timeout=_ANSWER_S)
            except (ChildExited, ChildTimeout) as error:
                raise ClipboardFailed from error
            if answer.get("ok") is not True:
                raise ClipboardFailed

    async def close(self) -> None:
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.stop()


class SystemClipboard:
    """Windows and macOS keep clipboard content themselves. `write` blocks and returns whether it succeeded."""

    def __init__(self, formats: tuple[str, ...], write: Callable[[Mapping[str, bytes]], bool]) -> None:
        self.formats = formats
        self._write = write

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        if not await asyncio.to_thread(self._write, pictures):
            raise ClipboardFailed

    async def close(self) -> None: ...


def clipboard() -> Clipboard:
    """The clipboard of this system."""
    if sys.platform == "win32":
        return SystemClipboard(("png", "bmp"), write_windows)
    if sys.platform == "darwin":
        return SystemClipboard(("png",), write_macos)
    return LinuxClipboard()


_DIB, _MOVEABLE, _BMP_HEADER = 8, 0x0002, 14
_TRIES, _AGAIN_S = 20, 0.025


def write_windows(pictures: Mapping[str, bytes], *, load: Callable[[str], Any] | None = None) -> bool:
    """As "PNG" for most programs, and as a device-independent bitmap (a BMP without its first header) for all others."""
    load = load or getattr(ctypes, "WinDLL")  # noqa: B009 - there is none on other systems, where this is only read
    user, kernel = load("user32"), load("kernel32")
    kernel.GlobalAlloc.restype = kernel.GlobalLock.restype = ctypes.c_void_p
    # Only one program can open it at a time; clipboard managers open it after every change.
    for _ in range(_TRIES):
        if user.OpenClipboard(None):
            break
        time.sleep(_AGAIN_S)
    else:
        return False
    try:
        user.EmptyClipboard()
        png = user.RegisterClipboardFormatW("PNG")
        parts = ((png, pictures["png"]), (_DIB, pictures["bmp"][_BMP_HEADER:]))
        return all([_given(user, kernel, format, content) for format, content in parts])
    finally:
        user.CloseClipboard()


def _given(user: Any, kernel: Any, format: int, content: bytes) -> bool:
    """Pass the memory to the system, which then owns it unless it refuses."""
    memory = ctypes.c_void_p(kernel.GlobalAlloc(_MOVEABLE, ctypes.c_size_t(len(content))))
    place = kernel.GlobalLock(memory) if memory.value else None
    if not place:
        return False
    ctypes.memmove(place, content, len(content))
    kernel.GlobalUnlock(memory)
    if user.SetClipboardData(format, memory):
        return True
    kernel.GlobalFree(memory)
    return False


def write_macos(pictures: Mapping[str, bytes], *, appkit: Any = None) -> bool:
    if appkit is None:
        try:
            import AppKit as appkit  # type: ignore[import-not-found,unused-ignore,no-redef]  # macOS only
        except ImportError:
            return False
    board = appkit.NSPasteboard.generalPasteboard()
    board.clearContents()
    content = appkit.NSData.dataWithBytes_length_(pictures["png"], len(pictures["png"]))
    return bool(board.setData_forType_(content, "public.png"))
