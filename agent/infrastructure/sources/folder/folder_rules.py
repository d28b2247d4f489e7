"""The rules for which files and folders inside a watched folder are included."""

import os
import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Final

from agent.domain.image import is_image, is_sidecar
from agent.infrastructure.core.settings import Folder, NamesInSidecars

# Folders that other programs show as one document: their content is internal, and mostly small copies.
PACKAGE_ENDINGS: Final = frozenset(
    {"app", "bundle", "framework", "rtfd", "photoslibrary", "photolibrary", "migratedphotolibrary", "aplibrary", "lrdata", "theater"}
    | {"cocatalog", "cosessiondb", "fcpbundle", "imovielibrary", "tvlibrary", "dvdmedia"}
)
# Folders in which systems, disks and network drives keep deleted files and their own small copies.
NOT_FOR_PEOPLE: Final = frozenset(
    {"$recycle.bin", "recycler", "recycled", "system volume information", "#recycle", "@recycle", "@eadir", ".trash", ".trashes"}
    | {".dropbox.cache", ".thumbnails", ".spotlight-v100", ".fseventsd", ".documentrevisions-v100", "lost+found"}
)


def is_closed(name: str) -> bool:
    """Whether a folder inside a watched one is never entered: another program's package, or a trash. It is if watched itself."""
    low = name.lower()
    _, dot, ending = low.rpartition(".")
    return (bool(dot) and ending in PACKAGE_ENDINGS) or low in NOT_FOR_PEOPLE or low.startswith(".trash-")


class Matcher:
    """The include and exclude patterns of a watched folder. Paths are absolute and below `root`; letter case does not matter."""

    def __init__(self, root: str, folder: Folder, wanted: Callable[[str], bool] = is_image) -> None:
        """`wanted` tests a file's name."""
        self._wanted = wanted
        self._cut = len(root) if root.endswith(os.sep) else len(root) + 1
        self._recursive = folder.recursive
        self._include = _any_of(folder.include)
        self._exclude = _any_of(folder.exclude)
        self.sidecars = folder.names_in_sidecars is not NamesInSidecars.OFF  # whether sidecars are included too

    def takes(self, path: str) -> bool:
        """Whether this file, and every folder above it, is included."""
        *above, name = self._parts(path)
        return self._wanted(name) and self._matches(self._include, above, name, empty=True) and self._holds(above, name)

    def takes_sidecar(self, path: str) -> bool:
        """The same for a sidecar, which need not match the include patterns: its photo does."""
        *above, name = self._parts(path)
        return self.sidecars and is_sidecar(name) and self._holds(above, name)

    def enters(self, path: str) -> bool:
        """Whether this folder inside the root is scanned."""
        parts = self._parts(path)
        return self._recursive and not any(map(is_closed, parts)) and not self._left_out(parts)

    def takes_entry(self, path: str, name: str) -> bool:
        """`takes` for a file whose folders were entered."""
        if not self._wanted(name):
            return False
        if self._include is not None and not (self._include.match(name) or self._include.match(self._relative(path))):
            return False
        return not self._excluded(path, name)

    def enters_entry(self, path: str, name: str) -> bool:
        """`enters` for a folder whose folders were entered."""
        return self._recursive and not is_closed(name) and not self._excluded(path, name)

    def _holds(self, above: list[str], name: str) -> bool:
        """Whether no pattern excludes such a file or a folder above it."""
        reached = not above or (self._recursive and not any(map(is_closed, above)))
        return reached and not self._left_out([*above, name])

    def _excluded(self, path: str, name: str) -> bool:
        return self._exclude is not None and bool(self._exclude.match(name) or self._exclude.match(self._relative(path)))

    def _left_out(self, parts: list[str]) -> bool:
        return any(self._matches(self._exclude, parts[:depth], name, empty=False) for depth, name in enumerate(parts))

    @staticmethod
    def _matches(pattern: "re.Pattern[str] | None", above: list[str], name: str, *, empty: bool) -> bool:
        return empty if pattern is None else bool(pattern.match(name) or pattern.match("/".join([*above, name])))

    def _relative(self, path: str) -> str:
        return path[self._cut :].replace(os.sep, "/")

    def _parts(self, path: str) -> list[str]:
        return self._relative(path).split("/")


def _any_of(patterns: Sequence[str]) -> "re.Pattern[str] | None":
    return re.compile("|".join(map(translate, patterns)), re.IGNORECASE) if patterns else None
