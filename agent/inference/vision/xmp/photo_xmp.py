"""Reads the regions of one photo from its sidecars and the photo itself, and edits the sidecars."""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.domain.errors import XmpError, XmpMalformed, XmpOtherImage, XmpTooLarge
from agent.domain.regions import MAX_XMP_BYTES, FaceRegion, NamedArea, NamedBox, Origin, Reading, Regions, area_of, same_name
from agent.domain.xmp_edits import NamesRemoved, NamesWritten, SidecarEdit
from agent.inference.vision.xmp import editing
from agent.inference.vision.xmp.embedded import Embedded
from agent.inference.vision.xmp.region_changes import RegionChange, changes_to_forget, changes_to_write
from agent.inference.vision.xmp.xmp_packet import Packet, decode
from agent.inference.vision.xmp.xmp_reading import regions_of, sidecar_for
from agent.inference.vision.xmp.xmp_tree import parse

_NEW: Final = Packet(editing.NEW, "utf-8", b"", b"")
Plan = Callable[[Regions], Sequence[RegionChange]]


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar's content."""

    origin: Origin
    data: bytes
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class PhotoXmp:
    """All XMP of one photo."""

    sidecars: Sequence[Sidecar]
    suffix: str = ""  # the photo's extension, without the dot
    only: bool = True  # no other image beside it has its name
    inside: Embedded = field(default_factory=Embedded)


@dataclass(frozen=True, slots=True)
class _Source:
    sidecar: Sidecar
    packet: Packet
    regions: Regions | None  # None: it has no regions

    @property
    def origin(self) -> Origin:
        return self.sidecar.origin


def read(photo: PhotoXmp) -> Reading:
    """Return the regions of the newest sidecar that has any, otherwise of the photo itself. Raises XmpError."""
    found = [(source.origin, source.regions) for source in _sources(photo) if source.regions is not None]
    try:
        embedded = _embedded_regions(photo.inside)
    except (XmpMalformed, XmpTooLarge):
        if not found:
            raise
        embedded = None
    if embedded is not None:
        found.append((Origin.EMBEDDED, embedded))
    if not found:
        return Reading(Regions(), None, (), photo.inside.orientation)
    return Reading(found[0][1], found[0][0], tuple(origin for origin, _ in found[1:]), photo.inside.orientation)


def write(photo: PhotoXmp, size: tuple[int, int], orientation: int, faces: Sequence[NamedBox]) -> NamesWritten:
    """Make the newest sidecar, or a new one, contain our known names. `size`: of the upright image, as for the boxes. Raises XmpError.

    Names by other programs stay. The photo's own regions are copied into a sidecar without regions, because readers use a
    sidecar's regions instead of the photo's.
    """
    ours = [NamedArea(face.name, area_of(face.box, *size, orientation)) for face in faces]
    flat = size if orientation < 5 else (size[1], size[0])

    def plan(regions: Regions) -> Sequence[RegionChange]:
        changes = changes_to_write(ours, regions.items)
        if changes and not regions.fit(*flat):
            raise XmpOtherImage
        return changes

    source = next(iter(_sources(photo)), None)
    packet = source.packet if source else _NEW
    edit, regions = _edited(source, packet, _with_embedded(photo.inside, packet.body), plan, flat)
    return NamesWritten(regions, orientation, edit)


def forget(photo: PhotoXmp, names: Collection[str], *, by_others: bool = False) -> NamesRemoved:
    """Remove the names that we wrote from every sidecar; `by_others`: other programs' too. Raises XmpError."""

    def called(region: FaceRegion) -> bool:
        return any(same_name(name, region.name) for name in names)

    def plan(regions: Regions) -> Sequence[RegionChange]:
        return changes_to_forget(names, regions.items, by_others=by_others)

    done = [_edited(source, source.packet, source.packet.body, plan, (0, 0)) for source in _sources(photo)]
    left = sum(called(region) for _, regions in done for region in regions.items)
    return NamesRemoved(tuple(edit for edit, _ in done if edit is not None), left)


def _edited(source: _Source | None, packet: Packet, body: bytes, plan: Plan, size: tuple[int, int]) -> tuple[SidecarEdit | None, Regions]:
    """Return the edit, if any is needed, and all regions afterwards."""
    regions, changes = _planned(body, plan)
    if not changes:
        return None, regions
    body = editing.edited(body, changes, size)
    after = _planned(body, plan)[0]  # also proves that the result can be read
    data = packet.with_body(body)
    if len(data) > MAX_XMP_BYTES:
        raise XmpTooLarge  # it could never be read again
    origin, old = (source.origin, hashlib.sha256(source.sidecar.data).hexdigest()) if source else (Origin.LONG, None)
    return SidecarEdit(origin, old, data, len(changes)), after


def _planned(body: bytes, plan: Plan) -> tuple[Regions, Sequence[RegionChange]]:
    """Return all regions of a packet, and the changes to them."""
    regions = regions_of(parse(body)) or Regions()
    return regions, plan(regions)


def _sources(photo: PhotoXmp) -> list[_Source]:
    """Return this photo's sidecars: first those with regions, the newest first. Raises XmpError."""
    found: list[_Source] = []
    for sidecar in photo.sidecars:
        packet = decode(sidecar.data)
        rdf = parse(packet.body)
        if sidecar.origin is not Origin.SHORT or _is_of(sidecar_for(rdf), photo):
            found.append(_Source(sidecar, packet, regions_of(rdf)))
    return sorted(found, key=lambda source: (source.regions is None, -source.sidecar.mtime_ns))


def _is_of(ending: str, photo: PhotoXmp) -> bool:
    """Return whether the sidecar is the photo's: Lightroom records its extension; otherwise the photo's name must be unique."""
    return ending.casefold() == photo.suffix.casefold() if ending else photo.only


def _embedded_regions(inside: Embedded) -> Regions | None:
    for data in (inside.xmp, inside.extended):
        if data is not None and (regions := regions_of(parse(decode(data).body))) is not None:
            return regions
    return None


def _with_embedded(inside: Embedded, body: bytes) -> bytes:
    """Return the sidecar's packet with the photo's own regions, if it has none. An unreadable embedded packet is ignored."""
    if regions_of(parse(body)) is not None:
        return body
    for data in (inside.xmp, inside.extended):
        if data is not None:
            with contextlib.suppress(XmpError):
                seeded = editing.with_regions_of(body, decode(data).body)
                if regions_of(parse(seeded)) is not None:
                    return seeded
    return body
