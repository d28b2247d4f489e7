"""XMP and orientation in a TIFF's first directory; most camera raw files are TIFFs, and so is an Exif block."""

import struct
from typing import Final, Protocol

from agent.domain.regions import MAX_XMP_BYTES

TIFF_MAGICS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"IIU\0")  # also BigTIFF, Olympus, Panasonic
_ORIENTATION: Final = 0x112
_XMP: Final = 700
_ENTRIES: Final = 1_000


class ByteSource(Protocol):
    """A file or a similar object."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...


def tiff_parts(file: ByteSource) -> tuple[bytes | None, int]:
    """Return the packet and the orientation (1 to 8). Raises struct.error, ValueError for a truncated file."""
    head = file.read(16)
    if not head.startswith(TIFF_MAGICS):
        return None, 1
    order = "<" if head.startswith(b"II") else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    (at,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    file.seek(at)
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
    size, form = (20, order + "HHQ8s") if big else (12, order + "HHI4s")
    entries = file.read(size * min(count, _ENTRIES))
    xmp: bytes | None = None
    orientation = 1
    for place in range(0, len(entries) - size + 1, size):
        tag, kind, number, value = struct.unpack_from(form, entries, place)
        if tag == _ORIENTATION and kind in (3, 4):
            (orientation,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), value)
        elif tag == _XMP and kind in (1, 7) and len(value) < number <= MAX_XMP_BYTES:
            file.seek(struct.unpack(order + ("Q" if big else "I"), value)[0])
            xmp = file.read(number)
    return xmp, orientation if 1 <= orientation <= 8 else 1
