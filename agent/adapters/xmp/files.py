"""Sidecars as files: which belong to a photo, read with a bound, replaced whole and only if nobody else wrote meanwhile."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.adapters.durable import disk_full, sync_folder
from agent.adapters.online_only import is_online_only
from agent.adapters.xmp.tree import MAX_BYTES
from agent.domain.errors import XmpDiskFull, XmpTooLarge, XmpUnreadable, XmpUnwritable
from agent.domain.image import SIDECAR_ENDING, is_image

_IN_USE: Final = (32, 33)  # Windows: another program has it open right now


@dataclass(frozen=True, slots=True)
class SidecarFile:
    """A sidecar as it was read."""

    path: Path
    data: bytes
    mtime_ns: int


def long_name(photo: Path) -> Path:
    """`IMG.jpg.xmp`, as digiKam and darktable write: it can only be this photo's."""
    return photo.with_name(photo.name + SIDECAR_ENDING)


def short_name(photo: Path) -> Path:
    """`IMG.xmp`, as Lightroom writes."""
    return photo.with_name(photo.stem + SIDECAR_ENDING)


def read(path: Path) -> SidecarFile | None:
    """None if there is none. Raises XmpTooLarge, XmpUnreadable."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) or is_online_only(str(path)):  # a pipe would never end, a cloud would be asked
            raise XmpUnreadable
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        raise XmpUnreadable from None
    if len(data) > MAX_BYTES:
        raise XmpTooLarge
    return SidecarFile(path, data, facts.st_mtime_ns)


def has_namesakes(photo: Path) -> bool:
    """Whether another image beside it differs in the ending only, so that `IMG.xmp` could be either's."""
    try:
        with os.scandir(photo.parent) as entries:
            return any(
                entry.name != photo.name and is_image(entry.name) and os.path.splitext(entry.name)[0] == photo.stem  # noqa: PTH122
                for entry in entries
            )
    except OSError:
        raise XmpUnreadable from None


def replace(path: Path, data: bytes, old: SidecarFile | None, photo: Path) -> bool:
    """Write a sidecar whole, with the rights of the old one, or the photo's. False, and nothing done, if it isn't `old` any more.

    Raises XmpDiskFull, XmpUnwritable.
    """
    target = Path(os.path.realpath(path))  # where it is a link, the link stays
    temporary = _temporary(target)
    try:
        if old is not None and not _may_write(target):
            raise XmpUnwritable
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb") as file:
            file.write(data)
            file.flush()
            _dress(temporary, target if old else None, photo)
            os.fsync(file.fileno())
        if not _still(path, old):
            return False
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        if getattr(error, "winerror", 0) in _IN_USE:
            return False
        raise (XmpDiskFull if disk_full(error) else XmpUnwritable) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def clear(path: Path) -> None:
    """Remove what a killed program left of a sidecar half written: it holds names too. Raises XmpUnwritable."""
    try:
        _temporary(Path(os.path.realpath(path))).unlink(missing_ok=True)
    except OSError:
        raise XmpUnwritable from None


def _temporary(target: Path) -> Path:
    """Always the same for a sidecar, so that nothing is ever left beyond the next time; short, whatever the sidecar's name."""
    return target.with_name(f".ai-popup-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.tmp")


def _may_write(path: Path) -> bool:
    """Replacing a file asks for the folder's rights only: that somebody made it read-only counts all the same."""
    return bool(path.stat().st_mode & 0o222) and os.access(path, os.W_OK)


def _dress(temporary: Path, old: Path | None, photo: Path) -> None:
    if old is None:
        with contextlib.suppress(OSError):
            temporary.chmod(stat.S_IMODE(photo.stat().st_mode) & 0o666 | 0o600)
        return
    with contextlib.suppress(OSError):
        shutil.copystat(old, temporary)  # extended attributes too, where there are such
        os.utime(temporary)
    if os.name == "posix":
        with contextlib.suppress(OSError):
            facts = old.stat()
            os.chown(temporary, facts.st_uid, facts.st_gid)


def _still(path: Path, old: SidecarFile | None) -> bool:
    """Whether the sidecar is what was read. The content is compared, for times can be coarse."""
    now = read(path)
    return (now and now.data) == (old and old.data)
