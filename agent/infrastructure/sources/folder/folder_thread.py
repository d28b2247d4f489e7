"""Queries the disk of one watched folder in a separate thread, so that a hanging drive blocks no other folder."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from agent.domain.errors import SourceNoAccess, SourceUnreachable
from agent.infrastructure.core.user_paths import typed_path

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WatchedFolderState:
    """The folder that a path leads to: its real path and, where the system numbers folders, its numbers."""

    real: str
    device: int
    inode: int


_ACCESS_DENIED = 5
_ANSWER_S = 30.0  # a drive that is slower with a small query counts as unavailable


class FolderThread:
    """One thread; queries are answered one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="folder")

    async def ask(self, question: Callable[[], T], *, limit_s: float | None = _ANSWER_S) -> T:
        """The answer. Raises SourceNoAccess, or SourceUnreachable for any other OSError and if the system does not answer in time."""
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.get_running_loop().run_in_executor(self._thread, question)
        except OSError as error:  # TimeoutError is one
            raise (SourceNoAccess if _is_denied(error) else SourceUnreachable) from error

    async def find(self, folder: str) -> WatchedFolderState:
        """An existing, readable folder. Raises SourceNoAccess, SourceUnreachable."""
        return await self.ask(lambda: _find(folder))

    def close(self) -> None:
        """Drop pending queries; does not wait."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _is_denied(error: OSError) -> bool:
    """Whether rights are missing. For Python it is the same on Windows if a card or a disk is."""
    return isinstance(error, PermissionError) and getattr(error, "winerror", None) in (None, _ACCESS_DENIED)


def _find(folder: str) -> WatchedFolderState:
    with os.scandir(folder):
        # A Mac reports events by the names on the disk, whatever case or form of letters the settings have.
        real = typed_path(os.path.realpath(folder, strict=True))
        facts = os.stat(real)  # noqa: PTH116 - paths are strings throughout
        return WatchedFolderState(real, facts.st_dev, facts.st_ino)
