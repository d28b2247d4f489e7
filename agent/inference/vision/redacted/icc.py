"""Cleans colour profiles for a copy: only what the colours need, without names, dates and comments."""

import struct
from typing import Final

_COLOURS: Final = frozenset(
    {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"bkpt", b"chad", b"cicp", b"gamt", b"lumi"}
    | {b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"D2B0", b"D2B1", b"D2B2", b"B2D0", b"B2D1", b"B2D2"}
)
_HEAD: Final = 128
_MANY: Final = 100
_LARGEST: Final = 4_000_000
# Header fields: the writing program, the date, its system, the device, the author.
_TELLING: Final = ((4, 8), (24, 36), (40, 44), (48, 56), (80, 100))
_NO_DAY: Final = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
_S_RGB: Final = (b"sRGB", "sRGB".encode("utf-16-be"))


def cleaned(profile: bytes) -> bytes:
    """Return a profile with the same colours; empty if invalid."""
    if len(profile) < _HEAD + 4 or len(profile) > _LARGEST or profile[36:40] != b"acsp":
        return b""
    count = int.from_bytes(profile[_HEAD : _HEAD + 4], "big")
    if count > _MANY or _HEAD + 4 + 12 * count > len(profile):
        return b""
    tags: dict[bytes, bytes] = {}
    for number in range(count):
        name, at, size = struct.unpack_from(">4sLL", profile, _HEAD + 4 + 12 * number)
        if name in _COLOURS and at + size <= len(profile):
            tags[name] = profile[at : at + size]
    if sum(map(len, tags.values())) > _LARGEST:
        return b""
    name = b"sRGB" if any(mark in profile for mark in _S_RGB) else b"RGB"
    new = profile[8] >= 4
    tags[b"desc"] = _texts(name) if new else _description(name)
    tags[b"cprt"] = _texts(b"CC0") if new else b"text\0\0\0\0CC0\0"
    return _written(profile[:_HEAD], tags)


def _texts(text: bytes) -> bytes:
    return b"mluc" + struct.pack(">4xLL4sLL", 1, 12, b"enUS", 2 * len(text), 28) + text.decode().encode("utf-16-be")


def _description(text: bytes) -> bytes:
    return b"desc" + struct.pack(">4xL", len(text) + 1) + text + b"\0" + bytes(78)


def _written(head: bytes, tags: dict[bytes, bytes]) -> bytes:
    head_of_copy = bytearray(head)
    for first, last in _TELLING:
        head_of_copy[first:last] = _NO_DAY if (first, last) == (24, 36) else bytes(last - first)
    table, body, at = b"", b"", _HEAD + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}  # offsets of shared data
    for name, value in tags.items():
        if value not in places:
            places[value] = at + len(body)
            body += value + bytes(-len(value) % 4)
        table += struct.pack(">4sLL", name, places[value], len(value))
    head_of_copy[0:4] = struct.pack(">L", at + len(body))
    return bytes(head_of_copy) + struct.pack(">L", len(tags)) + table + body
