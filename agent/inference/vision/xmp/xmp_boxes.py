"""XMP and Exif as items of a HEIC or AVIF file (ISO 14496-12 boxes, ISO 23008-12 items)."""

import struct
from collections.abc import Iterator
from typing import Final

from agent.domain.regions import MAX_XMP_BYTES
from agent.inference.vision.xmp.tiff_tags import ByteSource

_META: Final = 4 << 20  # the largest item directory that is read
_ITEMS: Final = 10_000
_PIECES: Final = 20_000  # of all items: they may be empty, and could take hours to count
_STEPS: Final = 1_000


def heif_parts(file: ByteSource) -> Iterator[tuple[str, bytes]]:
    """Yield ("xmp" or "exif", data) for each such item. Raises struct.error, ValueError, IndexError for a truncated file."""
    meta = _meta(file)
    boxes = dict(_boxes(meta, 4))
    kinds = _kinds(boxes.get(b"iinf", b""))
    for item, extents in _places(boxes.get(b"iloc", b"")):
        kind = kinds.get(item)
        if kind is None or sum(size for _, _, size in extents) > MAX_XMP_BYTES:
            continue
        pieces: list[bytes] = []
        for inside, at, size in extents:
            if inside:
                pieces.append(boxes.get(b"idat", b"")[at : at + size])
            else:
                file.seek(at)
                pieces.append(file.read(size))
        data = b"".join(pieces)
        if kind == "exif" and len(data) > 4:
            (skipped,) = struct.unpack_from(">I", data)
            data = data[4 + skipped :]
        yield kind, data


def _meta(file: ByteSource) -> bytes:
    file.seek(0)
    for _ in range(_STEPS):
        head = file.read(8)
        if len(head) < 8:
            break
        size, kind = struct.unpack(">I4s", head)
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        if kind == b"meta" and header <= size <= _META:
            return file.read(size - header)
        if size < header:
            break
        file.seek(size - header, 1)
    return b""


def _boxes(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield kind, data[at + 8 : at + size]
        at += size


def _kinds(iinf: bytes) -> dict[int, str]:
    """Return item id -> "xmp" or "exif"."""
    kinds: dict[int, str] = {}
    for kind, entry in _boxes(iinf, 6 if iinf[:1] == b"\0" else 8):
        if kind != b"infe" or entry[0] < 2:
            continue
        wide = entry[0] >= 3
        item = struct.unpack_from(">I" if wide else ">H", entry, 4)[0]
        rest = entry[10 if wide else 8 :]
        if rest[:4] == b"Exif":
            kinds[item] = "exif"
        elif rest[:4] == b"mime" and b"application/rdf+xml" in rest[4:].split(b"\0")[:2]:
            kinds[item] = "xmp"
    return kinds


def _places(iloc: bytes) -> Iterator[tuple[int, list[tuple[bool, int, int]]]]:
    """Yield each item's extents: whether they are in the directory's own data, offset, length."""
    if not iloc:
        return
    version, sizes, more = iloc[0], iloc[4], iloc[5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    at, left = 6, _PIECES

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > len(iloc):
            raise ValueError
        return int.from_bytes(iloc[at - size : at], "big")

    for _ in range(min(number(4 if version >= 2 else 2), _ITEMS)):
        item = number(4 if version >= 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)  # the file reference: this one
        base = number(base_size)
        extents: list[tuple[bool, int, int]] = []
        count = number(2)
        left -= count
        if left < 0:
            raise ValueError("too many pieces")
        for _ in range(count):
            number(index_size)
            offset = number(offset_size)
            extents.append((method == 1, base + offset, number(length_size)))
        yield item, extents
