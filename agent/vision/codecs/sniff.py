"""Detects a file's format by its first bytes, never by its name."""

from typing import Final

from agent.vision.codecs import tiff

_CAMERAS: Final = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")
_AVIF: Final = {b"avif", b"avis"}
_HEVC: Final = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_GENERAL: Final = {b"mif1", b"msf1", b"mif2"}  # the other brands name the codec
_BRANDS: Final = 64  # no file has this many


def sniff(data: bytes) -> str | None:
    """Return the format; None if unsupported. The directories distinguish a camera raw file from a TIFF."""
    if data.startswith(b"\xff\xd8"):
        return "jpeg"
    if data.startswith(b"\x89PNG"):
        return "png"
    if data.startswith(b"RIFF") and data[8:12] in (b"WEBP", b""):
        return "webp"
    if data.startswith(b"GIF8"):
        return "gif"
    if data.startswith(tiff.MAGICS):
        return "raw" if tiff.is_raw(data) else "tiff"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    if data.startswith(_CAMERAS):
        return "raw"
    return "bmp" if data.startswith(b"BM") else None


def _of_brands(data: bytes) -> str | None:
    """Return the format of a box-based file (ISO 14496-12); videos are such files too."""
    end = min(int.from_bytes(data[:4], "big"), 16 + 4 * _BRANDS)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    if brands[0] == b"crx ":
        return "raw"
    named = brands if brands[0] in _GENERAL else brands[:1]
    if _AVIF & set(named):
        return "avif"
    return "heic" if _HEVC & set(named) else None
