"""Cameras' raw files: every one carries its picture as a JPEG, made by the camera itself; that is what is shown and looked at."""

from typing import Final

from agent.domain.errors import ImageCorrupt, ImageTruncated, ImageUnsupported
from agent.vision.codecs import tiff
from agent.vision.codecs.jpeg import Header, read_header
from agent.vision.codecs.tiff import Exif, read_exif

_PLACES: Final = 512  # where a JPEG might begin: about six by chance in 100 MB, and a handful that do
_HEAD: Final = 1_000_000  # bytes: what the camera noted stands near the beginning
_DIALECTS: Final = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0")  # Olympus, Panasonic: TIFF but for its name


def find_preview(data: bytes) -> tuple[bytes, Header]:
    """The largest JPEG inside, and what the camera noted. Raises ImageUnsupported if there is none, ImageTruncated if it lacks its end."""
    best: tuple[int, Header] | None = None
    at = data.find(b"\xff\xd8\xff")
    for _ in range(_PLACES):
        if at < 0:
            break
        try:
            header = read_header(data, at, strict=True)
        except (ImageCorrupt, ImageTruncated):
            pass  # bytes like these come by chance
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


def read_notes(data: bytes, preview: Exif) -> Exif:
    """How the camera was held, and when: the preview's own notes count, and what they lack stands in the file's."""
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
