"""Builds XMP for a copy: known properties, written anew. Faces, people, embedded pictures, depth maps and histories are not among them."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Final

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META: Final = "adobe:ns:meta/"
_DC: Final = "http://purl.org/dc/elements/1.1/"
_XMP: Final = "http://ns.adobe.com/xap/1.0/"
_TIFF: Final = "http://ns.adobe.com/tiff/1.0/"
_EXIF: Final = "http://ns.adobe.com/exif/1.0/"
_PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
_PLACE: Final = frozenset({"GPSLatitude", "GPSLongitude", "GPSAltitude", "GPSAltitudeRef", "GPSTimeStamp", "GPSMapDatum", "GPSVersionID"})
# Namespace -> its usual prefix and the properties to keep.
_KEPT: Final[dict[str, tuple[str, frozenset[str]]]] = {
    _DC: ("dc", frozenset({"title", "description", "creator", "rights", "subject", "source", "publisher", "language"})),
    _XMP: ("xmp", frozenset({"CreateDate", "ModifyDate", "MetadataDate", "CreatorTool", "Rating", "Label"})),
    _TIFF: ("tiff", frozenset({"Make", "Model", "Artist", "Copyright", "ImageDescription", "Software", "DateTime"})),
    _EXIF: (
        "exif",
        _PLACE
        | frozenset({"DateTimeOriginal", "DateTimeDigitized", "ExposureTime", "FNumber", "ISOSpeedRatings", "FocalLength", "Flash"})
        | frozenset({"FocalLengthIn35mmFilm", "ExposureProgram", "ExposureBiasValue", "MeteringMode", "WhiteBalance", "LensModel"}),
    ),
    _PHOTOSHOP: (
        "photoshop",
        frozenset({"DateCreated", "Headline", "City", "State", "Country", "Credit", "Source", "AuthorsPosition", "CaptionWriter"}),
    ),
    "http://ns.adobe.com/xap/1.0/rights/": ("xmpRights", frozenset({"Marked", "Owner", "UsageTerms", "WebStatement"})),
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": ("Iptc4xmpCore", frozenset({"Location", "CountryCode", "Scene", "IntellectualGenre"})),
    "http://ns.adobe.com/exif/1.0/aux/": ("aux", frozenset({"Lens", "LensInfo"})),
}
# Of these, texts that people write about a picture.
_WORDS: Final = frozenset({(_DC, "subject"), (_DC, "title"), (_DC, "description"), (_TIFF, "ImageDescription"), (_PHOTOSHOP, "Headline")})
# Local names that identify the removed kinds.
_KINDS: Final = (
    (re.compile(r"Regions?$|RegionInfo|PersonInImage|PersonDisplayName|hierarchicalSubject|TagsList"), "people"),
    (re.compile(r"Thumbnail"), "thumbnail"),
    (re.compile(r"^(Data|Directory|HasExtendedXMP|Version|GainMap.*|Depth.*|Mime)$"), "pictures"),
    (re.compile(r"History|DocumentAncestors|DerivedFrom|Ingredients|Pantry"), "history"),
)
_LARGEST: Final = 1_000_000  # bytes
_LONGEST: Final = 2000  # characters of one property


def cleaned(packet: bytes, *, strip: bool, faces_covered: bool) -> tuple[bytes, set[str]]:
    """Return the packet for a copy, empty if nothing is left of it, and the removed kinds.

    With `faces_covered`, keywords, titles and descriptions are removed: they may name the people.
    """
    if not packet:
        return b"", set()
    root = _parse(packet)
    if root is None:
        return b"", {"xmp"}
    gone: set[str] = set()
    kept = ElementTree.Element(f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})
    for name, value in _properties(root):
        if not strip and _keeps(name, faces_covered) and _length(value) <= _LONGEST:
            if isinstance(value, str):
                kept.set(name, value)
            else:
                kept.append(value)
        else:
            gone.add(_kind(name))
    if any(name.startswith(f"{{{_EXIF}}}GPS") for name, _ in _properties(root)) and strip:
        gone.add("gps")
    if strip:
        gone.add("xmp")
    return (b"" if len(kept) + len(kept.attrib) <= 1 else _packet(kept)), gone


def _parse(packet: bytes) -> ElementTree.Element | None:
    if len(packet) > _LARGEST:
        return None
    try:
        text = packet.strip(b"\0 \r\n\t").decode("utf-8-sig")
        # No document type, so no entity can expand; as text, so no other encoding hides one.
        return None if "<!" in text.replace("<!--", "") else ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError):
        return None


def _properties(root: ElementTree.Element) -> Iterator[tuple[str, str | ElementTree.Element]]:
    """Yield the properties; names are "{namespace}local"."""
    for description in root.iter(f"{{{RDF}}}Description"):
        yield from ((name, value) for name, value in description.attrib.items() if not name.startswith(f"{{{RDF}}}"))
        yield from ((child.tag, child) for child in description)


def _keeps(name: str, faces_covered: bool) -> bool:
    namespace, _, local = name[1:].partition("}")
    if faces_covered and (namespace, local) in _WORDS:
        return False
    return local in _KEPT.get(namespace, ("", frozenset()))[1]


def _length(value: str | ElementTree.Element) -> int:
    if isinstance(value, str):
        return len(value)
    parts = list(value.iter())
    allowed = {f"{{{RDF}}}{kind}" for kind in ("Bag", "Seq", "Alt", "li")}
    if any(part.tag not in allowed for part in parts[1:]):
        return _LONGEST + 1  # a structure may contain anything
    return sum(len(part.text or "") + sum(map(len, part.attrib.values())) for part in parts)


def _kind(name: str) -> str:
    namespace, _, local = name[1:].partition("}")
    if (namespace, local) == (_DC, "subject"):
        return "keywords"
    if (namespace, local) in _WORDS:
        return "comment"
    return next((kind for pattern, kind in _KINDS if pattern.search(local)), "xmp")


def _packet(kept: ElementTree.Element) -> bytes:
    for namespace, (prefix, _) in (*_KEPT.items(), (RDF, ("rdf", ())), (_META, ("x", ()))):
        ElementTree.register_namespace(prefix, namespace)
    meta = ElementTree.Element(f"{{{_META}}}xmpmeta")
    ElementTree.SubElement(meta, f"{{{RDF}}}RDF").append(kept)
    body: bytes = ElementTree.tostring(meta, "utf-8", xml_declaration=False)
    return b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>' + body + b'<?xpacket end="w"?>'
