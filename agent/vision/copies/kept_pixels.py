"""What of a file's notes goes into its copy, and which kinds do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agent.vision.copies import exif, icc, xmp_copy
from agent.vision.copies.notes import Notes

# Of a PNG's texts, those that may name who is on it.
_WORDS: Final = frozenset({"Title", "Description", "Comment"})


@dataclass(frozen=True, slots=True)
class Kept:
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    comment: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    chunks: Mapping[bytes, bytes] = field(default_factory=dict)  # of a PNG that stays one
    removed: tuple[str, ...] = ()  # kinds that were there, by name

    def without(self, *kinds: str) -> "Kept":
        """For a format, or a size, that has no room for these: "exif", "xmp", "profile", "comment", "texts"."""
        there = [kind for kind in kinds if getattr(self, kind)]
        empty = {kind: type(getattr(self, kind))() for kind in there}
        said = {"comment" if kind == "texts" else kind for kind in there} - {"profile"}
        return replace(self, **empty).noting(*said)

    def noting(self, *kinds: str) -> "Kept":
        """These went, too."""
        return replace(self, removed=tuple(sorted({*self.removed, *kinds})))


def kept_of(notes: Notes, profile: bytes, width: int, height: int, *, strip: bool, faces_covered: bool) -> Kept:
    """`profile` is the one the numbers of the copy's pixels are in, `faces_covered` whether the copy covers any face."""
    told, gone = exif.cleaned(notes.exif, width, height, strip=strip, faces_covered=faces_covered)
    if "pages" in notes.left:
        gone.discard("thumbnail")  # it stands where a TIFF's second page does
    packet, more_gone = xmp_copy.cleaned(notes.xmp, strip=strip, faces_covered=faces_covered)
    comment = "" if strip or faces_covered else notes.comment
    texts = {key: text for key, text in notes.texts.items() if not strip and not (faces_covered and key in _WORDS)}
    if comment != notes.comment or len(texts) < len(notes.texts):
        gone.add("comment")
    removed = notes.left | gone | more_gone
    colours = icc.cleaned(profile)
    kinds = tuple(sorted({"comment" if kind == "text" else kind for kind in removed}))
    return Kept(told, packet, colours, comment, texts, notes.chunks, kinds)
