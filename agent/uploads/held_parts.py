"""Of several processes that share the folder of uploads, one writes to a part: the one that was asked last."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO, Final

from agent.core.hanging_calls import closed_if_late
from agent.domain.errors import UploadOffset
from agent.uploads.files import UploadFiles

LET_GO: Final = "upload"
"""said among processes: the next request for that upload is another one's"""
_FREE_S: Final = 5.0  # another process lets go of a part within that
_LOOK_S: Final = 0.05


async def held(files: UploadFiles, upload_id: str, tell: Callable[[str], None]) -> BinaryIO:
    """Open the part, once no other process writes to it. Raises UploadOffset if one goes on, UploadUnwritable, StoreError."""
    loop = asyncio.get_running_loop()
    until, told = loop.time() + _FREE_S, False
    while True:
        file = await closed_if_late(asyncio.to_thread(files.open, upload_id))
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
