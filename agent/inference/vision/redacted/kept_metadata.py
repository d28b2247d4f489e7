"""Chooses which of a file's metadata its copy keeps, and lists the removed kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agent.inference.vision.redacted import exif, icc, xmp_copy
from agent.inference.vision.redacted.metadata import PhotoMetadata

# PNG texts that may name the people in the picture.
_WORDS: Final = frozenset({"Title", "Description", "Comment"})


@dataclass(frozen=True, slots=True)
class KeptMetadata:
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    comment: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    chunks: Mapping[bytes, bytes] = field(default_factory=dict)  # of a PNG whose copy is a PNG
    removed: tuple[str, ...] = ()  # present kinds that were removed, by name

    def without(self, *kinds: str) -> "KeptMetadata":
        """Remove what a format or a size can't store: "exif", "xmp", "profile", "comment", "texts"."""
        there = [kind for kind in kinds if getattr(self, kind)]
        empty = {kind: type(getattr(self, kind))() for kind in there}
        said = {"comment" if kind == "texts" else kind for kind in there} - {"profile"}
        return replace(self, **empty).noting(*said)

    def noting(self, *kinds: str) -> "KeptMetadata":
        """Add removed kinds."""
        return replace(self, removed=tuple(sorted({*self.removed, *kinds})))


def kept_of(notes: PhotoMetadata, profile: bytes, width: int, height: int, *, strip: bool, faces_covered: bool) -> KeptMetadata:
    """Return the kept metadata; `profile` is the one of the copy's pixels, `faces_covered` whether the copy covers a face."""
    told, gone = exif.cleaned(notes.exif, width, height, strip=strip, faces_covered=faces_covered)
    if "pages" in notes.left:
        gone.discard("thumbnail")  # it is where a TIFF's second page is
    packet, more_gone = xmp_copy.cleaned(notes.xmp, strip=strip, faces_covered=faces_covered)
    comment = "" if strip or faces_covered else notes.comment
    texts = {key: text for key, text in notes.texts.items() if not strip and not (faces_covered and key in _WORDS)}
    if comment != notes.comment or len(texts) < len(notes.texts):
        gone.add("comment")
    removed = notes.left | gone | more_gone
    colours = icc.cleaned(profile)
    kinds = tuple(sorted({"comment" if kind == "text" else kind for kind in removed}))
    return KeptMetadata(told, packet, colours, comment, texts, notes.chunks, kinds)
