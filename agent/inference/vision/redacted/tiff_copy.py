"""Adds to a written TIFF what its encoder can't: EXIF's directories, in a file with compressed pictures."""

import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import PIL.Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from agent.inference.vision.redacted.exif import lettered

DIRECTORIES: Final = (0x8769, 0x8825)  # tags that lead to one: the camera's facts, the location
_LONG: Final = 4  # the type of an offset value


def add_directories(file: BytesIO, exif: bytes) -> None:
    """Add the directories of `exif`. The first page's tag list is rewritten at the end, with additional entries."""
    told = PIL.Image.Exif()
    told.load(exif)
    if found := {tag: values for tag in DIRECTORIES if (values := told.get_ifd(tag))}:
        _add(file, found)


def _add(file: BytesIO, found: Mapping[int, Mapping[int, Any]]) -> None:
    with file.getbuffer() as data:
        start, end = bytes(data[:8]), len(data)
        order = "<" if start.startswith(b"II") else ">"
        (first,) = struct.unpack_from(order + "L", data, 4)
        (count,) = struct.unpack_from(order + "H", data, first)
        entries = [bytes(data[at : at + 12]) for at in range(first + 2, first + 2 + 12 * count, 12)]
        following = bytes(data[first + 2 + 12 * count :][:4])
    place = end + end % 2
    bodies, at = b"", place + 2 + 12 * (count + len(found)) + 4
    for tag, values in found.items():
        directory = ImageFileDirectory_v2(start, group=tag)
        directory.update(lettered(values.items()))
        entries.append(struct.pack(order + "HHLL", tag, _LONG, 1, at + len(bodies)))
        body = directory.tobytes(at + len(bodies))
        bodies += body + bytes(len(body) % 2)
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry))
    file.seek(end)
    file.write(bytes(end % 2) + struct.pack(order + "H", len(entries)) + b"".join(entries) + following + bodies)
    file.seek(4)
    file.write(struct.pack(order + "L", place))
