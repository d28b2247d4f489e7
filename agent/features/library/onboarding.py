"""The welcome of a new user: whether it is pending, its choices so far, and the usual folders for photos."""

from collections.abc import Callable, Iterable
from pathlib import Path

from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.files import store_error, write_private

DONE = "first_run_done"
CHOICES_FILE = "welcome.json"


class Onboarding:
    """All methods block. `watches` returns whether any folder is watched: then no welcome is needed.

    `read` and `write` store the choices so far, also over the program's end; None is nothing.
    """

    def __init__(
        self, library: LibraryQueries, watches: Callable[[], bool], read: Callable[[], str | None], write: Callable[[str | None], None]
    ) -> None:
        self._library = library
        self._watches = watches
        self._read = read
        self._write = write

    def needed(self) -> bool:
        """Return whether it is pending. Raises StoreError."""
        return not self._watches() and not self._library.noted(DONE)

    def chosen(self) -> str | None:
        """Return the last choices of `keep`, if it is pending. Raises StoreError."""
        return self._read() if self.needed() else None

    def keep(self, chosen: str) -> None:
        """Store choices; late ones, after the end, are ignored. Raises StoreError."""
        if self.needed():
            self._write(chosen)

    def done(self) -> None:
        """Complete the welcome. Raises StoreError."""
        self._library.set_flags({DONE: 1})
        self._write(None)


def read_choices(data: Path) -> str | None:
    """Return the choices; None if there are none, or they can't be read: then the welcome starts again."""
    try:
        return (data / CHOICES_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def write_choices(data: Path, choices: str | None) -> None:
    """Write the choices; None deletes the file. Raises StoreError."""
    try:
        if choices is None:
            (data / CHOICES_FILE).unlink(missing_ok=True)
        else:
            write_private(data / CHOICES_FILE, choices.encode())
    except OSError as error:
        raise store_error(error) from error


def usual_folders() -> tuple[str, ...]:
    """Return this user's folders for pictures, downloads and the desktop, the likeliest first. Blocks."""
    import platformdirs

    named = (platformdirs.user_pictures_dir, platformdirs.user_downloads_dir, platformdirs.user_desktop_dir)
    return tuple(_of_their_own(Path(find()) for find in named))


def _of_their_own(folders: Iterable[Path]) -> Iterable[str]:
    """Leave out the home folder, which a desktop names if it has no such folder: it contains too much."""
    seen = {Path.home()}
    for folder in folders:
        if folder not in seen and folder.is_dir():
            seen.add(folder)
            yield str(folder)
