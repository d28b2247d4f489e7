"""The names of the folders of uploads, which on the disk are called by a number."""

from collections.abc import Callable, Sequence

from agent.infrastructure.core.i18n import LANGUAGES, Texts

_INSIDE = "uploads.folder.inside"


class UploadFolderNames:
    """`library_of` returns the library whose uploads are in a folder, None for other folders; `libraries` are all of them, with names."""

    def __init__(
        self, library_of: Callable[[str], int | None], libraries: Callable[[], Sequence[tuple[int, str]]], texts: Callable[[], Texts]
    ) -> None:
        self._library_of = library_of
        self._libraries = libraries
        self._texts = texts

    def inside(self, root: str) -> tuple[str, ...]:
        """Return the name of a folder of uploads among its library's folders, in every language, the request's first; of others nothing."""
        if self._library_of(root) is None:
            return ()
        here = self._texts().language
        return tuple(Texts(language)(_INSIDE) for language in sorted(LANGUAGES, key=lambda each: each != here))

    def whole(self, root: str) -> str | None:
        """Return the name of a folder of uploads among all folders; None for others."""
        library = self._library_of(root)
        if library is None:
            return None
        name = dict(self._libraries()).get(library)
        return self._texts()(_INSIDE) if name is None else self._texts()("uploads.folder.of_library", library=name)
