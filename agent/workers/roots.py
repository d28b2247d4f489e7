"""Folders of the server that are mounted elsewhere on a worker."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath, PureWindowsPath

from agent.domain.path_text import is_remote


class Roots:
    """Maps the server's paths to this machine's. The longest matching root counts; other paths are the same on both."""

    def __init__(self, roots: Iterable[tuple[str, str]] = ()) -> None:
        self._roots = sorted(((_bare(server), _bare(local)) for server, local in roots), key=lambda each: len(each[0]), reverse=True)

    @classmethod
    def parse(cls, words: Iterable[str]) -> "Roots":
        """From `SERVER_PATH=LOCAL_PATH`, both absolute. Raises ValueError."""
        return cls(_pair(word) for word in words)

    def local(self, path: str) -> str:
        for server, local in self._roots:
            rest = path[len(server) :]
            if path.startswith(server) and (not rest or rest[0] in "/\\"):
                mark = "\\" if "\\" in local else "/"
                return local + rest.replace("/", mark).replace("\\", mark) if rest and rest[0] != mark else local + rest
        return path

    def opener(self, open_item: Callable[[str], int]) -> Callable[[str], int]:
        """Return `open_item` for the server's paths."""
        return lambda path: open_item(path if is_remote(path) else self.local(path))


def _pair(word: str) -> tuple[str, str]:
    server, _, local = word.partition("=")
    if not all(PurePosixPath(each).is_absolute() or PureWindowsPath(each).is_absolute() for each in (server, local)):
        raise ValueError(word)
    return server, local


def _bare(path: str) -> str:
    return path.rstrip("/\\") if len(path) > 1 else ""
