"""Names of libraries, and the names under which members see their folders."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

from agent.core.reach import SEPARATOR, Root
from agent.domain.errors import LibraryNameInvalid
from agent.libraries.records import REST, Library

LONGEST = 100
_LONGEST_INPUT = 400


def tidy_name(name: str) -> str:
    """The name as it is kept; it begins the paths that members see, so it holds no separator. Raises LibraryNameInvalid."""
    found = " ".join(unicodedata.normalize("NFC", name[:_LONGEST_INPUT]).split())
    if not 1 <= len(found) <= LONGEST or not found.isprintable() or SEPARATOR in found or "\\" in found:
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
