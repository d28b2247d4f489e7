"""Sends a photo's own file, unchanged."""

import os
from collections.abc import Iterator
from pathlib import PurePath
from typing import IO
from urllib.parse import quote

from fastapi.responses import FileResponse, Response, StreamingResponse

from agent.domain.path_text import printable
from agent.features.library.actions import Original

# Each maker has its own media type for raw files.
_CHUNK = 1 << 20
UNNAMED = "application/octet-stream"
MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "heic": "image/heic",
    "avif": "image/avif",
}


def original_response(original: Original) -> Response:
    """Return a response that streams the file, saves it under its own name, and never shows it as one of our pages."""
    name, media_type = PurePath(printable(original.path)).name, MEDIA_TYPES.get(original.format, UNNAMED)
    if (file := original.file) is None:
        return FileResponse(original.path, media_type=media_type, filename=name)
    headers = {
        "content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}",
        "content-length": str(os.fstat(file.fileno()).st_size),
    }
    return StreamingResponse(_read(file), media_type=media_type, headers=headers)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
