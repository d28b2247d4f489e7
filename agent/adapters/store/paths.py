"""Which paths lie below a folder, as ranges of the path index."""

from sqlalchemy import ColumnElement, and_, not_, or_, true

from agent.adapters.store.schema import place
from agent.app.ports import Area


def below(folder: str) -> ColumnElement[bool]:
    """True for places inside the folder at any depth: `/a` holds `/a/b`, not `/ab` and not `/a` itself."""
    stem = stem_of(folder)
    return or_(*(and_(place.c.path >= stem + mark, place.c.path < stem + chr(ord(mark) + 1)) for mark in _separators(folder)))


def around(folder: str, after: str) -> ColumnElement[bool]:
    """True for places inside the folder that come behind the path `after`, and on Windows for some beside it (see `stems_of`).

    One range of the index, so that they are read in their order from where it begins.
    """
    stem, marks = stem_of(folder), _separators(folder)
    return and_(place.c.path > max(after, stem + min(marks)), place.c.path < stem + chr(ord(max(marks)) + 1))


def stems_of(folder: str) -> tuple[str, ...]:
    """One of these begins every path inside the folder, and no other."""
    return tuple(stem_of(folder) + mark for mark in _separators(folder))


def within(area: Area) -> ColumnElement[bool]:
    return and_(true() if area.root is None else below(area.root), *(not_(below(folder)) for folder in area.without))


def at_or_below(path: str) -> ColumnElement[bool]:
    return or_(place.c.path == path, below(path))


def stem_of(folder: str) -> str:
    """The folder without separators at its end; empty for the root."""
    return folder.rstrip(_separators(folder))


def _separators(path: str) -> str:
    # A path that starts with a slash is POSIX, where a backslash is a letter like any other; Windows takes both.
    return "/" if path.startswith("/") else "\\/"
