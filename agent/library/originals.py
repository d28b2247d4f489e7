"""A photo's own file over the wire, as it lies on the disk."""

from pathlib import PurePath

from fastapi.responses import FileResponse

from agent.domain.path_text import printable
from agent.library.actions import Original

# Raw files are of a kind each maker has a name of its own for.
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
    """Read piece by piece while it is sent; saved under its own name, and never shown as a page of ours."""
    name = PurePath(printable(original.path)).name
    return FileResponse(original.path, media_type=MEDIA_TYPES.get(original.format, UNNAMED), filename=name)
