"""Sends a photo's own file, unchanged."""

from pathlib import PurePath

from fastapi.responses import FileResponse

from agent.domain.path_text import printable
from agent.library.actions import Original

# Each maker has its own media type for raw files.
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


def original_response(original: Original) -> FileResponse:
    """Return a response that streams the file, saves it under its own name, and never shows it as one of our pages."""
    name = PurePath(printable(original.path)).name
    return FileResponse(original.path, media_type=MEDIA_TYPES.get(original.format, UNNAMED), filename=name)
