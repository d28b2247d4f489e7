"""Builds EXIF for a copy: the camera's facts, without entries that can contain a picture or are no longer true."""

import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import PIL.Image

from agent.domain.errors import ImageCorrupt
from agent.inference.vision.codecs import tiff
from agent.inference.vision.codecs.file_bytes import FileBytes, as_file

_EXIF, _GPS, _THUMBNAIL = 0x8769, 0x8825, -1  # directories; the last is Pillow's number for the second one
_MAKER_NOTE, _ORIENTATION, _WIDTH, _HEIGHT = 0x927C, 0x112, 0xA002, 0xA003
# Description, make, model, resolution, software, date, artist, rating, copyright, and Windows' title, comment, author, subject.
_KEPT: Final = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 18246, 18249, 33432, 40091, 40092, 40093, 40095})
# Of these, texts that people write about a picture; and such texts in EXIF's own directory.
_WORDS: Final = frozenset({270, 40091, 40092, 40095})
_INNER_WORDS: Final = frozenset({0x9286, 0xA436})  # a comment, and EXIF 3.0's title
# Pointers to other directories, sizes that are written anew, and one sound file.
_LEFT_IN_EXIF: Final = frozenset({_MAKER_NOTE, 0xA005, 0xA004, _WIDTH, _HEIGHT})
_LONGEST: Final = 1000  # bytes or numbers: no picture is this small
_DPI: Final = frozenset({282, 283, 296})


class _Letters(str):
    """A text as it was read, byte for byte: Pillow would write question marks for all but ASCII."""

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        return super().encode("latin-1", "replace")


def lettered(entries: Iterable[tuple[int, Any]]) -> dict[int, Any]:
    """Wrap the texts for Pillow's writer."""
    return {tag: _Letters(value) if isinstance(value, str) else value for tag, value in entries}


def cleaned(exif: FileBytes, width: int, height: int, *, strip: bool, faces_covered: bool) -> tuple[bytes, set[str]]:
    """Return the EXIF of a copy of that size, empty if there is none, and the removed kinds.

    With `faces_covered`, descriptions are removed: they may name the people.
    """
    found = _load(exif)
    if found is None:
        return b"", {"exif"} if exif else set()
    inner, place = (_directory(found, number) for number in (_EXIF, _GPS))
    gone: set[str] = set()
    if _directory(found, _THUMBNAIL):
        gone.add("thumbnail")
    if _MAKER_NOTE in inner:
        gone.add("maker-note")
    if found.get(_ORIENTATION, 1) not in (0, 1):
        gone.add("orientation")
    if strip:
        told = any(tag in _KEPT - _DPI for tag in found)
        return b"", gone | ({"exif"} if told or inner else set()) | ({"gps"} if place else set())
    if faces_covered and (_WORDS & found.keys() or _INNER_WORDS & inner.keys()):
        gone.add("comment")
        found_tags = {tag: value for tag, value in found.items() if tag not in _WORDS}
        inner = {tag: value for tag, value in inner.items() if tag not in _INNER_WORDS}
    else:
        found_tags = dict(found.items())
    kept = PIL.Image.Exif()
    kept.endian = found.endian
    kept.update(_small((tag, value) for tag, value in found_tags.items() if tag in _KEPT))
    if inner := _small((tag, value) for tag, value in inner.items() if tag not in _LEFT_IN_EXIF):
        kept[_EXIF] = {**inner, _WIDTH: width, _HEIGHT: height}
    if place := _small(place.items()):
        kept[_GPS] = place
    if not kept:
        return b"", gone
    with suppress(Exception):  # values of a type that does not fit their tag
        return kept.tobytes().removeprefix(b"Exif\0\0"), gone
    return b"", gone | {"exif"}


def _load(exif: FileBytes) -> PIL.Image.Exif | None:
    """Load EXIF; None if invalid."""
    try:
        tiff.check_values(exif, inside=(_EXIF, _GPS))
        found = PIL.Image.Exif()
        found.load(exif) if isinstance(exif, bytes) else found.load_from_fp(as_file(exif))
        return found if found else None
    except (ImageCorrupt, OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error, EOFError):
        return None


def _directory(found: PIL.Image.Exif, number: int) -> dict[int, Any]:
    with suppress(Exception):  # anything that broken bytes cause
        return dict(found.get_ifd(number))
    return {}


def _small(entries: Iterable[tuple[int, Any]]) -> dict[int, Any]:
    small = (each for each in entries if not isinstance(each[1], dict) and (not hasattr(each[1], "__len__") or len(each[1]) <= _LONGEST))
    return lettered(small)
