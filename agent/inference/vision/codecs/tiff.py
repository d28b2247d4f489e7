"""Reads the directories of TIFF, EXIF and similar raw files with limits, because they are untrusted."""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.domain.errors import ImageCorrupt
from agent.inference.vision.codecs.file_bytes import FileBytes

MAGICS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
UNREAD: Final = b"MM\0+"  # BigTIFF in big-endian order: Pillow takes it for a classic TIFF

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS: Final = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
_COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SUB_IFDS, _EXIF_IFD, _TAKEN_AT, _DNG = 0x103, 0x106, 0x112, 0x14A, 0x8769, 0x9003, 0xC612
_SENSOR: Final = {32803, 34892}  # photometric: colour filter array, linear raw
_CAMERAS: Final = {32767, 32769, 32770, 34713, 65000, 65535}  # compression: Sony, Samsung, Nikon, Kodak, Pentax
_MANY_DIRECTORIES, _MANY_ENTRIES, _SPARE = 32, 4096, 1_000_000


_IN_XMP: Final = re.compile(rb"""tiff:Orientation(?:\s*=\s*["']|\s*>\s*)([1-8])\b""")
_LARGEST_XMP: Final = 1_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Exif:
    """The required part of the camera's metadata."""

    orientation: int = 0  # 1 to 8; 0 if missing
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    at: int  # of its value

    @property
    def size(self) -> int:
        return _SIZES.get(self.kind, 1) * self.count


class _Reader:
    """The directories of one file; everything raises struct.error at the end of the file."""

    def __init__(self, data: FileBytes, start: int = 0) -> None:
        self._data, self._start = data, start
        self.asked = 0  # declared bytes of all values in the directories read so far
        self._order = "<" if data[start : start + 1] == b"I" else ">"
        self._big = self._number("H", 2) == 43
        self.first = self._number("Q", 8) if self._big else self._number("L", 4)

    def directory(self, at: int) -> tuple[dict[int, _Entry], int]:
        """Return the entries by tag, and the next directory's position; 0 if there is none."""
        count, head, size, inline = (self._number("Q", at), 8, 20, 8) if self._big else (self._number("H", at), 2, 12, 4)
        found: dict[int, _Entry] = {}
        self.asked += 0 if count <= _MANY_ENTRIES else len(self._data) + _SPARE
        for number in range(min(count, _MANY_ENTRIES)):
            place = at + head + number * size
            tag, kind = self._number("H", place), self._number("H", place + 2)
            length = self._number("Q" if self._big else "L", place + 4)
            value = place + size - inline
            if _SIZES.get(kind, 1) * length > inline:
                value = self._number("Q" if self._big else "L", value)
            entry = _Entry(kind, length, value)
            found.setdefault(tag, entry)
            self.asked += entry.size
        try:
            return found, self._number("Q" if self._big else "L", at + head + count * size)
        except struct.error:
            return found, 0

    def walk(self, inside: Sequence[int] = (_SUB_IFDS,)) -> Iterator[dict[int, _Entry]]:
        """Yield each directory once, including those inside others that these tags lead to."""
        waiting, met = [self.first], set[int]()
        while waiting and len(met) < _MANY_DIRECTORIES:
            at = waiting.pop(0)
            if at in met or at == 0:
                continue
            met.add(at)
            try:
                entries, following = self.directory(at)
            except struct.error:
                continue
            yield entries
            waiting.append(following)
            for tag in inside:
                waiting += self.numbers(entries.get(tag), _MANY_DIRECTORIES)

    def numbers(self, entry: _Entry | None, limit: int = 1) -> list[int]:
        """Return the first values of an entry; none if it is missing or has no whole numbers."""
        if entry is None or entry.kind not in _NUMBERS:
            return []
        count = min(entry.count, limit)
        try:
            return list(self._unpacked(f"{count}{_NUMBERS[entry.kind]}", entry.at))
        except struct.error:
            return []

    def text(self, entry: _Entry | None, limit: int) -> str:
        """Return the first characters of an entry; empty if it is missing."""
        if entry is None:
            return ""
        begin = self._start + entry.at
        return self._data[begin : begin + min(entry.size, limit)].decode("ascii", "replace")

    def _number(self, kind: str, at: int) -> int:
        return self._unpacked(kind, at)[0]

    def _unpacked(self, kinds: str, at: int) -> tuple[int, ...]:
        """Unpack numbers. Raises struct.error. Eight-byte offsets may exceed Python's range."""
        if at > len(self._data):
            raise struct.error
        return struct.unpack_from(self._order + kinds, self._data, self._start + at)


def read_exif(data: FileBytes, start: int = 0) -> Exif:
    """Return the content of the EXIF that begins at `start`. Unreadable parts are ignored: the picture may be intact."""
    try:
        reader = _Reader(data, start)
        entries, _ = reader.directory(reader.first)
        orientation = next(iter(reader.numbers(entries.get(_ORIENTATION))), 0)
        taken_at = _moment(reader.text(entries.get(_TAKEN_AT), 19))  # Canon's CR3 has it here
        for inner in reader.numbers(entries.get(_EXIF_IFD)):
            taken_at = _moment(reader.text(reader.directory(inner)[0].get(_TAKEN_AT), 19)) or taken_at
    except struct.error:
        return Exif()
    return Exif(orientation if 1 <= orientation <= 8 else 0, taken_at)


def oriented(exif: Exif, packet: bytes) -> Exif:
    """Complete the orientation from the XMP beside it if EXIF has none."""
    if exif.orientation or not (found := _IN_XMP.search(packet[:_LARGEST_XMP])):
        return exif
    return Exif(int(found[1]), exif.taken_at)


def is_raw(data: FileBytes) -> bool:
    """Return whether an apparent TIFF is a camera raw file."""
    if data[8:10] == b"CR":
        return True
    try:
        reader = _Reader(data)
    except struct.error:
        return False
    return any(
        _DNG in entries
        or _SENSOR.intersection(reader.numbers(entries.get(_PHOTOMETRIC)))
        or _CAMERAS.intersection(reader.numbers(entries.get(_COMPRESSION)))
        for entries in reader.walk()
    )


def check_values(data: FileBytes, inside: Sequence[int] = ()) -> None:
    """Raise ImageCorrupt if the directories' values overlap so that together they need more memory than the file has.

    `inside` are more tags that lead to directories.
    """
    try:
        reader = _Reader(data)
    except struct.error:
        return  # too short for a directory: the decoder reports it
    for _ in reader.walk((_SUB_IFDS, *inside)):
        if reader.asked > len(data) + _SPARE:
            raise ImageCorrupt


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the camera's clock knows no zone
    except ValueError:  # many cameras write blanks or zeros
        return None
