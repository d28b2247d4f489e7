"""Reads the regions of a parsed packet, in the three formats that programs use."""

from collections.abc import Iterable, Iterator
from typing import Final

from agent.domain.errors import XmpTooLarge
from agent.domain.regions import MAX_REGIONS, SAME_FACE, Dimensions, FaceRegion, RegionArea, Regions, RegionSchema
from agent.inference.vision.xmp.xmp_names import ACDSEE, ACDSEE_AREA, MP, MP_REGION, MP_REGIONS, MWG, OURS, PHOTOSHOP, RDF, ST_AREA, ST_DIM
from agent.inference.vision.xmp.xmp_tree import Node

_KNOWN: Final = frozenset({f"{MWG} Name", f"{MWG} Type", f"{MWG} Area", f"{OURS} WrittenName", f"{OURS} WrittenRegion", f"{RDF} parseType"})


def find(rdf: Node, namespace: str, local: str) -> Node | None:
    """Return a property of the photo."""
    return next((found for about in rdf.children if (found := about.child(f"{namespace} {local}"))), None)


def sidecar_for(rdf: Node) -> str:
    """Return the photo's extension that this sidecar declares (Lightroom); empty if missing."""
    name = f"{PHOTOSHOP} SidecarForExtension"
    return next((value for about in rdf.children if (value := about.value(name))), "")


def mwg_items(rdf: Node) -> list[Node]:
    """Return the elements of the regions that `regions_of` returns first, in the same order."""
    holder = find(rdf, MWG, "Regions")
    listed = holder and holder.fields.child(f"{MWG} RegionList")
    return _bounded(listed.items()) if listed else []


def regions_of(rdf: Node) -> Regions | None:
    """Return the regions; None if there are none at all. Microsoft's and ACDSee's count if MWG's have nothing for the same face."""
    holder = find(rdf, MWG, "Regions")
    others = [*_microsoft(rdf), *_acdsee(rdf)]
    if holder is None and not others:
        return None
    regions = [_mwg(item.fields) for item in mwg_items(rdf)]
    boxes = [region.area.box for region in regions if region.area.sound]
    for other in others:
        box = other.area.box
        if not any(box.iou(each) >= SAME_FACE for each in boxes):
            regions.append(other)
            boxes.append(box)
    size = holder and holder.fields.child(f"{MWG} AppliedToDimensions")
    return Regions(tuple(regions), _dimensions(size, ST_DIM) if size else None)


def _mwg(node: Node) -> FaceRegion:
    where = node.child(f"{MWG} Area")
    told = [(name, value) for name, value in node.attributes.items() if name not in _KNOWN]
    told += [(child.name, child.text) for child in node.children if child.name not in _KNOWN]
    return FaceRegion(
        name=node.value(f"{MWG} Name") or "",
        type=node.value(f"{MWG} Type") or "",
        area=_area(where, ST_AREA) if where else _NOWHERE,
        extras=tuple(told),
        added=node.value(f"{OURS} WrittenRegion") is not None,
        written=node.value(f"{OURS} WrittenName"),
    )


def _microsoft(rdf: Node) -> Iterator[FaceRegion]:
    holder = find(rdf, MP, "RegionInfo")
    listed = holder and holder.fields.child(f"{MP_REGIONS} Regions")
    for item in _bounded(listed.items()) if listed else ():
        node = item.fields
        x, y, w, h = (*(_number(part) for part in (node.value(f"{MP_REGION} Rectangle") or "").split(",")[:4]), *(0.0,) * 4)[:4]
        area = RegionArea(x + w / 2, y + h / 2, w, h)  # they store the corner
        if area.sound:
            yield FaceRegion(node.value(f"{MP_REGION} PersonDisplayName") or "", "Face", area, RegionSchema.MICROSOFT)


def _acdsee(rdf: Node) -> Iterator[FaceRegion]:
    holder = find(rdf, ACDSEE, "Regions")
    listed = holder and holder.fields.child(f"{ACDSEE} RegionList")
    for item in _bounded(listed.items()) if listed else ():
        node = item.fields
        where = node.child(f"{ACDSEE} DLYArea") or node.child(f"{ACDSEE} ALYArea")  # the user's own before the program's square
        area = _area(where, ACDSEE_AREA) if where else _NOWHERE
        if area.sound:
            yield FaceRegion(node.value(f"{ACDSEE} Name") or "", node.value(f"{ACDSEE} Type") or "", area, RegionSchema.ACDSEE)


_NOWHERE: Final = RegionArea(0, 0, 0, 0)


def _bounded(items: Iterable[Node]) -> list[Node]:
    found = list(items)
    if len(found) > MAX_REGIONS:
        raise XmpTooLarge
    return found


def _area(node: Node, namespace: str) -> RegionArea:
    """Return the area; points and circles have no width and height, so they are no faces."""
    x, y, w, h = (_number(node.fields.value(f"{namespace} {side}")) for side in "xywh")
    return RegionArea(x, y, w, h)


def _dimensions(node: Node, namespace: str) -> Dimensions:
    fields = node.fields
    unit = fields.value(f"{namespace} unit") or "pixel"
    return Dimensions(_number(fields.value(f"{namespace} w")), _number(fields.value(f"{namespace} h")), unit)


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
