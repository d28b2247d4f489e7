"""Sidecar files: found for a photo, replaced whole and only if no other program wrote meanwhile. Their content is not looked at here.

A photo's folder may come from an untrusted source, with links in it. A sidecar is created only under its own unused name, and a link is
followed only to an existing sidecar in the same watched folder.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import sys
from pathlib import Path
from typing import Final

from agent.domain.errors import XmpDiskFull, XmpLinked, XmpTooLarge, XmpUnreadable, XmpUnwritable
from agent.domain.image import SIDECAR_ENDING, is_image
from agent.domain.regions import MAX_XMP_BYTES
from agent.inference.engine.xmp_calls import PhotoFiles
from agent.infrastructure.core.files import (
    FileTooLarge,
    create_file,
    disk_full,
    move_new,
    read_regular,
    replace_blocked_by,
    replace_file,
    sync_folder,
)
from agent.infrastructure.sources.folder.drives import is_online_only

# A day, because the clock of a drive in the network may differ from this computer's.
LEFT_S: Final = 86_400.0
_START, _END = ".ai-popup-xmp-", ".tmp"
_NO_FILE: Final = (errno.ENOENT, errno.ENAMETOOLONG)


def long_name(photo: Path) -> Path:
    """Return `IMG.jpg.xmp`, as digiKam and darktable write: it can only be this photo's."""
    return photo.with_name(photo.name + SIDECAR_ENDING)


def short_name(photo: Path) -> Path:
    """Return `IMG.xmp`, as Lightroom writes."""
    return photo.with_name(photo.stem + SIDECAR_ENDING)


def offered(photo: Path, *, embedded: bool = True) -> PhotoFiles:
    """Return which files the engine needs for a photo. A photo whose content is in a cloud is not read.

    Raises XmpTooLarge, XmpUnreadable.
    """
    long, short = _exists(long_name(photo)), _exists(short_name(photo))
    return PhotoFiles(
        long=long,
        short=short,
        photo=embedded and not is_online_only(str(photo)),
        suffix=photo.suffix[1:].encode("utf-8", "replace").decode("utf-8"),
        only=not short or not has_namesakes(photo),
    )


def _exists(path: Path) -> bool:
    """Return whether there is a sidecar. Raises XmpTooLarge, XmpUnreadable."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) or is_online_only(str(path)):  # reading would trigger a download
            raise XmpUnreadable
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in _NO_FILE:
            return False
        raise XmpUnreadable from None
    if facts.st_size > MAX_XMP_BYTES:
        raise XmpTooLarge
    return True


def paths_of(photo: Path, files: PhotoFiles) -> list[Path]:
    """Return the offered files, in their order."""
    whole = ((long_name(photo), files.long), (short_name(photo), files.short), (photo, files.photo))
    return [path for path, there in whole if there]


def has_namesakes(photo: Path) -> bool:
    """Return whether another image beside it differs only in the extension, so that `IMG.xmp` could be either's."""
    try:
        with os.scandir(photo.parent) as entries:
            names = (entry.name for entry in entries if entry.name != photo.name and is_image(entry.name))
            return any(Path(name).stem == photo.stem for name in names)
    except OSError:
        raise XmpUnreadable from None


def replace(path: Path, data: bytes, old: str | None, photo: Path, root: Path | None) -> bool:
    """Write a sidecar whole, with the mode of the old one, or the photo's. Return False without writing if it is no longer `old`.

    `old` is the SHA-256 of the content that was edited; None: there was no sidecar.
    `root` is the watched folder that must contain the sidecar; without it, a link to any existing sidecar is followed.
    Raises XmpDiskFull, XmpUnwritable, XmpLinked.
    """
    target = _target(path, root)
    if old is None and target != path:
        raise XmpLinked  # dangling: the link, possibly malicious, would choose where a new file is created
    temporary = _temporary(target)
    try:
        if old is not None and not _may_write(target):
            raise XmpUnwritable
        with create_file(temporary) as file:
            file.write(data)
            file.flush()
            _dress(file.fileno(), target if old is not None else None, photo)
            os.fsync(file.fileno())
        if not _still(path, old):
            return False
        if not temporary.exists():
            return False  # another computer forgets who is named in it
        if old is None:
            move_new(str(temporary), str(target))
        else:
            replace_file(temporary, target)
        sync_folder(target.parent)
    except FileExistsError:
        return False
    except OSError as error:
        if replace_blocked_by(target) == "held":
            return False
        raise (XmpDiskFull if disk_full(error) else XmpUnwritable) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return True


def _target(path: Path, root: Path | None) -> Path:
    """Return the file to write: a link that leads to a sidecar stays. Raises XmpLinked for any other, XmpUnwritable."""
    try:
        linked = path.is_symlink()
    except (OSError, ValueError):  # an impossible file name
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
    """Remove the partial sidecars of killed programs, which contain names. Raises XmpUnwritable."""
    target = Path(os.path.realpath(path))
    try:
        for left in _left(target.parent, _own_start(target)):
            left.unlink(missing_ok=True)
    except OSError:
        raise XmpUnwritable from None


def sweep(folder: Path, now: float) -> None:
    """Remove what programs that were killed left of any sidecar in a folder; `now` in file time. Younger ones may be another computer's."""
    with contextlib.suppress(OSError):
        for left in _left(folder, _START):
            if left.lstat().st_mtime < now - LEFT_S:
                left.unlink(missing_ok=True)


def _left(folder: Path, start: str) -> list[Path]:
    with os.scandir(folder) as entries:
        return [folder / entry.name for entry in entries if entry.name.startswith(start) and entry.name.endswith(_END)]


def _own_start(target: Path) -> str:
    """Return what the temporary names of one sidecar begin with: short for any sidecar name."""
    return f"{_START}{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def _temporary(target: Path) -> Path:
    """Return an unused name: two programs may write the same sidecar at once, from two computers or in two processes of a server."""
    return target.with_name(f"{_own_start(target)}{secrets.token_hex(8)}{_END}")


def _may_write(path: Path) -> bool:
    """Return whether it is writable: replacing needs only the folder's permissions, but a read-only file must be respected."""
    return bool(path.stat().st_mode & 0o222) and os.access(path, os.W_OK)


def _dress(handle: int, old: Path | None, photo: Path) -> None:
    """Copy the mode through the open file, because its name may refer to another one by now."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        facts = (old or photo).stat()
        os.fchmod(handle, stat.S_IMODE(facts.st_mode) if old else stat.S_IMODE(facts.st_mode) & 0o666 | 0o600)
        if old is not None:
            _copy_attributes(old, handle)
            os.fchown(handle, facts.st_uid, facts.st_gid)


def _copy_attributes(old: Path, handle: int) -> None:
    """Copy extended attributes, if supported."""
    if sys.platform == "linux":
        for name in os.listxattr(old):
            with contextlib.suppress(OSError):
                os.setxattr(handle, name, os.getxattr(old, name))


def _still(path: Path, old: str | None) -> bool:
    """Return whether the sidecar is still what was edited. The content is compared, because times can be coarse."""
    try:
        now = hashlib.sha256(read_regular(path, MAX_XMP_BYTES)[0]).hexdigest()
    except FileTooLarge:
        return False
    except (OSError, ValueError) as error:
        return old is None and getattr(error, "errno", None) in _NO_FILE
    return now == old
