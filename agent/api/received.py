"""A photo that was sent: in a file that only its owner can read, for as long as it is looked at."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.domain.errors import ImageTooLarge


@asynccontextmanager
async def received(parts: AsyncIterator[bytes], most_megabytes: int) -> AsyncIterator[str]:
    """The file's path. Raises ImageTooLarge as soon as more comes than may."""
    handle, name = await asyncio.to_thread(tempfile.mkstemp, ".photo", "ai-popup-")  # 0600
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
