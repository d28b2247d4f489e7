"""How far a request reaches: the libraries of a team server whose photos it may see, and how their paths are shown.

`agent.interfaces.web.scoped_route` sets it around each member's request, PostgreSQL's row security enforces it
(`agent.infrastructure.store.row_security`). Without
a reach everything is visible: on the desktop, to the server's administrators, and in the server's own work.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from agent.domain import desk_path, reference_path
from agent.domain.path_text import printable

SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the server, and the name that members see in place of its path."""

    path: str
    shown: str
    also: tuple[str, ...] = ()  # what members call it in other languages: a link may come from one of them


@dataclass(frozen=True, slots=True)
class AccessScope:
    libraries: frozenset[int]
    confided: frozenset[int] = frozenset()  # those of them in which consents are known: people who are not to be shown inside are shown
    curates: bool = False  # also sees people who are on no photo at all, such as those of a class list
    roots: tuple[Root, ...] = ()
    audited: frozenset[int] = frozenset()  # the libraries whose entries of the record are seen
    audits_all: bool = False  # sees every entry of the record, the server's own ones too

    def shown(self, path: str) -> str:
        """The path as members see it: `library/folder/file`; of a file elsewhere only its name."""
        inner = max((each for each in self.roots if _below(path, each.path) is not None), key=lambda each: len(each.path), default=None)
        if inner is None:
            return printable(path.replace("\\", SEPARATOR).rpartition(SEPARATOR)[2])
        rest = _below(path, inner.path)
        return printable(f"{inner.shown}{SEPARATOR}{rest}" if rest else inner.shown)

    def meant(self, shown: str) -> str | None:
        """The path of what is shown so; None if no folder within reach is."""
        names = [(name, each.path) for each in self.roots for name in (each.shown, *each.also)]
        for name, path in sorted(names, key=lambda each: len(each[0]), reverse=True):
            if (rest := _below(shown, name)) is not None and ".." not in rest.split(SEPARATOR):
                return f"{path.rstrip(SEPARATOR)}{SEPARATOR}{rest}" if rest else path
        return None


_reach: ContextVar[AccessScope | None] = ContextVar("reach", default=None)
_asked: ContextVar[frozenset[int]] = ContextVar("asked", default=frozenset())


def current_scope() -> AccessScope | None:
    """None: everything. Threads of `asyncio.to_thread` and new tasks inherit it."""
    return _reach.get()


def acting_libraries() -> frozenset[int]:
    """The libraries in which the member acts whose request this is, also where `everything` is lifted; empty: as an administrator."""
    return _asked.get()


@contextlib.contextmanager
def reaching(reach: AccessScope | None) -> Iterator[None]:
    """Limit all reading and writing inside."""
    token, asked = _reach.set(reach), _asked.set(_asked.get() if reach is None else reach.libraries)
    try:
        yield
    finally:
        _asked.reset(asked)
        _reach.reset(token)


def everything() -> contextlib.AbstractContextManager[None]:
    """Lift the limit inside, for what a request sets off for everyone: its own ids must have been checked before."""
    return reaching(None)


def shown_path(path: str) -> str:
    """The path as the caller may see it; of a photo that stays on a desk, the computer and the beginning of its digest."""
    if (where := desk_path.shown(path) or reference_path.shown(path)) is not None:
        return printable(where)
    reach = _reach.get()
    return printable(path) if reach is None else reach.shown(path)


def within_reach(root: str) -> bool:
    """Whether the watched folder is in a library that the caller may see."""
    reach = _reach.get()
    return reach is None or any(each.path == root for each in reach.roots)


def _below(path: str, folder: str) -> str | None:
    """The rest of a path inside a folder, empty for the folder itself; None outside of it."""
    stem = folder.rstrip("/\\")
    if path.rstrip("/\\") == stem:
        return ""
    rest = path.removeprefix(stem)
    return rest[1:].replace("\\", SEPARATOR) if len(rest) < len(path) and rest[:1] in ("/", "\\") else None
