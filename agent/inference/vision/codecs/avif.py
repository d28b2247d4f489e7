"""Reads how an AVIF's pictures are coded, which Pillow doesn't report: bit depth and chroma subsampling."""

from dataclasses import dataclass
from typing import Final

from agent.inference.vision.codecs.file_bytes import FileBytes

_HEAD: Final = 1_000_000  # bytes: these boxes precede the pictures
_MANY: Final = 64
_MONOCHROME: Final = 0x10
_SAMPLINGS: Final = {0x0: "4:4:4", 0x8: "4:2:2", 0xC: "4:2:0"}


@dataclass(frozen=True, slots=True)
class AvifCoding:
    bits: int = 8
    sampling: str = "4:2:0"


def coding_of(data: FileBytes) -> AvifCoding:
    """Return the coding of the colours; auxiliary pictures, such as transparency, are coded without any."""
    head, at = data[:_HEAD], 0
    found = AvifCoding()
    for _ in range(_MANY):
        at = head.find(b"av1C", at) + 4
        if at < 4 or len(head) < at + 4:
            break
        flags = head[at + 2]
        bits = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
        found = AvifCoding(max(bits, found.bits), found.sampling)
        if not flags & _MONOCHROME:
            return AvifCoding(found.bits, _SAMPLINGS.get(flags & 0xC, "4:2:0"))
    return found
