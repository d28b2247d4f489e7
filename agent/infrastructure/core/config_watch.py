"""Reports changes of the settings file while the program runs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from agent.domain.errors import SettingsError
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.settings import Settings, changed_sections

OnChange: TypeAlias = Callable[[Settings, frozenset[str]], Awaitable[None]]
OnError: TypeAlias = Callable[[SettingsError], Awaitable[None]]
_Signature: TypeAlias = tuple[int, int, int] | None

# One stat of one file: cheaper at idle than a watcher with its threads.
_POLL_S = 2.0
# An editor truncates and writes, or writes a new file and renames it: the file is read once it was the same twice, this far apart.
_STEADY_S = 0.2


class SettingsWatch:
    """Watches the file at `path`, which `load` reads; `load` may raise SettingsError."""

    def __init__(self, path: Path, load: Callable[[], Settings]) -> None:
        self._path = path
        self._load = load
        self._nudge: Callable[[], object] | None = None
        self._told: _Signature | str = "unread"  # the file as `run` has reported it

    def nudge(self) -> None:
        """Look at the file now instead of at the next poll. May be called from any thread."""
        if self._nudge is not None:
            self._nudge()

    async def run(self, told: Settings, on_change: OnChange, on_error: OnError) -> None:
        """Until cancelled, report each new valid snapshot that differs from `told`, and why a file was refused."""
        refused = False
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._nudge = lambda: loop.call_soon_threadsafe(changed.set)
        seen: _Signature | str = "unread"
        try:
            while True:
                self._told = seen
                seen = await self._settled(seen, changed)
                try:
                    settings = await asyncio.to_thread(self._load)
                except SettingsError as error:
                    refused = True
                    await on_error(error)
                    continue
                sections = changed_sections(told, settings)
                if sections or refused:
                    told, refused = settings, False
                    await on_change(settings, sections)
        finally:
            self._nudge = None

    async def caught_up(self, limit_s: float) -> None:
        """Wait until `run` has reported what the file holds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._nudge is not None and self._told != _signature(self._path):
                    self._nudge()
                    await asyncio.sleep(_STEADY_S)

    async def _settled(self, seen: _Signature | str, changed: asyncio.Event) -> _Signature:
        """Wait until the file differs from `seen` and has stopped changing."""
        now = _signature(self._path)
        while now == seen:
            await wait_at_most(changed, _POLL_S)
            changed.clear()
            now = _signature(self._path)
        while True:
            await asyncio.sleep(_STEADY_S)
            later = _signature(self._path)
            if later == now:
                return now
            now = later


def _signature(path: Path) -> _Signature:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
