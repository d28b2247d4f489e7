"""The welcome's files: the choices so far, and the usual folders for photos."""

from collections.abc import Iterable
from pathlib import Path

from agent.core.files import store_error, write_private

FILE = "welcome.json"


def read_choices(data: Path) -> str | None:
    """Return the choices; None if there are none, or they can't be read: then the welcome starts again."""
    try:
        return (data / FILE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def write_choices(data: Path, choices: str | None) -> None:
    """Write the choices; None deletes the file. Raises StoreError."""
    try:
        if choices is None:
            (data / FILE).unlink(missing_ok=True)
        else:
            write_private(data / FILE, choices.encode())
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
