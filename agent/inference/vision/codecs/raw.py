"""Camera raw files: each embeds its picture as a JPEG made by the camera, which is shown and scanned."""

from typing import Final

from agent.domain.errors import ImageCorrupt, ImageTruncated, ImageUnsupported
from agent.inference.vision.codecs import tiff
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.codecs.jpeg import Header, read_header
from agent.inference.vision.codecs.tiff import Exif, read_exif

_PLACES: Final = 512  # possible starts of a JPEG: about six by chance in 100 MB, and a handful of real ones
_HEAD: Final = 1_000_000  # bytes: the camera's metadata is near the beginning
_DIALECTS: Final = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0")  # Olympus, Panasonic: TIFF except for the signature


def find_preview(data: FileBytes) -> tuple[bytes, Header]:
    """Return the largest JPEG inside, and the camera's metadata. Raises ImageUnsupported without one, ImageTruncated if it is cut off."""
    best: tuple[int, Header] | None = None
    at = data.find(b"\xff\xd8\xff")
    for _ in range(_PLACES):
        if at < 0:
            break
        try:
            header = read_header(data, at, strict=True)
        except (ImageCorrupt, ImageTruncated):
            pass  # such bytes occur by chance
        else:
            if header.common and (best is None or header.width * header.height > best[1].width * best[1].height):
                best = at, header
        at = data.find(b"\xff\xd8\xff", at + 3)
    if best is None:
        raise ImageUnsupported
    at, header = best
    if not header.end:
        raise ImageTruncated
    return data[at : header.end], header


def read_notes(data: FileBytes, preview: Exif) -> Exif:
    """Return orientation and time: the preview's own metadata, completed from the file's."""
    own = _own_notes(data[:_HEAD])
    return Exif(
        preview.orientation if preview.orientation > 1 else own.orientation or preview.orientation, preview.taken_at or own.taken_at
    )


def _own_notes(head: bytes) -> Exif:
    if head.startswith(tiff.MAGICS):
        return read_exif(head)
    if head.startswith(_DIALECTS):
        return read_exif(head[:2] + (b"*\0" if head.startswith(b"I") else b"\0*") + head[4:])
    if head[4:12] == b"ftypcrx ":
        camera, moment = (_box(head, name) for name in (b"CMT1", b"CMT2"))
        return Exif(camera.orientation, moment.taken_at)
    return Exif()


def _box(head: bytes, name: bytes) -> Exif:
    at = head.find(name)
    return Exif() if at < 0 else read_exif(head, at + 4)
