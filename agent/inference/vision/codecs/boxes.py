"""Reads the outer boxes of a box-based file (ISO 14496-12), such as HEIC and AVIF."""

from collections.abc import Iterator

from agent.inference.vision.codecs.file_bytes import FileBytes


def boxes(data: FileBytes) -> Iterator[tuple[bytes, int]]:
    """Yield the kind of each box and its declared end. A box with an invalid size ends with the file."""
    at = 0
    while at + 8 <= len(data):
        kind, size = data[at + 4 : at + 8], int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        at = at + size if size >= 8 else len(data)  # 0: to the end of the file
        yield kind, at


def inside(data: FileBytes, wanted: bytes) -> Iterator[bytes]:
    """Yield the content of each outer box of that kind."""
    at = 0
    for kind, end in boxes(data):
        if kind == wanted:
            yield data[at + (16 if data[at : at + 4] == b"\0\0\0\1" else 8) : end]
        at = end
