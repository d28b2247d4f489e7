"""Edits regions by replacing bytes: everything else stays unchanged, including whitespace."""

import re
from collections.abc import Collection, Sequence
from html import escape  # its result is also XML, and xml.sax.saxutils would load all of urllib
from typing import Final

from agent.domain.errors import XmpMalformed
from agent.domain.regions import FACE
from agent.inference.vision.xmp.region_changes import AddRegion, RegionChange, ReleaseOwnership, RemoveRegion, SetName
from agent.inference.vision.xmp.xmp_names import MWG, OURS, RDF, ST_AREA, ST_DIM, XML, Prefixes
from agent.inference.vision.xmp.xmp_reading import find, mwg_items
from agent.inference.vision.xmp.xmp_tree import Node, parse

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def written(node: Node, prefixes: Prefixes) -> str:
    """Return an element with its attributes and children, on one line. New prefixes are declared by `prefixes`."""
    name = _qualified(node.name, prefixes)
    attributes = "".join(f' {_qualified(each, prefixes)}="{encoded(value)}"' for each, value in node.attributes.items())
    inside = "".join(written(child, prefixes) for child in node.children) or encoded(node.text)
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"


def encoded(text: str) -> str:
    """Return text for an element or an attribute; control characters, including line ends, become character references."""
    return _CONTROLS.sub(lambda found: f"&#{ord(found[0])};", escape(text))


def _qualified(name: str, prefixes: Prefixes) -> str:
    namespace, _, local = name.rpartition(" ")
    if namespace == XML:
        return f"xml:{local}"
    return prefixes.name(namespace, local) if namespace else local


# The content of a new sidecar.
NEW: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f' <rdf:RDF xmlns:rdf="{RDF}">\n </rdf:RDF>\n</x:xmpmeta>\n'
).encode()
_ATTRIBUTE: Final = re.compile(rb"""\s+([^\s=/>"']+)\s*=\s*(?:"[^"]*"|'[^']*')""")
_NAME: Final = re.compile(rb"[^\s/>]+")
_BLANKS: Final = b" \t\r\n"


def edited(body: bytes, changes: Sequence[RegionChange], size: tuple[int, int]) -> bytes:
    """Return the packet (UTF-8) with `changes`, by the indices of `mwg_items`. `size` is the stored image's. Raises XmpMalformed."""
    rdf = parse(body)
    edit = _Edit(body)
    items = mwg_items(rdf)
    added: list[AddRegion] = []
    for change in changes:
        match change:
            case AddRegion():
                added.append(change)
            case RemoveRegion(index):
                edit.remove(items[index])
            case SetName(index, name):
                node = items[index].fields
                edit.rewrite(node, {f"{MWG} Name", f"{OURS} WrittenName"}, _fields(node, name, edit.indentation(node)) if name else "")
            case ReleaseOwnership(index):
                edit.rewrite(items[index].fields, {f"{OURS} WrittenName", f"{OURS} WrittenRegion"})
    if added:
        _add(edit, rdf, added, size)
    return edit.done()


def with_regions_of(body: bytes, other: bytes) -> bytes:
    """Return the packet with another packet's MWG regions, written anew: a sidecar's regions hide those inside the photo."""
    holder = find(parse(other), MWG, "Regions")
    if holder is None:
        return body
    rdf = parse(body)
    edit = _Edit(body)
    prefixes = Prefixes(rdf.scope)
    _describe(edit, rdf, prefixes, written(holder, prefixes))
    return edit.done()


def _add(edit: "_Edit", rdf: Node, added: Sequence[AddRegion], size: tuple[int, int]) -> None:
    """Add regions to the existing list, or with the missing elements around it."""
    holder = find(rdf, MWG, "Regions")
    around = holder.fields if holder else rdf
    listed = around.child(f"{MWG} RegionList")
    array = next((found for kind in ("Bag", "Seq", "Alt") if listed and (found := listed.child(f"{RDF} {kind}"))), None)
    if array:  # each region with its own declarations, so that removing it leaves nothing behind
        edit.rewrite(array, inside="".join(_region(Prefixes(array.scope), region, declare=True) for region in added))
        return
    prefixes = Prefixes((listed or around).scope)
    regions = "".join(_region(prefixes, region) for region in added)
    bag = f"<{prefixes.name(RDF, 'Bag')}>{regions}\n     </{prefixes.name(RDF, 'Bag')}>"
    if listed:
        edit.rewrite(listed, {f"{RDF} parseType", f"{RDF} resource"}, "\n     " + bag, prefixes)
        return
    name = prefixes.name(MWG, "RegionList")
    inside = f"\n    <{name}>\n     {bag}\n    </{name}>"
    if around.child(f"{MWG} AppliedToDimensions") is None:
        width, height = size
        sides = f'{prefixes.name(ST_DIM, "w")}="{width}" {prefixes.name(ST_DIM, "h")}="{height}" {prefixes.name(ST_DIM, "unit")}="pixel"'
        inside = f"\n    <{prefixes.name(MWG, 'AppliedToDimensions')} {sides}/>" + inside
    if holder is None:
        resource = f'{prefixes.name(RDF, "parseType")}="Resource"'
        name = prefixes.name(MWG, "Regions")
        _describe(edit, rdf, prefixes, f"<{name} {resource}>{inside}\n   </{name}>")
    elif around is not holder or f"{RDF} parseType" in holder.attributes:
        edit.rewrite(around, inside=inside, prefixes=prefixes)
    else:
        raise XmpMalformed  # neither a structure nor anything else that can contain regions


def _describe(edit: "_Edit", rdf: Node, prefixes: Prefixes, inside: str) -> None:
    """Add a property in its own description, with the same subject as the others."""
    about = next((value for node in rdf.children if (value := node.attributes.get(f"{RDF} about"))), "")
    name, where = prefixes.name(RDF, "Description"), prefixes.name(RDF, "about")
    edit.rewrite(rdf, inside=f"\n  <{name} {where}={_quoted(about)}{prefixes.declared}>\n   {inside}\n  </{name}>")


def _region(prefixes: Prefixes, region: AddRegion, *, declare: bool = False) -> str:
    item, resource = prefixes.name(RDF, "li"), f'{prefixes.name(RDF, "parseType")}="Resource"'
    sides = " ".join(f'{prefixes.name(ST_AREA, side)}="{_figure(getattr(region.area, side))}"' for side in "xywh")
    parts = [
        _element(prefixes.name(MWG, "Name"), region.name),
        _element(prefixes.name(MWG, "Type"), FACE),
        f'<{prefixes.name(MWG, "Area")} {sides} {prefixes.name(ST_AREA, "unit")}="normalized"/>',
        _element(prefixes.name(OURS, "WrittenName"), region.name),
        _element(prefixes.name(OURS, "WrittenRegion"), "True"),
    ]
    blank = "\n       "
    declared = prefixes.declared if declare else ""
    return f"\n      <{item} {resource}{declared}>{blank}{blank.join(parts)}\n      </{item}>"


def _fields(node: Node, name: str, indentation: str) -> str:
    """Return our name and mark, with their declarations: no element around both belongs to us."""
    written = ""
    for namespace, local in ((MWG, "Name"), (OURS, "WrittenName")):
        prefixes = Prefixes(node.scope)
        qualified = prefixes.name(namespace, local)
        written += f"{indentation}<{qualified}{prefixes.declared}>{escape(name, quote=False)}</{qualified}>"
    return written


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text, quote=False)}</{name}>"


def _quoted(text: str) -> str:
    return f'"{encoded(text)}"'


def _figure(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


class _Edit:
    """Replacements of byte ranges, which never overlap: each element is rewritten at most once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._parts: list[tuple[int, int, bytes]] = []

    def indentation(self, node: Node) -> str:
        """Return the whitespace before each of an element's children."""
        first = node.children[0].start if node.children else 0
        return self._body[self._before(first) : first].decode()

    def remove(self, node: Node) -> None:
        """Remove the element and the whitespace before it."""
        self._parts.append((self._before(node.start), node.end, b""))

    def _before(self, at: int) -> int:
        """Return where the whitespace before a position begins."""
        while at and self._body[at - 1] in _BLANKS:
            at -= 1
        return at

    def rewrite(self, node: Node, without: Collection[str] = (), inside: str = "", prefixes: Prefixes | None = None) -> None:
        """Omit some of an element's fields and append others."""
        for child in node.children:
            if child.name in without:
                self.remove(child)
        tag = self._body[node.start : node.opened]
        kept = _ATTRIBUTE.sub(lambda found: b"" if _expanded(found[1], node) in without else found[0], tag)
        name = _name(tag)
        if prefixes and prefixes.declared:
            kept = b"<" + name + prefixes.declared.encode() + kept[1 + len(name) :]
        added = inside.encode()
        if node.empty:
            if added:
                kept = kept[:-2].rstrip() + b">" + added + b"</" + name + b">"
        elif added:
            at = max(self._before(node.closing), node.opened)
            self._parts.append((at, at, added))
        if kept != tag:
            self._parts.append((node.start, node.opened, kept))

    def done(self) -> bytes:
        pieces: list[bytes] = []
        at = 0
        for start, end, text in sorted(self._parts, key=lambda part: part[:2]):
            pieces += [self._body[at:start], text]
            at = end
        return b"".join([*pieces, self._body[at:]])


def _name(tag: bytes) -> bytes:
    """Return the name in a start tag, with its prefix."""
    return _NAME.match(tag, 1)[0]  # type: ignore[index]  # a parser has seen the tag


def _expanded(name: bytes, node: Node) -> str:
    prefix, _, local = name.decode("utf-8", "replace").rpartition(":")
    return f"{node.scope.get(prefix, '')} {local}"
