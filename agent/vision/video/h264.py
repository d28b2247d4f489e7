"""The properties of H.264 itself that a file does not report."""

from collections.abc import Iterator
from typing import Final

_START: Final = b"\x00\x00\x01"
_IDR: Final = 5  # the type of unit across which no later frame refers back (ITU-T H.264, table 7-1)


def begins_anew(packet: bytes, extradata: bytes | None) -> bool:
    """Return whether no frame stored after this one needs, or is shown before, it.

    `extradata`, stored once for the whole stream, tells whether units are prefixed by their length, as in MP4, or a start code.
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
