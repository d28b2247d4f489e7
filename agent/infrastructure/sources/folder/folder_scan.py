"""Scans folders for image files and finds those that changed since the library's last state."""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from agent.domain.image import FileSeen, is_image, storable
from agent.infrastructure.core.abandonable_calls import raise_if_cancelled
from agent.infrastructure.core.extended_paths import verbatim
from agent.infrastructure.core.settings import Folder
from agent.infrastructure.core.user_paths import real_path, typed_path, with_known_prefix
from agent.infrastructure.sources.folder.folder_rules import Matcher

Facts: TypeAlias = tuple[int, int]  # size in bytes, mtime in nanoseconds
Entry: TypeAlias = tuple[str, Facts]


def folder_root(folder: Folder) -> str:
    """The absolute path of a watched folder, as used in `FileSeen.folder`, `SourceFailed.folder` and all paths below it."""
    return folder.root


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition(os.sep)[2]


def parent_of(path: str) -> str:
    """The folder of a path; empty at the top."""
    return path.rpartition(os.sep)[0]


def ancestors(path: str) -> Iterator[str]:
    """The folders above a path, innermost first."""
    while path := parent_of(path):
        yield path


def is_below(path: str, folder: str) -> bool:
    """Whether `path` lies inside `folder`, at any depth."""
    return path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


@dataclass(slots=True)
class Walk:
    """Image files below a folder as an iterator, in path order; symbolic links, devices, pipes and sockets are skipped.

    `unreadable` collects subfolders that could not be read, or only listed; `empty` reports that the top had no entries at all.
    Raises OSError if the top can't be read, Stopped in a thread of `cancellable` whose result is no longer wanted.
    """

    top: str
    matcher: Matcher
    inner: frozenset[str] = frozenset()  # folders that are watched separately
    unreadable: list[str] = field(default_factory=list)
    empty: bool = True

    def __iter__(self) -> Iterator[Entry]:
        open_ = [self._listed(self.top)]
        while open_:
            for path, entry, is_folder in open_[-1]:
                raise_if_cancelled()
                if is_folder:
                    open_.append(self._listed(path))
                    break
                if (facts := self._facts(path, entry)) is not None:
                    yield path, facts
            else:
                open_.pop()

    def _facts(self, path: str, entry: "os.DirEntry[str]") -> Facts | None:
        """The file's facts; None if unavailable. That does not end the walk: `missing` does not report it as gone."""
        try:
            facts = entry.stat(follow_symlinks=False)
        except PermissionError:  # its folder can be listed but not entered: the same for all files in it
            folder = parent_of(path)
            if folder == self.top.rstrip(os.sep):
                raise
            if folder not in self.unreadable:
                self.unreadable.append(folder)
            return None
        except OSError:
            return None  # deleted since it was listed, or a damaged place on the disk
        return facts.st_size, storable(facts.st_mtime_ns)

    def _listed(self, folder: str) -> Iterator[tuple[str, "os.DirEntry[str]", bool]]:
        """The relevant entries of a folder, each with its path and whether it is a folder."""
        found: list[tuple[str, os.DirEntry[str], bool]] = []
        above = folder if folder.endswith(os.sep) else folder + os.sep
        try:
            with os.scandir(verbatim(folder)) as entries:
                for entry in entries:
                    raise_if_cancelled()
                    self.empty = False
                    if (is_folder := self._wanted(above + entry.name, entry)) is not None:
                        # A folder's separator determines how paths below it sort among those beside it.
                        found.append((entry.name + os.sep if is_folder else entry.name, entry, is_folder))
        except OSError:
            if folder == self.top:
                raise
            self.unreadable.append(folder)
            return iter(())
        found.sort(key=itemgetter(0))
        return ((above + entry.name, entry, is_folder) for _, entry, is_folder in found)

    def _wanted(self, path: str, entry: "os.DirEntry[str]") -> bool | None:
        """Whether it is a folder; None for entries to skip."""
        try:
            if entry.is_dir(follow_symlinks=False):
                enters = path not in self.inner and self.matcher.enters_entry(path, entry.name) and not _is_junction(entry)
                return True if enters else None
            return False if self.matcher.takes_entry(path, entry.name) and entry.is_file(follow_symlinks=False) else None
        except FileNotFoundError:
            return None  # deleted since it was listed


def _is_junction(entry: "os.DirEntry[str]") -> bool:
    """Windows' other kind of link to a folder, which may lead to one above it."""
    tag = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)
    return tag is not None and getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == tag


class Comparison:
    """Compares a walk with the library's entries in parallel: both come in path order, and neither is held in memory.

    `lost` collects known files that were not found; `none_known` reports that the library knows no files here.
    """

    def __init__(self, entries: Iterable[Entry], known: Iterable[Entry] = ()) -> None:
        """`known` may read the library on each iteration, and raise StoreError."""
        self._entries = iter(entries)
        self._known = iter(known)
        self._next: Entry | None = None  # of the known ones
        self._begun = self._walked = False
        self.lost: list[str] = []
        self.none_known = True
        self.finished = False

    def step(self, files: int = 2000) -> list[Entry]:
        """Check the next files; returns the new or changed ones. Takes a few milliseconds, so that a stop takes effect."""
        if not self._begun:
            self._begun = True
            self._advance()
            self.none_known = self._next is None
        if self._walked:
            self._lose(files)
            return []
        looked = 0
        changed = []
        for path, facts in islice(self._entries, files):
            looked += 1
            while self._next is not None and self._next[0] < path:
                self._lose(1)
            if self._next is None or self._next[0] != path:
                changed.append((path, facts))
            else:
                if self._next[1] != facts:
                    changed.append((path, facts))
                self._advance()
        self._walked = looked < files
        self.finished = self._walked and self._next is None
        return changed

    def step_or_end(self) -> list[Entry]:
        """`step` for a folder that may be gone by now."""
        try:
            return self.step()
        except OSError:
            self.finished = True
            return []

    def _lose(self, count: int) -> None:
        """Record the next known entries as not found."""
        while count and self._next is not None:
            self.lost.append(self._next[0])
            self._advance()
            count -= 1
        self.finished = self._walked and self._next is None

    def _advance(self) -> None:
        self._next = next(self._known, None)


def file_facts(path: str) -> Facts | None:
    """Size and time of a regular file; None for any other type or no file."""
    try:
        facts = os.lstat(verbatim(path))
    except (OSError, ValueError):
        return None
    return (facts.st_size, storable(facts.st_mtime_ns)) if stat.S_ISREG(facts.st_mode) else None


def missing(paths: Iterable[str]) -> list[str]:
    """The paths that no longer exist; paths that can't be checked count as existing."""
    gone = []
    for path in paths:
        try:
            os.lstat(verbatim(path))
        except (FileNotFoundError, NotADirectoryError):
            gone.append(path)
        except OSError:
            continue
    return gone


def topmost(paths: Collection[str]) -> tuple[str, ...]:
    """The paths without those below another of them, sorted."""
    return tuple(sorted(path for path in paths if not any(above in paths for above in ancestors(path))))


def walk_images(paths: Iterable[str], folder: Folder | None = None, *, roots: Collection[str] = ()) -> Iterator[FileSeen]:
    """The images of a manual scan, each once: files as named, folders scanned by `folder`'s rules (not its path).

    Where case is ignored, files below one of the watched `roots` have the name that its watch gives them.

    A missing path, or an unreadable folder at any depth, has size and time 0, so that the analysis reports it.
    """
    rules = folder or Folder(path=".")
    met: set[str] = set()
    for path in map(typed_path, paths):
        for each, (size, mtime_ns) in walk_named(path, rules, is_image):
            found = with_known_prefix(each, roots)
            if found not in met:
                met.add(found)
                yield FileSeen(found, size, mtime_ns)


def walk_named(path: str, rules: Folder, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    """The named file, or the files of the named folder by these rules whose names are `wanted`; as `walk_images`."""
    try:
        if Path(verbatim(path)).is_dir():
            walk = Walk(path, Matcher(path, rules, wanted))
            yield from walk
            yield from ((folder, (0, 0)) for folder in walk.unreadable)
            return
    except OSError:
        yield path, (0, 0)
    else:
        yield path, file_facts(real_path(path)) or (0, 0)
