"""Removes the creation time from an animated AVIF: its encoder stores it in each track, so two copies of one original would differ."""

from collections.abc import Iterator
from typing import Final

from agent.vision.codecs.boxes import boxes

_HEAD: Final = 8  # bytes of a box before its content
_HOLDERS: Final = frozenset({b"moov", b"trak", b"mdia"})
_TIMED: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})


def timeless(data: bytes) -> bytes:
    """Return the same file with all times at zero. `data` was written here."""
    changed = bytearray(data)
    for at in _timed(data, 0, len(data)):
        size = 16 if data[at] == 1 else 8  # by its version: two times, created and modified
        changed[at + 4 : at + 4 + size] = bytes(size)
    return bytes(changed)


def _timed(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where the content of each box with times begins."""
    at = start
    for kind, last in boxes(data[start:end]):
        if kind in _TIMED:
            yield at + _HEAD
        elif kind in _HOLDERS:
            yield from _timed(data, at + _HEAD, start + last)
        at = start + last
