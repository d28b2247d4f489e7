"""Reads the chunks of a WebP with one opaque picture, for which Pillow would allocate two whole canvases with transparency."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agent.inference.vision.codecs.file_bytes import FileBytes

_MANY: Final = 64  # chunks
_SHORTEST: Final = 5  # bytes of a header
_ALPHA, _ANIMATED = 0x10, 0x02  # flags of the extended header
_LARGEST: Final = 4_000_000  # bytes of metadata


@dataclass(frozen=True, slots=True)
class PlainWebp:
    """Its metadata."""

    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""


def plain(data: FileBytes) -> PlainWebp | None:
    """Return the metadata; None if it has transparency or several frames, or is no whole WebP."""
    told: dict[bytes, bytes] = {}
    pictures = 0
    for kind, begin, end in _chunks(data):
        if kind in (b"VP8X", b"VP8L") and end - begin < _SHORTEST:
            return None
        if kind == b"VP8X" and data[begin] & (_ALPHA | _ANIMATED):
            return None
        if kind in (b"VP8 ", b"VP8L"):
            if kind == b"VP8L" and data[begin + 4] & 0x10:  # it says that its alpha is used
                return None
            pictures += 1
        elif kind in (b"ALPH", b"ANIM", b"ANMF"):
            return None
        elif kind in (b"EXIF", b"XMP ", b"ICCP") and end - begin <= _LARGEST:
            told.setdefault(kind, data[begin:end])
    if pictures != 1:
        return None
    return PlainWebp(told.get(b"EXIF", b"").removeprefix(b"Exif\0\0"), told.get(b"XMP ", b""), told.get(b"ICCP", b""))


def _chunks(data: FileBytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk's content; complete ones only."""
    at, end = 12, min(len(data), int.from_bytes(data[4:8], "little") + 8)
    for _ in range(_MANY):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 > end or at + 8 + size > end:
            return
        yield data[at : at + 4], at + 8, at + 8 + size
        at += 8 + size + size % 2
