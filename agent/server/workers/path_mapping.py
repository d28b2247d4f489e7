"""Folders of the server that are mounted elsewhere on a worker."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from agent.domain.errors import ImageMissing, ImageUnreadable, WorkerFolderAway
from agent.domain.path_text import is_remote


class Roots:
    """Maps the server's paths to this machine's. The longest matching root counts; other paths are the same on both."""

    def __init__(self, roots: Iterable[tuple[str, str]] = ()) -> None:
        self._roots = sorted(((_bare(server), _bare(local)) for server, local in roots), key=lambda each: len(each[0]), reverse=True)
        self._watched: tuple[str, ...] = ()

    @classmethod
    def parse(cls, words: Iterable[str]) -> "Roots":
        """From `SERVER_PATH=LOCAL_PATH`, both absolute. Raises ValueError."""
        return cls(_pair(word) for word in words)

    def watched(self, folders: Iterable[str]) -> None:
        """Note the server's watched folders, for a worker on another computer, where they may not be mounted."""
        self._watched = tuple(map(_bare, folders))

    def local(self, path: str) -> str:
        if (found := self._root_of(path)) is None:
            return path
        server, local = found
        rest, mark = path[len(server) :], "\\" if "\\" in local else "/"
        return local + rest.replace("/", mark).replace("\\", mark) if rest and rest[0] != mark else local + rest

    def opener(self, open_item: Callable[[str], int]) -> Callable[[str], int]:
        """Return `open_item` for the server's paths. It raises WorkerFolderAway if the photo's folder isn't mounted here."""

        def opened(path: str) -> int:
            if is_remote(path):
                return open_item(path)
            try:
                return open_item(self.local(path))
            except (ImageMissing, ImageUnreadable) as error:
                if self._is_away(path):
                    raise WorkerFolderAway from error
                raise

        return opened

    def _root_of(self, path: str) -> tuple[str, str] | None:
        """Return the root that the path is below, on the server and here."""
        return next(((server, local) for server, local in self._roots if _is_below(path, server)), None)

    def _is_away(self, path: str) -> bool:
        """Whether the root that the path is below is not here, or it is in a watched folder, of which none is here. Blocks.

        If others are here, one that is missing was deleted, or is missing on the server, too: it must not keep their photos waiting.
        """
        if (found := self._root_of(path)) is not None and _is_empty(Path(found[1])):
            return True
        watched = any(_is_below(path, folder) for folder in self._watched)
        return watched and not any(Path(self.local(folder)).is_dir() for folder in self._watched)


def _is_below(path: str, folder: str) -> bool:
    rest = path[len(folder) :]
    return path.startswith(folder) and (not rest or rest[0] in "/\\")


def _is_empty(folder: Path) -> bool:
    """Whether it is missing, empty as a mount point without its drive, or does not answer. Blocks."""
    try:
        return next(folder.iterdir(), None) is None
    except OSError:
        return True


def _pair(word: str) -> tuple[str, str]:
    server, _, local = word.partition("=")
    if not all(PurePosixPath(each).is_absolute() or PureWindowsPath(each).is_absolute() for each in (server, local)):
        raise ValueError(word)
    return server, local


def _bare(path: str) -> str:
    return path.rstrip("/\\") if len(path) > 1 else ""
