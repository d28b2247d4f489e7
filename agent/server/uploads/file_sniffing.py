"""Tells by the first bytes whether a file is a photo or a video: its name may say anything."""

from typing import Final

from agent.domain.video import is_clip

HEAD: Final = 64  # bytes that are looked at

_PHOTOS: Final = (
    (0, b"\xff\xd8\xff"),  # JPEG
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"GIF8"),
    (0, b"BM"),
    (8, b"WEBP"),
    (0, b"II*\0"),  # TIFF, and most camera raw files
    (0, b"MM\0*"),
    (0, b"II+\0"),
    (0, b"MM\0+"),
    (0, b"IIRO"),  # Olympus
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),  # Panasonic
    (0, b"FUJIFILM"),
    (0, b"\0MRM"),  # Minolta
    (0, b"FOVb"),  # Sigma
    (6, b"HEAPCCDR"),  # Canon's CRW
)
_CLIPS: Final = (
    (0, b"\x1aE\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"\0\0\x01\xba"),  # MPEG program streams
    (0, b"\0\0\x01\xb3"),
    (0, b"0&\xb2u\x8ef\xcf\x11"),  # ASF, WMV
    (0, b"FLV"),
    (0, b"OggS"),
    (0, b"\x06\x0e+4"),  # MXF
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (4, b"free"),
    (4, b"skip"),
    (0, b"\x1f\x07\x00"),  # DV
)
_PACKETS: Final = (0, 4)  # where the first packet of an MPEG transport stream may begin
# Brands of pictures in a container that videos use, too.
_PICTURES_IN_MP4: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx "})


def fits(name: str, head: bytes) -> bool:
    """Return whether a file that begins so is a photo, or a video if it has a video's name. Which kind of photo is the decoder's matter."""
    if head[4:8] == b"ftyp":
        return (head[8:12] in _PICTURES_IN_MP4) is not is_clip(name)
    if is_clip(name):
        return _begins(head, _CLIPS) or any(head[at : at + 1] == b"G" for at in _PACKETS)
    return _begins(head, _PHOTOS)


def _begins(head: bytes, known: tuple[tuple[int, bytes], ...]) -> bool:
    return any(head[at : at + len(mark)] == mark for at, mark in known)
