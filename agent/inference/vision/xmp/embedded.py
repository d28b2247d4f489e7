"""XMP and orientation inside a photo: found by walking the file's own structure, without decoding pictures or reading much of the file.

Everything is limited, and an invalid structure ends the search: such a file has no XMP that could be relied on.
"""

import errno
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

from agent.domain.errors import XmpUnreadable
from agent.domain.regions import MAX_XMP_BYTES
from agent.inference.vision.xmp.tiff_tags import TIFF_MAGICS, ByteSource, tiff_parts
from agent.inference.vision.xmp.xmp_boxes import heif_parts

_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PNG_KEY: Final = b"XML:com.adobe.xmp\0"
_STEPS: Final = 10_000  # segments or chunks that are inspected
_TAKEN: Final = 4 * MAX_XMP_BYTES  # bytes read: a small file can lead to the same ones again and again


@dataclass(frozen=True, slots=True)
class Embedded:
    """`xmp` is the packet and, if a JPEG has one, `extended` its overflow; the orientation is Exif's, 1 to 8."""

    xmp: bytes | None = None
    extended: bytes | None = None
    orientation: int = 1


def read_embedded(file: BinaryIO) -> Embedded:
    """Return a photo's embedded data; nothing if its format has none. Raises XmpUnreadable."""
    try:
        return _read(file)
    except OSError:
        raise XmpUnreadable from None


class _Bounded:
    """A file with a read limit. Raises ValueError beyond it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _TAKEN
        self.seek = file.seek

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError
        return data


def _read(whole: BinaryIO) -> Embedded:
    file = _Bounded(whole)
    head = file.read(16)
    file.seek(0)
    try:
        if head.startswith(b"\xff\xd8"):
            return _jpeg(file)
        if head.startswith(b"\x89PNG"):
            return _found(_png(file))
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _found(_webp(file))
        if head.startswith(TIFF_MAGICS):
            xmp, orientation = tiff_parts(file)
            return Embedded(xmp, None, orientation)
        if head[4:8] == b"ftyp":
            return _found(heif_parts(file))
    except (struct.error, zlib.error, ValueError, IndexError, OverflowError):
        pass  # cut off or malicious
    except OSError as error:
        if error.errno != errno.EINVAL:  # an offset beyond any file
            raise
    return Embedded()


def _found(parts: Iterator[tuple[str, bytes]]) -> Embedded:
    xmp: bytes | None = None
    orientation = 1
    for kind, data in parts:
        if kind == "xmp":
            xmp = xmp or data
        else:
            orientation = _of_exif(data)
    return Embedded(xmp, None, orientation)


def _of_exif(data: bytes) -> int:
    try:
        return tiff_parts(BytesIO(data.removeprefix(_EXIF)))[1]
    except (struct.error, ValueError, OverflowError):
        return 1


def _jpeg(file: ByteSource) -> Embedded:
    xmp: bytes | None = None
    orientation = 1
    extended: dict[bytes, tuple[int, dict[int, bytes]]] = {}
    for data in _segments(file):
        if data.startswith(_EXIF):
            orientation = _of_exif(data)
        elif data.startswith(_XMP):
            xmp = xmp or data[len(_XMP) :]
        elif data.startswith(_EXTENSION) and len(data) > len(_EXTENSION) + 40:
            guid = data[len(_EXTENSION) : len(_EXTENSION) + 32]
            total, offset = struct.unpack_from(">II", data, len(_EXTENSION) + 32)
            if total <= MAX_XMP_BYTES and (guid in extended or len(extended) < 4):
                extended.setdefault(guid, (total, {}))[1][offset] = data[len(_EXTENSION) + 40 :]
    return Embedded(xmp, _whole(xmp, extended), orientation)


def _whole(xmp: bytes | None, extended: dict[bytes, tuple[int, dict[int, bytes]]]) -> bytes | None:
    """Return the extension that the packet names, if all of its portions are there."""
    for guid, (total, portions) in extended.items():
        if xmp and guid in xmp:
            data = b""
            for offset, portion in sorted(portions.items()):
                if offset != len(data):
                    return None
                data += portion
            return data if len(data) == total else None
    return None


def _segments(file: ByteSource) -> Iterator[bytes]:
    """Yield the APP1 segments before the picture."""
    file.seek(2)
    for _ in range(_STEPS):
        marker = file.read(2)
        while marker == b"\xff\xff":  # fill bytes
            marker = b"\xff" + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] in (0xD9, 0xDA):
            return
        (size,) = struct.unpack(">H", file.read(2))
        if marker[1] == 0xE1:
            yield file.read(size - 2) if size > 2 else b""
        else:
            file.seek(max(size - 2, 0), 1)


def _png(file: ByteSource) -> Iterator[tuple[str, bytes]]:
    file.seek(8)
    found = False
    for _ in range(_STEPS):
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind in (b"iTXt", b"eXIf") and size <= MAX_XMP_BYTES:
            data = file.read(size)
            if kind == b"eXIf":
                yield "exif", data
            elif data.startswith(_PNG_KEY) and not found:
                found = True
                compressed = data[len(_PNG_KEY)]
                text = data[len(_PNG_KEY) + 2 :].split(b"\0", 2)[2]  # after the language and the translated keyword
                yield "xmp", zlib.decompressobj().decompress(text, MAX_XMP_BYTES) if compressed else text
            file.seek(4, 1)
        else:
            file.seek(size + 4, 1)


def _webp(file: ByteSource) -> Iterator[tuple[str, bytes]]:
    file.seek(12)
    for _ in range(_STEPS):
        head = file.read(8)
        if len(head) < 8:
            return
        kind, size = struct.unpack("<4sI", head)
        if kind in (b"XMP ", b"EXIF") and size <= MAX_XMP_BYTES:
            yield kind.strip().lower().decode(), file.read(size)
            file.seek(size % 2, 1)
        else:
            file.seek(size + size % 2, 1)
