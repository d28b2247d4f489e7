"""The engine's calls about the XMP of photos, and their possible responses."""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.domain.errors import XmpMalformed, XmpTooLarge, XmpUnreadable
from agent.domain.regions import MAX_REGIONS, MAX_XMP_BYTES, NamedBox, Origin, Reading, Regions
from agent.domain.xmp_edits import NamesRemoved, NamesWritten, SidecarEdit
from agent.inference.engine.engine_calls import is_sha256
from agent.inference.engine.rpc import Call, Codec

MOST_PHOTOS = 16  # of one call; each has up to three open files
LONGEST_TEXT = 1_000  # characters of a name in a response
# Of one source: MWG's, Microsoft's and ACDSee's.
_MOST_REGIONS = 3 * MAX_REGIONS
# Seconds, for up to 24 MB per photo from a slow drive; parsing takes milliseconds.
_LIMIT_S = 60.0
# What can be wrong with one photo of several.
FAULTS = {error.code: error for error in (XmpMalformed, XmpTooLarge, XmpUnreadable)}


@dataclass(frozen=True, slots=True)
class PhotoFiles:
    """The open files of one photo, in this order; and what the engine can't see."""

    long: bool  # its sidecar IMG.jpg.xmp
    short: bool  # its sidecar IMG.xmp
    photo: bool = True
    suffix: str = ""  # the photo's extension, without the dot
    only: bool = True  # whether no other image beside it has its name

    @property
    def count(self) -> int:
        return self.long + self.short + self.photo


@dataclass(frozen=True, slots=True)
class ReadNames:
    photos: tuple[PhotoFiles, ...]


@dataclass(frozen=True, slots=True)
class PhotoNames:
    """The reading of one photo, or the code of its fault."""

    reading: Reading | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class WriteNames:
    photo: PhotoFiles
    size: tuple[int, int]  # of the upright image
    orientation: int | None  # Exif's; None: as the photo says
    faces: tuple[NamedBox, ...]


@dataclass(frozen=True, slots=True)
class ForgetNames:
    photo: PhotoFiles
    names: tuple[str, ...]
    by_others: bool


def are_names(found: tuple[PhotoNames, ...], asked: ReadNames) -> bool:
    """Return whether they can be the readings of the requested photos."""
    return len(found) == len(asked.photos) and all(map(_is_names, found, asked.photos))


def _is_names(found: PhotoNames, photo: PhotoFiles) -> bool:
    if (reading := found.reading) is None:
        return found.fault in FAULTS
    told = [reading.origin, *reading.passed_over] if reading.origin else list(reading.passed_over)
    offered = {Origin.LONG: photo.long, Origin.SHORT: photo.short, Origin.EMBEDDED: photo.photo}
    return (
        found.fault is None
        and len(set(told)) == len(told)
        and all(offered[origin] for origin in told)
        and _are_regions(reading.regions)
        and _is_orientation(reading.orientation)
    )


def is_written(written: NamesWritten, asked: WriteNames) -> bool:
    """Return whether it can be the response to `asked`."""
    return (
        _are_regions(written.regions)
        and _is_orientation(written.orientation)
        and asked.orientation in (None, written.orientation)
        and (written.edit is None or _is_edit(written.edit, asked.photo, new=True))
    )


def is_removed(removed: NamesRemoved, asked: ForgetNames) -> bool:
    """Return whether it can be the response to `asked`."""
    return (
        len({edit.origin for edit in removed.edits}) == len(removed.edits)
        and all(_is_edit(edit, asked.photo) for edit in removed.edits)
        and 0 <= removed.left <= 2 * _MOST_REGIONS
    )


def _is_edit(edit: SidecarEdit, photo: PhotoFiles, *, new: bool = False) -> bool:
    """Return whether it can be the edit of an offered sidecar, or of a `new` one."""
    there = {Origin.LONG: photo.long, Origin.SHORT: photo.short}.get(edit.origin, False)
    mine = is_sha256(edit.old) and there if edit.old is not None else new and edit.origin is Origin.LONG and not photo.long
    return mine and 0 < len(edit.packet) <= MAX_XMP_BYTES and edit.changes > 0


def _are_regions(regions: Regions) -> bool:
    texts = [text for region in regions.items for text in (region.name, region.type, region.written or "")]
    size = regions.applied_to
    return (
        len(regions.items) <= _MOST_REGIONS
        and _are_short([*texts, size.unit if size else ""])
        and not any(region.extras for region in regions.items)
    )


def _are_short(texts: Iterable[str]) -> bool:
    return all(len(text) <= LONGEST_TEXT for text in texts)


def _is_orientation(number: int) -> bool:
    return 1 <= number <= 8


READ_NAMES = Call(
    "read_names",
    Codec(ReadNames),
    Codec(tuple[PhotoNames, ...]),
    are_names,
    files=lambda asked: sum(photo.count for photo in asked.photos),
    limit=_LIMIT_S,
)
WRITE_NAMES = Call("write_names", Codec(WriteNames), Codec(NamesWritten), is_written, files=lambda asked: asked.photo.count, limit=_LIMIT_S)
# The user waits until a person is forgotten.
FORGET_NAMES = Call(
    "forget_names",
    Codec(ForgetNames),
    Codec(NamesRemoved),
    is_removed,
    files=lambda asked: asked.photo.count,
    limit=_LIMIT_S,
    urgent=True,
)
