"""Saves captures: named by the time, written to a temporary file, and never over another file."""

import os
import tempfile
from datetime import datetime
from pathlib import Path

import platformdirs

from agent.infrastructure.core.files import copy_errors, move_new, numbered, sync_folder


def usual_name(now: datetime, folder: Path | None = None) -> str:
    """Return the name of a PNG in the Pictures folder, by local time."""
    folder = folder or Path(platformdirs.user_pictures_dir())
    return str(folder / f"AI Popup {now.astimezone():%Y-%m-%d %H.%M.%S}.png")


def save(path: str, picture: bytes) -> str:
    """Save under that name, or the next free one; return it. Raises CopyDiskFull, CopyUnwritable."""
    with copy_errors():
        target = Path(path).absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix=".ai-popup-", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            placed = _placed(aside, str(target))
        finally:
            Path(aside).unlink(missing_ok=True)  # usually moved already
        sync_folder(target.parent)
    return placed


def _placed(aside: str, target: str) -> str:
    for name in numbered(target):
        try:
            move_new(aside, name)
        except FileExistsError:
            continue
        return name
    raise AssertionError("there is always another number")
