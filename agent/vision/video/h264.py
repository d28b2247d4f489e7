"""What is to be known of H.264 itself, where a file does not tell it."""

from collections.abc import Iterator
from typing import Final

_START: Final = b"\x00\x00\x01"
_IDR: Final = 5  # the type of unit that no later frame looks behind (ITU-T H.264, table 7-1)


def begins_anew(packet: bytes, extradata: bytes | None) -> bool:
    """Whether no frame after this one, in the order of storing, needs or is shown before it.

    `extradata`, which the file holds for the whole stream, tells whether units have their length before them, as in MP4, or a start code.
    """
    prefixed = extradata is not None and len(extradata) > 4 and extradata[0] == 1
    return _IDR in (_by_length(packet, 1 + (extradata[4] & 3)) if prefixed and extradata else _by_start(packet))


def _by_length(packet: bytes, size: int) -> Iterator[int]:
    at = 0
    while at + size < len(packet):
        yield packet[at + size] & 31
        at += size + int.from_bytes(packet[at : at + size])


def _by_start(packet: bytes) -> Iterator[int]:
    return (unit[0] & 31 for unit in packet.split(_START)[1:] if unit)
