"""Skips texts and profiles of a PNG that unpack to too much: for a single one Pillow would reject the whole picture."""

import zlib
from collections.abc import Iterator
from typing import Final

from agent.inference.vision.codecs.file_bytes import FileBytes

# Bytes that one of them, and all together, may unpack to: Pillow's own limits, minus its overhead.
_MOST, _MOST_TOGETHER = 1_000_000, 60_000_000
_SIGNATURE: Final = 8  # bytes
_FRAME: Final = 12  # bytes around a chunk's body
_ZLIB: Final = b"\0"  # the only compression method


def readable(data: FileBytes) -> FileBytes:
    """Return the file without them; usually the same bytes."""
    unread = list(_unread(data))
    if not unread:
        return data
    begins, ends = [0, *(end for _, end in unread)], [*(begin for begin, _ in unread), len(data)]
    return b"".join(data[begin:end] for begin, end in zip(begins, ends, strict=True))


def chunks(data: FileBytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk's body; complete ones only."""
    at = _SIGNATURE
    while at + _FRAME <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + _FRAME + size > len(data):
            return
        yield data[at + 4 : at + 8], at + 8, at + 8 + size
        at += _FRAME + size


def _unread(data: FileBytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of those chunks."""
    left = _MOST_TOGETHER
    for kind, begin, end in chunks(data):
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            continue
        size = _unpacked(kind, data[begin:end])
        left -= min(size, _MOST)
        if size > _MOST or left < 0:
            yield begin - 8, end + 4


def _unpacked(kind: bytes, body: bytes) -> int:
    """Return the unpacked size; at most one byte too many is unpacked."""
    _, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return len(body)
    if kind == b"iTXt":
        if rest[:1] == b"\0":
            return len(body)
        rest = rest[1:2] + rest[2:].split(b"\0", 2)[-1]
    if rest[:1] != _ZLIB:
        return 0
    try:
        return len(zlib.decompressobj().decompress(rest[1:], _MOST + 1))
    except zlib.error:
        return 0
