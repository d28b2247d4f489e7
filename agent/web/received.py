"""Holds an uploaded photo in a file that only its owner can read, while it is analysed."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from agent.domain.errors import ImageTooLarge

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
    """The file's path. Raises ImageTooLarge as soon as the limit is exceeded."""
    handle, name = await asyncio.to_thread(tempfile.mkstemp, _END, _START)  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            size = 0
            async for part in parts:
                size += len(part)
                if size > most_megabytes * 1_000_000:
                    raise ImageTooLarge(megabytes=size // 1_000_000, limit=most_megabytes)
                await asyncio.to_thread(file.write, part)
        yield name
    finally:
        await asyncio.to_thread(Path(name).unlink, missing_ok=True)
