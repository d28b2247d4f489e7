"""The engine's operations on XMP: reads open files with limits, parses and edits, and returns bounded values."""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import BinaryIO, Final

from agent.domain.errors import XmpError, XmpTooLarge, XmpUnreadable
from agent.domain.regions import MAX_XMP_BYTES, FaceRegion, Origin, RegionArea, Regions, tidy
from agent.domain.xmp_edits import NamesRemoved, NamesWritten
from agent.inference.engine.xmp_calls import FAULTS, LONGEST_TEXT, ForgetNames, PhotoFiles, PhotoNames, ReadNames, WriteNames
from agent.inference.vision.xmp import photo_xmp
from agent.inference.vision.xmp.embedded import Embedded, read_embedded
from agent.inference.vision.xmp.photo_xmp import PhotoXmp, Sidecar

_PART: Final = 64 << 10  # bytes read at once: reserving the largest size for each small file costs ten times as much as parsing it


def read_names(asked: ReadNames, files: Sequence[int]) -> tuple[PhotoNames, ...]:
    """Read the names of several photos; what is wrong with one does not concern the others. Closes the files."""
    with _opened(files) as opened:
        return tuple(_names(photo, opened) for photo in asked.photos)


def write_names(asked: WriteNames, files: Sequence[int]) -> NamesWritten:
    """Write our names into a photo's sidecar. Closes the files. Raises XmpError."""
    with _opened(files) as opened:
        photo = _photo(asked.photo, opened)
    orientation = photo.inside.orientation if asked.orientation is None else asked.orientation
    written = photo_xmp.write(photo, asked.size, orientation, asked.faces)
    return replace(written, regions=sendable(written.regions))


def forget_names(asked: ForgetNames, files: Sequence[int]) -> NamesRemoved:
    """Remove names from a photo's sidecars. Closes the files. Raises XmpError."""
    with _opened(files) as opened:
        photo = _photo(asked.photo, opened)
    return photo_xmp.forget(photo, asked.names, by_others=asked.by_others)


def _names(photo: PhotoFiles, opened: Iterator[BinaryIO]) -> PhotoNames:
    own = iter([next(opened) for _ in range(photo.count)])
    try:
        reading = photo_xmp.read(_photo(photo, own))
    except XmpError as error:
        return PhotoNames(fault=error.code if error.code in FAULTS else XmpUnreadable.code)
    return PhotoNames(replace(reading, regions=sendable(reading.regions)))


@contextmanager
def _opened(files: Sequence[int]) -> Iterator[Iterator[BinaryIO]]:
    with ExitStack() as stack:
        yield iter([stack.enter_context(os.fdopen(file, "rb")) for file in files])


def _photo(photo: PhotoFiles, opened: Iterator[BinaryIO]) -> PhotoXmp:
    origins = [origin for origin, there in ((Origin.LONG, photo.long), (Origin.SHORT, photo.short)) if there]
    sidecars = [_sidecar(origin, next(opened)) for origin in origins]
    inside = read_embedded(next(opened)) if photo.photo else Embedded()
    return PhotoXmp(sidecars, photo.suffix, photo.only, inside)


def _sidecar(origin: Origin, file: BinaryIO) -> Sidecar:
    try:
        facts, data = os.fstat(file.fileno()), bytearray()
        while part := file.read(_PART):
            data += part
            if len(data) > MAX_XMP_BYTES:
                raise XmpTooLarge
    except OSError:
        raise XmpUnreadable from None
    return Sidecar(origin, bytes(data), facts.st_mtime_ns)


def sendable(regions: Regions) -> Regions:
    """Return regions without what the agent never needs: other fields, figures that JSON does not know, and texts beyond all names."""
    size = regions.applied_to
    if size is not None:
        size = replace(size, unit=_short(size.unit)) if math.isfinite(size.w) and math.isfinite(size.h) else None
    return Regions(tuple(map(_sendable, regions.items)), size)


def _sendable(region: FaceRegion) -> FaceRegion:
    area = region.area
    if not all(map(math.isfinite, (area.x, area.y, area.w, area.h))):
        area = RegionArea(0, 0, 0, 0)
    written = None if region.written is None else _short(region.written)
    return replace(region, name=_short(region.name), type=_short(region.type), area=area, extras=(), written=written)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else tidy(text)[:LONGEST_TEXT]
