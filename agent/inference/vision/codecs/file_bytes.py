"""The content of a file, in memory or mapped: decoders read a mapped file's pages from the system's cache, without a copy."""

import io
import mmap
from typing import BinaryIO, TypeAlias, cast


class MappedFile(mmap.mmap):
    """A mapped file with the methods of `bytes` that decoders use. Slices are `bytes`, so take small ones."""

    def startswith(self, prefix: bytes | tuple[bytes, ...], start: int = 0) -> bool:
        longest = max(map(len, prefix), default=0) if isinstance(prefix, tuple) else len(prefix)
        return self[start : start + longest].startswith(prefix)

    def endswith(self, suffix: bytes) -> bool:
        return self[-len(suffix) :] == suffix


FileBytes: TypeAlias = bytes | MappedFile

_TAIL = 4096


def unpadded(data: FileBytes) -> int:
    """Return the length without zeros at the end."""
    end = len(data)
    while end > 0:
        tail = data[max(0, end - _TAIL) : end]
        if kept := tail.rstrip(b"\0"):
            return end - len(tail) + len(kept)
        end -= len(tail)
    return 0


def as_file(data: FileBytes) -> BinaryIO:
    """Return a file for Pillow."""
    return cast("BinaryIO", _MappedReader(data)) if isinstance(data, MappedFile) else io.BytesIO(data)


class _MappedReader(io.RawIOBase):
    """Reads a mapped file from a position of its own."""

    def __init__(self, data: MappedFile) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if at < 0:
            raise ValueError("negative position")
        self._at = at
        return at

    def read(self, size: int | None = -1, /) -> bytes:
        end = len(self._data) if size is None or size < 0 else self._at + size
        part = self._data[self._at : end]
        self._at += len(part)
        return part

    def getvalue(self) -> MappedFile:
        """Return the whole content, which libtiff decodes in place."""
        return self._data
