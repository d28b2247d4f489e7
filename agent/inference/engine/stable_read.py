"""Reads a file that was handed over so that what is decoded is what is on the disk: as bytes, or as a map if it is large.

Reading a mapped page that another program cut off ends the process with SIGBUS. The agent then asks a new process, which maps no
file: see docs/decisions/0034-large-files-are-mapped.md.
"""

import hashlib
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

from agent.domain.errors import ImageChanged, ImageError, ImageTooLarge, ImageUnreadable
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.codecs.file_bytes import FileBytes, MappedFile

# Bytes: a smaller file is copied, which takes less memory than a decoded photo and can't end the process.
LARGE: Final = 16_000_000
# Elsewhere a mapped file can't be deleted or replaced by its owner (Windows), or SIGBUS can have other causes (macOS).
_MAPS: Final = sys.platform == "linux"


def spent(descriptor: int) -> BinaryIO:
    """The file behind a descriptor that was handed over; closing the result closes it."""
    return os.fdopen(descriptor, "rb")


@contextmanager
def steady(descriptor: int, limits: DecodeLimits, *, mapped: bool = True) -> Iterator[FileBytes]:
    """Yield the whole content; the file is closed at the end.

    Raises ImageTooLarge, ImageUnreadable, or ImageChanged if it was written to meanwhile.
    """
    with spent(descriptor) as file:
        before = _checked(file, limits)
        content = _map(file, before.st_size) if mapped and _MAPS and before.st_size >= LARGE else None
        if content is None:
            yield read_steady(file, limits)
            return
        try:
            yield content
        except ImageError:
            _check_unchanged(file, before)
            raise
        _check_unchanged(file, before)


def read_steady(file: BinaryIO, limits: DecodeLimits) -> bytes:
    """The whole content of a file opened anew, in memory. Raises ImageTooLarge, ImageUnreadable, or ImageChanged as above."""
    before = _checked(file, limits)
    try:
        data = file.read(before.st_size + 1)
    except OSError as error:
        raise ImageUnreadable from error
    _check_unchanged(file, before)
    if len(data) != before.st_size:
        raise ImageChanged
    return data


def check_same(data: FileBytes, sha256: str) -> None:
    """Check again, after it was decoded, that a mapped file has this digest. Raises ImageChanged.

    The time of a file's last change is coarse, and another program that maps the file may not set it at once.
    """
    if isinstance(data, MappedFile) and hashlib.sha256(data).hexdigest() != sha256:
        raise ImageChanged


def _checked(file: BinaryIO, limits: DecodeLimits) -> os.stat_result:
    try:
        state = os.fstat(file.fileno())
    except OSError as error:
        raise ImageUnreadable from error
    if state.st_size > limits.megabytes * 1e6:
        raise ImageTooLarge(megabytes=round(state.st_size / 1e6), limit=limits.megabytes)
    return state


def _check_unchanged(file: BinaryIO, before: os.stat_result) -> None:
    try:
        after = os.fstat(file.fileno())
    except OSError as error:
        raise ImageUnreadable from error
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ImageChanged


def _map(file: BinaryIO, size: int) -> MappedFile | None:
    """Return the mapped file; None if its file system maps none."""
    try:
        content = MappedFile(file.fileno(), size, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    with suppress(OSError):
        content.madvise(mmap.MADV_SEQUENTIAL)
    return content
