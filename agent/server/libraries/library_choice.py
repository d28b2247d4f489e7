"""Names of libraries, which library a name means, and the names under which members see the folders."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

from agent.domain.confusables import is_visible
from agent.domain.errors import LibraryNameInvalid, UploadLibrary
from agent.infrastructure.core.access_scope import SEPARATOR, Root, current_scope
from agent.server.libraries.records import REST, Library

LONGEST = 100
_LONGEST_INPUT = 400


def tidy_name(name: str) -> str:
    """The name as it is kept; it begins the paths that members see, so it holds no separator. Raises LibraryNameInvalid."""
    found = " ".join(unicodedata.normalize("NFC", name[:_LONGEST_INPUT]).split())
    if not 1 <= len(found) <= LONGEST or not is_visible(found) or SEPARATOR in found or "\\" in found:
        raise LibraryNameInvalid
    return found


def roots_of(
    library: Library, watched: Iterable[str], elsewhere: Iterable[str], named: Callable[[str], Sequence[str]] = lambda _: ()
) -> tuple[Root, ...]:
    """The library's folders as members see them. `elsewhere` are the folders that any library names.

    `named` returns names to use in place of a folder's own, the first one to be shown.
    """
    sources = [each for each in library.sources if each != REST]
    if REST in library.sources:
        sources += sorted(set(watched) - set(elsewhere))
    if len(sources) == 1:
        return (Root(sources[0], library.name),)
    found: dict[str, Root] = {}
    for path in sources:
        name, *others = named(path) or (PurePath(path).name or path,)
        base = shown = f"{library.name}{SEPARATOR}{name}"
        number = 1
        while shown in found:
            number += 1
            shown = f"{base} ({number})"
        found[shown] = Root(path, shown, tuple(f"{library.name}{SEPARATOR}{other}" for other in others))
    return tuple(found.values())


class LibraryChoice:
    """Which library something goes to, by its name; one that need not be named is the only one within the request's reach.

    `libraries` are the server's, by id and name.
    """

    def __init__(self, libraries: Callable[[], Sequence[tuple[int, str]]]) -> None:
        self._libraries = libraries

    def names(self) -> list[str]:
        """Return the names of those within reach."""
        return [name for _, name in self._within_reach()]

    def meant(self, name: str) -> int | None:
        """Return the library; None if the server has none. Raises UploadLibrary."""
        there = [number for number, each in self._within_reach() if not name or each.casefold() == name.casefold()]
        if len(there) == 1:
            return there[0]
        if not there and not name and current_scope() is None:
            return None
        raise UploadLibrary

    def _within_reach(self) -> list[tuple[int, str]]:
        reach = current_scope()
        return [each for each in self._libraries() if reach is None or each[0] in reach.libraries]
