"""Writes what a request brings of a photo, and checks it."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final

from agent.domain.errors import UploadChecksum, UploadProtocol
from agent.uploads.files import upload_errors
from agent.uploads.turns import undisturbed

_BLOCK: Final = 1 << 20  # bytes written at once


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
        await undisturbed(partial(put, content))
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
