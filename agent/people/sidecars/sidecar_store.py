"""Names of faces beside photos: read from sidecars or the photo, written to the sidecar, and removed. Call it in threads."""

import codecs
import contextlib
import re
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.domain.errors import XmpChanging, XmpError, XmpMalformed, XmpOtherImage, XmpTooLarge
from agent.people.sidecars import editing, sidecar_files
from agent.people.sidecars.embedded import Embedded, read_embedded
from agent.people.sidecars.region_changes import RegionChange, changes_to_forget, changes_to_write
from agent.people.sidecars.regions import FaceRegion, NamedArea, NamedBox, Regions, area_of, compare, same_name
from agent.people.sidecars.sidecar_port import NamesRemoved, Origin, Reading, Written
from agent.people.sidecars.xmp_reading import regions_of, sidecar_for
from agent.people.sidecars.xmp_tree import parse

# Encodings that photo programs write, and that XML allows: others (UTF-7, escapes) can only hide content.
_ENCODINGS: Final = frozenset(
    {"utf-8", "ascii", "iso8859-1", "cp1252", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
    | {"gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"}
)
# The longer ones first: UTF-32's mark begins like UTF-16's.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = ((b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]{1,40})["']""")


@dataclass(frozen=True, slots=True)
class Packet:
    """`body` is UTF-8, for parsing and editing; the rest restores the file's own form."""

    body: bytes
    encoding: str
    mark: bytes
    tail: bytes  # NULs that some programs append

    def with_body(self, body: bytes) -> bytes:
        """Return the file with another body. Unencodable characters become character references."""
        return self.mark + body.decode("utf-8").encode(self.encoding, "xmlcharrefreplace") + self.tail


def decode(data: bytes) -> Packet:
    """Decode the bytes. Raises XmpMalformed, also if encoding would not give the same bytes again."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    encoding = encoding or next((name for start, name in _UNMARKED if data.startswith(start)), "") or _declared(data)
    width = 4 if "32" in encoding else 2 if "16" in encoding else 1
    rest = data[len(mark) :]
    end = len(rest.rstrip(b"\0"))
    end += -end % width
    try:
        text = rest[:end].decode(encoding)
        same = text.encode(encoding) == rest[:end]
        body = text.encode("utf-8")
    except UnicodeError:
        raise XmpMalformed from None
    if not same:
        raise XmpMalformed
    return Packet(body, encoding, mark, rest[end:])


def _declared(data: bytes) -> str:
    found = _DECLARED.match(data)
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else "utf-8"
    except (LookupError, UnicodeError):
        raise XmpMalformed from None
    if name not in _ENCODINGS:
        raise XmpMalformed
    return name


_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class _Source:
    origin: Origin
    regions: Regions | None  # None: it has no regions
    file: sidecar_files.SidecarFile
    packet: Packet


class Sidecars:
    """One instance for the whole program, which serialises its writes."""

    def __init__(self) -> None:
        self._writing = threading.Lock()

    def read(self, photo: Path) -> Reading:
        """Return the regions of the newest sidecar that has any, otherwise of the photo itself. Raises XmpError."""
        found = [(source.origin, source.regions) for source in _sidecars(photo) if source.regions is not None]
        inside = read_embedded(photo)
        try:
            embedded = _embedded_regions(inside)
        except (XmpMalformed, XmpTooLarge):
            if not found:
                raise
            embedded = None
        if embedded is not None:
            found.append((Origin.EMBEDDED, embedded))
        if not found:
            return Reading(Regions(), None, (), inside.orientation)
        return Reading(found[0][1], found[0][0], tuple(origin for origin, _ in found[1:]), inside.orientation)

    def write(
        self, photo: Path, size: tuple[int, int], orientation: int, faces: Sequence[NamedBox], *, root: Path | None = None
    ) -> Written:
        """Make the sidecar contain our known names. `size`: of the upright image, as for the boxes. Raises XmpError.

        Names by other programs stay. The photo's own regions are copied into a sidecar without regions, because readers
        use a sidecar's regions instead of the photo's. Links are followed within `root` only, by default the photo's own folder.
        """
        ours = [NamedArea(face.name, area_of(face.box, *size, orientation)) for face in faces]
        flat = size if orientation < 5 else (size[1], size[0])

        def change(regions: Regions) -> Sequence[RegionChange]:
            changes = changes_to_write(ours, regions.items)
            if changes and not regions.fit(*flat):
                raise XmpOtherImage
            return changes

        changes, regions = self._change(photo, flat, change, root=root or photo.parent, create=True)
        return Written(changes, tuple(compare(ours, regions.items)))

    def forget(self, photo: Path, names: Collection[str], *, by_others: bool = False) -> NamesRemoved:
        """Remove the names that we wrote from every sidecar of the photo; `by_others`: other programs' too. Raises XmpError."""

        def called(region: FaceRegion) -> bool:
            return any(same_name(name, region.name) for name in names)

        for path in (sidecar_files.long_name(photo), sidecar_files.short_name(photo)):
            sidecar_files.clear(path)
        changes = left = 0
        for origin in [source.origin for source in _sidecars(photo)]:
            some, regions = self._change(photo, (0, 0), lambda found: changes_to_forget(names, found.items, by_others=by_others), origin)
            changes += some
            left += sum(called(region) for region in regions.items)
        return NamesRemoved(changes, left)

    def _change(
        self,
        photo: Path,
        size: tuple[int, int],
        plan: Callable[[Regions], Sequence[RegionChange]],
        origin: Origin | None = None,
        *,
        root: Path | None = None,
        create: bool = False,
    ) -> tuple[int, Regions]:
        """Return the number of changes, and all regions afterwards."""
        with self._writing:
            for _ in range(_TRIES):
                source = next((source for source in _sidecars(photo) if origin in (None, source.origin)), None)
                if source is None and not create:
                    return 0, Regions()
                packet = source.packet if source else Packet(editing.NEW, "utf-8", b"", b"")
                body = packet.body if origin else _with_embedded(photo, packet.body)
                regions, changes = _planned(body, plan)
                if not changes:
                    return 0, regions
                body = editing.edited(body, changes, size)
                after = _planned(body, plan)[0]  # also proves that the result can be read
                path = source.file.path if source else sidecar_files.long_name(photo)
                if sidecar_files.replace(path, packet.with_body(body), source.file if source else None, photo, root):
                    return len(changes), after
        raise XmpChanging


def _planned(body: bytes, plan: Callable[[Regions], Sequence[RegionChange]]) -> tuple[Regions, Sequence[RegionChange]]:
    """Return all regions of a packet, and the changes to them."""
    regions = regions_of(parse(body)) or Regions()
    return regions, plan(regions)


def _sidecars(photo: Path) -> list[_Source]:
    """Return this photo's sidecars: first those with regions, the newest first. Raises XmpError."""
    found: list[_Source] = []
    for origin, path in ((Origin.LONG, sidecar_files.long_name(photo)), (Origin.SHORT, sidecar_files.short_name(photo))):
        file = sidecar_files.read(path)
        if file is None:
            continue
        packet = decode(file.data)
        rdf = parse(packet.body)
        if origin is Origin.SHORT and not _is_of(sidecar_for(rdf), photo):
            continue
        found.append(_Source(origin, regions_of(rdf), file, packet))
    return sorted(found, key=lambda source: (source.regions is None, -source.file.mtime_ns))


def _is_of(ending: str, photo: Path) -> bool:
    """Return whether the sidecar is the photo's: Lightroom records its extension; otherwise the photo's name must be unique."""
    return ending.casefold() == photo.suffix[1:].casefold() if ending else not sidecar_files.has_namesakes(photo)


def _embedded_regions(inside: Embedded) -> Regions | None:
    for data in (inside.xmp, inside.extended):
        if data is not None and (regions := regions_of(parse(decode(data).body))) is not None:
            return regions
    return None


def _with_embedded(photo: Path, body: bytes) -> bytes:
    """Return the sidecar's packet with the photo's own regions, if it has none. An unreadable embedded packet is ignored."""
    if regions_of(parse(body)) is not None:
        return body
    inside = read_embedded(photo)
    for data in (inside.xmp, inside.extended):
        if data is not None:
            with contextlib.suppress(XmpError):
                seeded = editing.with_regions_of(body, decode(data).body)
                if regions_of(parse(seeded)) is not None:
                    return seeded
    return body
