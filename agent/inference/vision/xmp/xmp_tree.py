"""An XMP packet as a tree with the byte positions of each element, so that an edit leaves all other bytes unchanged.

It uses Python's own expat, which reports positions, as no tree library does, and never fetches anything. A document type is refused, and
with it every entity except XML's five. Only elements that concern regions are kept; the rest is checked and skipped.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from agent.domain.errors import XmpMalformed, XmpTooLarge
from agent.domain.regions import MAX_XMP_BYTES
from agent.inference.vision.xmp.xmp_names import ACDSEE, MP, MWG, PHOTOSHOP, RDF

_MAX_ELEMENTS: Final = 200_000  # including skipped ones: each costs a call
_MAX_NODES: Final = 100_000
_MAX_TEXT: Final = 1 << 20  # stored characters, mostly of names, in elements and between them
_MAX_DEPTH: Final = 200
_MAX_PREFIXES: Final = 200
_MAX_BINDINGS: Final = 1_000_000  # of prefixes, in all scopes
_PROPERTIES: Final = frozenset({f"{MWG} Regions", f"{MP} RegionInfo", f"{ACDSEE} Regions", f"{PHOTOSHOP} SidecarForExtension"})
_RDF: Final = f"{RDF} RDF"
_TAG: Final = re.compile(rb"""<(?:[^"'>]+|"[^"]*"|'[^']*')*>""")


@dataclass(eq=False, slots=True)
class Node:
    """An element. Names are "namespace local"; `start` to `opened` is its start tag, `closing` to `end` its end tag."""

    name: str
    attributes: Mapping[str, str]
    scope: Mapping[str, str]  # prefix -> namespace
    start: int
    opened: int
    closing: int = 0
    end: int = 0
    children: list["Node"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Return whether it is written as one tag, `<a/>`."""
        return self.closing == self.start

    @property
    def text(self) -> str:
        return "".join(self.texts).strip()

    def child(self, name: str) -> "Node | None":
        return next((child for child in self.children if child.name == name), None)

    def value(self, name: str) -> str | None:
        """Return a simple property, written as an attribute or as an element."""
        if name in self.attributes:
            return self.attributes[name]
        child = self.child(name)
        return None if child is None else child.text

    @property
    def fields(self) -> "Node":
        """Return the node with the fields of this structure: a nested description, or the element itself."""
        return self.child(f"{RDF} Description") or self

    def items(self) -> Iterator["Node"]:
        """Yield the items of this list."""
        for kind in ("Bag", "Seq", "Alt"):
            if array := self.child(f"{RDF} {kind}"):
                yield from (item for item in array.children if item.name == f"{RDF} li")


def parse(body: bytes) -> Node:
    """Return the `rdf:RDF` of a packet in UTF-8. Raises XmpMalformed, XmpTooLarge."""
    if len(body) > MAX_XMP_BYTES:
        raise XmpTooLarge
    builder = _Builder(body)
    builder.run()
    root = builder.root
    rdf = root if root is None or root.name == _RDF else root.child(_RDF)
    if rdf is None:
        raise XmpMalformed
    return rdf


class _Builder:
    def __init__(self, body: bytes) -> None:
        self.root: Node | None = None
        self._body = body
        self._open: list[Node] = []
        self._declared: dict[str, str] = {}
        self._depth = 0
        self._elements = self._nodes = self._bindings = self._characters = 0
        self._skipped = 0  # the depth inside skipped elements
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartNamespaceDeclHandler = self._namespace
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def run(self) -> None:
        try:
            self._parser.Parse(self._body, True)
        except expat.ExpatError:
            raise XmpMalformed from None  # expat's message can quote the document

    def _doctype(self, *_: object) -> None:
        raise XmpMalformed

    def _namespace(self, prefix: str | None, namespace: str | None) -> None:
        if not self._skipped:
            self._declared[prefix or ""] = namespace or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH:
            raise XmpMalformed
        if self._elements > _MAX_ELEMENTS:
            raise XmpTooLarge
        declared, self._declared = self._declared, {}
        if self._skipped or not self._wanted(name):
            self._skipped += 1
            return
        scope: Mapping[str, str] = self._open[-1].scope if self._open else {}
        if declared:
            scope = {**scope, **declared}
            self._bindings += len(scope)
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(scope) > _MAX_PREFIXES or self._bindings > _MAX_BINDINGS:
            raise XmpTooLarge
        start = self._parser.CurrentByteIndex
        tag = _TAG.match(self._body, start)
        if tag is None:
            raise XmpMalformed
        self._keep(sum(map(len, attributes.values())))
        node = Node(name, attributes, scope, start, tag.end())
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _wanted(self, name: str) -> bool:
        if len(self._open) > 3:
            return True
        match [node.name for node in self._open]:
            case []:
                return True
            case [*_, parent] if parent == _RDF:
                return True
            case [_]:
                return name == _RDF
            case [first, _] if first == _RDF:
                return name in _PROPERTIES
            case [_, second, _] if second == _RDF:
                return name in _PROPERTIES
            case _:
                return True

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._skipped:
            self._skipped -= 1
            return
        node = self._open.pop()
        if self._body.endswith(b"/>", 0, node.opened):
            node.closing, node.end = node.start, node.opened
        else:
            node.closing = self._parser.CurrentByteIndex
            node.end = self._body.index(b">", node.closing) + 1

    def _text(self, text: str) -> None:
        if not self._skipped and self._open:
            self._keep(len(text))
            self._open[-1].texts.append(text)

    def _keep(self, characters: int) -> None:
        self._characters += characters
        if self._characters > _MAX_TEXT:
            raise XmpTooLarge
