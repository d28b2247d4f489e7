"""Opens a part of a photo for one process alone, writes what a request brings of it, and checks it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final

from agent.domain.errors import UploadChecksum, UploadOffset, UploadProtocol
from agent.infrastructure.core.abandonable_calls import close_if_cancelled
from agent.server.uploads.request_lock import run_shielded
from agent.server.uploads.upload_files import UploadFiles, upload_errors

_BLOCK: Final = 1 << 20  # bytes written at once
LET_GO: Final = "upload"
"""said among processes: the next request for that upload is another one's"""
_FREE_S: Final = 5.0  # another process lets go of a part within that
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Checksum:
    algorithm: str
    digest: bytes


async def write(file: BinaryIO, offset: int, size: int, parts: AsyncIterator[bytes], checksum: Checksum | None) -> None:
    """Write what comes, a block at a time. Raises UploadProtocol if it is more than was announced, UploadChecksum."""
    digest = None if checksum is None else hashlib.new(checksum.algorithm, usedforsecurity=False)
    block, end = bytearray(), offset

    def put(content: bytes) -> None:
        with upload_errors():
            file.seek(end)
            view = memoryview(content)
            while view:
                view = view[file.write(view) or 0 :]

    async def flush() -> None:
        nonlocal end
        content = bytes(block)
        block.clear()
        await run_shielded(partial(put, content))
        end += len(content)

    whole = False
    try:
        async for part in parts:
            if end + len(block) + len(part) > size:
                raise UploadProtocol(header="Content-Length")
            if digest is not None:
                digest.update(part)
            block += part
            if len(block) >= _BLOCK:
                await flush()
        await flush()
        whole = digest is None or checksum is None or digest.digest() == checksum.digest
        if not whole:
            raise UploadChecksum
    finally:
        if digest is not None and not whole:
            with upload_errors():
                file.truncate(offset)


async def held(files: UploadFiles, upload_id: str, tell: Callable[[str], None]) -> BinaryIO:
    """Open the part, once no other process writes to it. Raises UploadOffset if one goes on, UploadUnwritable, StoreError."""
    loop = asyncio.get_running_loop()
    until, told = loop.time() + _FREE_S, False
    while True:
        file = await close_if_cancelled(asyncio.to_thread(files.open, upload_id))
        try:
            if await asyncio.to_thread(files.hold, file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()
        if loop.time() > until:
            raise UploadOffset
        if not told:
            told = True
            await asyncio.to_thread(tell, upload_id)
        await asyncio.sleep(_LOOK_S)
