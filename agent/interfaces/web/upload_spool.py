"""Holds an uploaded photo while it is analysed: on Linux in a file without a name, elsewhere in one that only its owner can read.

A killed program leaves none on Linux and Windows; on macOS the next one deletes it.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from agent.domain.errors import ImageError, ImageTooLarge, StoreDiskFull
from agent.infrastructure.core.anonymous_files import MOST_IN_MEMORY, anonymous_file
from agent.infrastructure.core.files import disk_full

# No analysis takes this long.
LEFT_S = 3_600.0
_START, _END = "ai-popup-", ".photo"


def sweep(now: float) -> None:
    """Delete files left by a killed program; `now` in file time. Blocks."""
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{_START}*{_END}"):
            with suppress(OSError):  # another user's, or not a file
                if path.lstat().st_mtime < now - LEFT_S:
                    path.unlink()


@asynccontextmanager
async def received(parts: AsyncIterator[bytes], most_megabytes: int) -> AsyncIterator[str]:
    """The file's path, for this process alone. Raises StoreDiskFull, and ImageTooLarge as soon as the limit is exceeded.

    An ImageError, also of the caller, gets the parameter `upload`.
    """
    try:
        async with (_nameless if sys.platform == "linux" else _named)(parts, most_megabytes) as path:
            yield path
    except ImageError as error:
        # First, since it has words of its own: another file is chosen, and nothing is scanned again.
        error.params = {"upload": "upload", **error.params}
        raise
    except OSError as error:
        if disk_full(error):
            raise StoreDiskFull from error
        raise


@asynccontextmanager
async def _nameless(parts: AsyncIterator[bytes], most_megabytes: int) -> AsyncIterator[str]:
    """As `received`, in a file without a name, which this process opens again."""
    file = anonymous_file(0)
    try:
        size = 0
        async for part in _limited(parts, most_megabytes):
            size += len(part)
            if size > MOST_IN_MEMORY >= size - len(part):
                file = await asyncio.to_thread(_moved_out, file, size)
            await asyncio.to_thread(file.write, part)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
    finally:
        file.close()


def _moved_out(small: IO[bytes], size: int) -> IO[bytes]:
    """Return a file for more bytes, with those of the small one, which is closed."""
    large = anonymous_file(size)
    with small:
        small.seek(0)
        shutil.copyfileobj(small, large)
    return large


@asynccontextmanager
async def _named(parts: AsyncIterator[bytes], most_megabytes: int) -> AsyncIterator[str]:
    """As `received`, where no file without a name can be opened again: Windows deletes this one with its last handle.

    It stays open, so on Windows only who lets it be deleted meanwhile can read it, as `open_shared` does.
    """
    with await asyncio.to_thread(lambda: tempfile.NamedTemporaryFile("wb", suffix=_END, prefix=_START)) as file:  # 0600
        async for part in _limited(parts, most_megabytes):
            await asyncio.to_thread(file.write, part)
        file.flush()
        yield file.name


async def _limited(parts: AsyncIterator[bytes], most_megabytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for part in parts:
        size += len(part)
        if size > most_megabytes * 1_000_000:
            raise ImageTooLarge(megabytes=size // 1_000_000, limit=most_megabytes)
        yield part
