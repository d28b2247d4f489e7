"""Paths below a folder, as ranges of the path index."""

from dataclasses import dataclass
from typing import Final, Literal
from unicodedata import normalize

from sqlalchemy import ColumnElement, LargeBinary, and_, func, not_, or_, true, type_coerce

from agent.domain.path_text import is_remote
from agent.infrastructure.store.dialects.functions import contains_text
from agent.infrastructure.store.schema import place


@dataclass(frozen=True, slots=True)
class FolderArea:
    """Files below a folder (None: all), except those below folders with their own entry."""

    root: str | None = None
    without: tuple[str, ...] = ()


_FORMS: Final[tuple[Literal["NFC", "NFD"], ...]] = ("NFC", "NFD")
EVERYWHERE = FolderArea()


def below(folder: str) -> ColumnElement[bool]:
    """True for places inside the folder at any depth: `/a` holds `/a/b`, not `/ab` and not `/a` itself."""
    stem = stem_of(folder)
    return or_(*(and_(place.c.path >= stem + mark, place.c.path < stem + chr(ord(mark) + 1)) for mark in _separators(folder)))


def around(folder: str, after: str) -> ColumnElement[bool]:
    """True for places inside the folder that sort after the path `after`, and on Windows for some beside it (see `stems_of`).

    A single range of the index, so that rows are read in order from its start.
    """
    stem, marks = stem_of(folder), _separators(folder)
    return and_(place.c.path > max(after, stem + min(marks)), place.c.path < stem + chr(ord(max(marks)) + 1))


def stems_of(folder: str) -> tuple[str, ...]:
    """Prefixes: every path inside the folder starts with one of them, and no other path does."""
    return tuple(stem_of(folder) + mark for mark in _separators(folder))


def within(area: FolderArea) -> ColumnElement[bool]:
    return and_(true() if area.root is None else below(area.root), *(not_(below(folder)) for folder in area.without))


def at_or_below(path: str) -> ColumnElement[bool]:
    return or_(place.c.path == path, below(path))


def name_matches(text: str) -> ColumnElement[bool]:
    """True for places with `text` in the part of their path inside the watched folder, ignoring case."""
    inside = func.substr(_bytes(place.c.path), func.coalesce(func.length(_bytes(place.c.folder)), 0) + 1)
    return or_(*(contains_text(inside, each) for each in folded_forms(text)))


def folded_forms(text: str) -> tuple[str, ...]:
    """Return what to search for instead of a text, ignoring case. Most texts have one form.

    Databases only fold ASCII case: other letters are searched as typed, in lower case and in upper case, and with their accents apart,
    as disks and archives of Macs have them.
    """
    cases = (text, text.lower(), text.upper())
    return tuple(sorted({ascii_lower(normalize(form, each)) for form in _FORMS for each in cases}))


def folder_inside(folder: str, path: str) -> str | None:
    """The direct subfolder of `folder` that contains the path; None for a file directly in `folder`."""
    start = len(stem_of(folder)) + 1
    ends = [end for mark in _separators(folder) if (end := path.find(mark, start)) >= 0]
    return path[: min(ends)] if ends else None


def ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _bytes(column: ColumnElement[str]) -> ColumnElement[bytes]:
    return type_coerce(column, LargeBinary)


def stem_of(folder: str) -> str:
    """The folder without trailing separators; empty for the root."""
    return folder.rstrip(_separators(folder))


def _separators(path: str) -> str:
    # A path that starts with a slash is POSIX, where a backslash is an ordinary character, as in a bucket; Windows accepts both.
    return "/" if path.startswith("/") or is_remote(path) else "\\/"
