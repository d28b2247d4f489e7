"""Captures as files: named by the time, written aside, and never in the place of another file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import platformdirs

from agent.adapters.durable import disk_full, sync_folder
from agent.domain.errors import CopyDiskFull, CopyUnwritable


def usual_name(now: datetime, folder: Path | None = None) -> str:
    """Of a PNG among the user's pictures, by the local time."""
    folder = folder or Path(platformdirs.user_pictures_dir())
    return str(folder / f"AI Popup {now.astimezone():%Y-%m-%d %H.%M.%S}.png")


def save(path: str, picture: bytes) -> str:
    """Under that name, or the next that is free; the name. Raises CopyDiskFull, CopyUnwritable."""
    target = Path(path).absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix=".ai-popup-", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            placed = _placed(Path(aside), target)
        finally:
            with suppress(FileNotFoundError):  # mostly moved away by now
                Path(aside).unlink()
        sync_folder(placed.parent)
    except OSError as error:
        raise (CopyDiskFull if disk_full(error) else CopyUnwritable) from error
    except ValueError as error:  # a name that no file can have
        raise CopyUnwritable from error
    return str(placed)


def _placed(aside: Path, target: Path) -> Path:
    for name in _names(target):
        try:
            if os.name == "nt":
                aside.rename(name)  # which refuses where something is
            else:
                os.link(aside, name)
        except FileExistsError:
            continue
        except OSError:
            if os.name == "nt" or name.exists():
                raise
            aside.rename(name)  # a file system without links
        return name
    raise AssertionError("there is always another number")


def _names(target: Path) -> Iterator[Path]:
    """`a.png`, `a (2).png`, ..."""
    yield target
    number = 2
    while True:
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")
        number += 1
