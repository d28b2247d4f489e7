"""Takes out of an animated AVIF when it was written: its encoder notes that in each track, and two copies of one original would differ."""

from collections.abc import Iterator
from typing import Final

from agent.vision.codecs.boxes import boxes

_HEAD: Final = 8  # bytes of a box before its content
_HOLDERS: Final = frozenset({b"moov", b"trak", b"mdia"})
_TIMED: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})


def timeless(data: bytes) -> bytes:
    """The same, as if written at the beginning of time. `data` was written here."""
    changed = bytearray(data)
    for at in _timed(data, 0, len(data)):
        size = 16 if data[at] == 1 else 8  # by its version: two moments, created and changed
        changed[at + 4 : at + 4 + size] = bytes(size)
    return bytes(changed)


def _timed(data: bytes, start: int, end: int) -> Iterator[int]:
    """Where the content of each box begins that has moments."""
    at = start
    for kind, last in boxes(data[start:end]):
        if kind in _TIMED:
            yield at + _HEAD
        elif kind in _HOLDERS:
            yield from _timed(data, at + _HEAD, start + last)
        at = start + last
