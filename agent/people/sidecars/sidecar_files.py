"""Sidecars as files: which belong to a photo, read with a bound, replaced whole and only if no other program wrote meanwhile.

A photo's folder may come from anyone, with links in it. A sidecar is made under its own name only, where nothing is, and a link is followed
only to a sidecar that exists in the same watched folder.
"""

import contextlib
import errno
import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.core.bounded_read import TooLong, read_regular
from agent.core.files import create_file, disk_full, move_new, sync_folder
from agent.domain.errors import XmpDiskFull, XmpLinked, XmpTooLarge, XmpUnreadable, XmpUnwritable
from agent.domain.image import SIDECAR_ENDING, is_image
from agent.people.sidecars.xmp_tree import MAX_BYTES
from agent.sources.folder.online_only import is_online_only

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
        if is_online_only(str(path)):  # a cloud would be asked
            raise XmpUnreadable
        data, facts = read_regular(path, MAX_BYTES)
    except TooLong:
        raise XmpTooLarge from None
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        raise XmpUnreadable from None
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


def replace(path: Path, data: bytes, old: SidecarFile | None, photo: Path, root: Path | None) -> bool:
    """Write a sidecar whole, with the rights of the old one, or the photo's. False, and nothing done, if it isn't `old` any more.

    `root` is the watched folder that the sidecar must lie in; without it, any existing sidecar is edited where a link leads to it.
    Raises XmpDiskFull, XmpUnwritable, XmpLinked.
    """
    target = _target(path, root)
    if old is None and target != path:
        raise XmpLinked  # dangling: the link, which may be hostile, would choose where a new file is made
    temporary = _temporary(target)
    try:
        if old is not None and not _may_write(target):
            raise XmpUnwritable
        temporary.unlink(missing_ok=True)
        with create_file(temporary) as file:
            file.write(data)
            file.flush()
            _dress(file.fileno(), target if old else None, photo)
            os.fsync(file.fileno())
        if not _still(path, old):
            return False
        if old is None:
            move_new(str(temporary), str(target))
        else:
            temporary.replace(target)
        sync_folder(target.parent)
    except FileExistsError:
        return False
    except OSError as error:
        if getattr(error, "winerror", 0) in _IN_USE:
            return False
        raise (XmpDiskFull if disk_full(error) else XmpUnwritable) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def _target(path: Path, root: Path | None) -> Path:
    """The file that is to be written: a link stays, where it leads to a sidecar. Raises XmpLinked for any other, XmpUnwritable."""
    try:
        linked = path.is_symlink()
    except (OSError, ValueError):  # a name that no file can have
        raise XmpUnwritable from None
    try:
        real = Path(os.path.realpath(path, strict=True)) if linked else None
        folder = os.path.realpath(path.parent if real is None else real.parent)
        inside = root is None or Path(folder).is_relative_to(os.path.realpath(root))
    except (OSError, ValueError):
        raise XmpLinked from None
    if not inside or (real is not None and not (real.suffix.lower() == SIDECAR_ENDING and real.is_file())):
        raise XmpLinked
    return path if real is None else real


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


def _dress(handle: int, old: Path | None, photo: Path) -> None:
    """By the open file: its name may stand for another one by now."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        facts = (old or photo).stat()
        os.fchmod(handle, stat.S_IMODE(facts.st_mode) if old else stat.S_IMODE(facts.st_mode) & 0o666 | 0o600)
        if old is not None:
            _copy_attributes(old, handle)
            os.fchown(handle, facts.st_uid, facts.st_gid)


def _copy_attributes(old: Path, handle: int) -> None:
    """Extended attributes, where there are such."""
    if sys.platform == "linux":
        for name in os.listxattr(old):
            with contextlib.suppress(OSError):
                os.setxattr(handle, name, os.getxattr(old, name))


def _still(path: Path, old: SidecarFile | None) -> bool:
    """Whether the sidecar is what was read. The content is compared, for times can be coarse."""
    now = read(path)
    return (now and now.data) == (old and old.data)
