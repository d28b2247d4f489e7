"""The metadata of a file: what a copy may keep, and the kinds that it never does."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import PIL.Image

from agent.inference.vision.codecs import avif, heic, jpeg, pillow
from agent.inference.vision.codecs.boxes import boxes
from agent.inference.vision.codecs.file_bytes import FileBytes, unpadded

LARGEST: Final = 4_000_000  # bytes: longer ones are left out
_MORE_XMP: Final = b"http://ns.adobe.com/xmp/extension/\0"
_ADOBE: Final = (0xE0, 0xEE)  # JFIF, Adobe: the coding of the colours
_PNG_KNOWN: Final = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT", b"bKGD", b"cICP", b"hIST"}
_PNG_KINDS: Final = {b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"eXIf": "exif", b"iCCP": "", b"acTL": "frames", b"tIME": "time"}
# Chunks that define the meaning of the colours and the print size; with their lengths.
_PNG_COLOURS: Final = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"pHYs": 9}
_PNG_FRAMES: Final = {b"fcTL", b"fdAT"}
# PNG's standard keywords about a picture; other keywords contain programs' own data.
_PNG_TEXTS: Final = frozenset(
    {"Title", "Author", "Description", "Copyright", "Creation Time", "Software", "Disclaimer", "Source", "Comment"}
)
_LONGEST_TEXT: Final = 1000

_EIGHT: Final = 8  # bits per number
_HEIF_KINDS: Final = {b"thmb": "thumbnail", b"auxl": "pictures", b"tmap": "pictures"}
_AVIF_KINDS: Final = {b"thmb": "thumbnail", b"tmap": "pictures"}
_HEIF_BOXES: Final = {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide"}


@dataclass(slots=True)
class PhotoMetadata:
    exif: FileBytes = b""  # from its byte order on
    xmp: bytes = b""
    profile: bytes = b""  # ICC
    comment: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)  # of a PNG
    chunks: Mapping[bytes, bytes] = field(default_factory=dict)  # of a PNG: the meaning of its colours
    left: set[str] = field(default_factory=set)  # present kinds that no copy contains
    lossless: bool = True
    compression: str = ""  # of a TIFF, by Pillow's name
    coded: FileBytes = b""  # a JPEG's own bytes: they show how it was encoded
    sampling: str = ""  # of an AVIF's colours


def of_jpeg(data: FileBytes) -> PhotoMetadata:
    notes = PhotoMetadata(lossless=False, coded=data)
    parts: dict[int, bytes] = {}
    scan = len(data)
    for marker, at, end in jpeg.segments(data, 2, strict=False):
        if marker == jpeg.SCAN:
            scan = end
            break
        body = data[at:end]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            notes.exif = notes.exif or body[6:]
        elif marker == 0xE1 and body.startswith(jpeg.XMP):
            notes.xmp = notes.xmp or body[len(jpeg.XMP) :]
        elif marker == 0xE2 and body.startswith(jpeg.ICC):
            parts.setdefault(body[12] if len(body) > 12 else 0, body[14:])
        elif marker == 0xFE:
            notes.comment = body[:_LONGEST_TEXT].decode("utf-8", "replace").strip("\0")
        elif kind := _jpeg_kind(marker, body):
            notes.left.add(kind)
    notes.profile = b"".join(parts[number] for number in sorted(parts))[:LARGEST]
    end_mark = data.find(jpeg.END, scan)
    if 0 <= end_mark < unpadded(data) - 2:
        notes.left.add("trailing")
    return notes


def _jpeg_kind(marker: int, body: bytes) -> str:
    """Return the kind of a segment that is never copied; empty for one that only describes the coding."""
    if marker == 0xE0 and (body.startswith(b"JFXX") or (body.startswith(b"JFIF\0") and body[12:14] not in (b"\0\0", b""))):
        return "thumbnail"
    if marker == 0xE1 and body.startswith(_MORE_XMP):
        return "xmp"
    if marker == 0xE2 and body.startswith(b"MPF\0"):
        return "pictures"
    if marker == 0xED:
        return "iptc"
    return "application" if 0xE0 < marker <= 0xEF and marker not in _ADOBE else ""


def of_heic(data: FileBytes) -> PhotoMetadata:
    """Return the metadata of a HEIC; its library provides the rest, so only the header is read here."""
    opened = heic.open_file(data)
    info = opened.info
    notes = PhotoMetadata(
        lossless=False, exif=_exif(info.get("exif")), xmp=_bytes(info.get("xmp")), profile=_bytes(info.get("icc_profile"))
    )
    notes.left = _in_boxes(data, _HEIF_KINDS)
    if len(opened) > 1:
        notes.left.add("pictures")
    if "A" in opened.mode.upper():
        notes.left.add("alpha")
    if int(info.get("bit_depth") or _EIGHT) > _EIGHT:
        notes.left.add("depth")
    return notes


def _in_boxes(data: FileBytes, kinds: Mapping[bytes, str]) -> set[str]:
    """Return the kinds of content beside the pictures: `kinds` by their header names, and data after them, such as phones' videos."""
    head = data[:1_000_000]
    left = {kind for mark, kind in kinds.items() if mark in head}
    outer = [kind for kind, _ in boxes(data)]
    # Data after a box that no photo has, or another beginning.
    own = next((at for at, kind in enumerate(outer) if kind not in _HEIF_BOXES or (at and kind == b"ftyp")), len(outer))
    if own < len(outer):
        left.add("trailing")
    if b"moov" in outer[:own]:
        left.add("frames")
    return left


def of_opened(opened: PIL.Image.Image, data: FileBytes, name: str) -> PhotoMetadata:
    """Return the metadata of a picture opened by Pillow."""
    texts = getattr(opened, "text", None) or {}  # of a PNG, and first: only this reads what follows its picture
    info = opened.info
    notes = PhotoMetadata(exif=pillow.exif_of(opened)[:LARGEST], xmp=_bytes(info.get("xmp")), profile=_bytes(info.get("icc_profile")))
    comment = info.get("comment")
    notes.comment = (comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment or ""))[:_LONGEST_TEXT]
    notes.lossless = name in ("png", "bmp", "gif") or (name == "webp" and b"VP8L" in data[:100_000] and b"VP8 " not in data[:64])
    if getattr(opened, "n_frames", 1) > 1:
        notes.left.add("pages" if name == "tiff" else "frames")
    if name == "png":
        _png(notes, texts, data)
    elif reader := _KINDS.get(name):
        reader(notes, opened, data)
    return notes


def _png(notes: PhotoMetadata, texts: Mapping[str, str], data: FileBytes) -> None:
    chunks: dict[bytes, bytes] = {}
    at, own = 8, 0
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">L4s", data, at)
        known = _PNG_KINDS.get(kind, "application" if kind not in _PNG_KNOWN and kind not in _PNG_FRAMES else "")
        if size == _PNG_COLOURS.get(kind):
            chunks.setdefault(kind, data[at + 8 : at + 8 + size])
        at += size + 12
        if known == "text":
            own += not _is_metadata(data[at - size - 4 : at - 4])
        elif known and known != "exif":
            notes.left.add(known)
        if kind == b"IEND":
            break
    if at < len(data):
        notes.left.add("trailing")
    notes.chunks = chunks
    notes.texts = {key: str(text) for key, text in texts.items() if key in _PNG_TEXTS and len(text) <= _LONGEST_TEXT}
    if len(notes.texts) < own:
        notes.left.add("text")


def _is_metadata(text: bytes) -> bool:
    """Return whether a PNG text contains metadata."""
    return text.startswith((b"XML:com.adobe.xmp", b"Raw profile type"))


def _avif(notes: PhotoMetadata, opened: PIL.Image.Image, data: FileBytes) -> None:
    """Read AVIF. Its transparency is an auxiliary picture, and is kept."""
    notes.sampling = avif.coding_of(data).sampling
    notes.left |= _in_boxes(data, _AVIF_KINDS if opened.has_transparency_data else {**_AVIF_KINDS, b"auxl": "pictures"})


def _webp(notes: PhotoMetadata, _: PIL.Image.Image, data: FileBytes) -> None:
    if len(data) > int.from_bytes(data[4:8], "little") + 8 + 1:
        notes.left.add("trailing")


def _bmp(notes: PhotoMetadata, _: PIL.Image.Image, data: FileBytes) -> None:
    if 0 < int.from_bytes(data[2:6], "little") < len(data):
        notes.left.add("trailing")


def _gif(notes: PhotoMetadata, _: PIL.Image.Image, data: FileBytes) -> None:
    at = 13 + _gif_table(data[10:11])
    while data[at : at + 1] in (b"!", b","):
        if data[at : at + 1] == b",":  # a frame: its position, its table, and its code width
            at += 11 + _gif_table(data[at + 9 : at + 10])
        else:
            if data[at + 1 : at + 2] == b"\xff" and data[at + 3 : at + 14] != b"NETSCAPE2.0":
                notes.left.add("application")
            at += 2
        while size := data[at : at + 1].strip(b"\0"):
            at += 1 + size[0]
        at += 1
    if data[at + 1 :].strip(b"\0"):
        notes.left.add("trailing")


def _gif_table(flags: bytes) -> int:
    """Return the bytes of the colour table."""
    return 3 << (flags[0] & 7) + 1 if flags >= b"\x80" else 0


def _tiff(notes: PhotoMetadata, opened: PIL.Image.Image, data: FileBytes) -> None:
    """Read TIFF, whose EXIF is among its own tags."""
    tags = getattr(opened, "tag_v2", {})
    notes.compression = str(opened.info.get("compression") or "raw")
    notes.lossless = notes.compression not in ("jpeg", "tiff_jpeg", "webp")
    notes.exif = data
    for tag, kind in ((33723, "iptc"), (34377, "iptc"), (330, "preview"), (37724, "application")):
        if tag in tags:
            notes.left.add(kind)


_KINDS: Final[Mapping[str, Callable[[PhotoMetadata, PIL.Image.Image, FileBytes], None]]] = {
    "webp": _webp,
    "bmp": _bmp,
    "gif": _gif,
    "tiff": _tiff,
    "avif": _avif,
}


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace")
    return bytes(value) if isinstance(value, bytes | bytearray) and len(value) <= LARGEST else b""


def _exif(value: object) -> bytes:
    return _bytes(value).removeprefix(b"Exif\0\0")
