"""What a file is, is told by how it begins."""

import pytest

from agent.server.uploads.file_sniffing import fits


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
        ("phone.jpg", b"\0\0\0\x18ftypheic"),
        ("a.heic", b"\0\0\0\x18ftypmif1"),
        ("a.cr3", b"\0\0\0\x18ftypcrx "),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.webp", b"RIFF\x10\0\0\0WEBPVP8 "),
        ("a.nef", b"MM\0*\0\0\0\x08"),
        ("a.mp4", b"\0\0\0\x18ftypisom"),
        ("a.mov", b"\0\0\0\x14ftypqt  "),
        ("a.mkv", b"\x1aE\xdf\xa3\x01"),
        ("a.mts", b"\0\0\0\0G@\0"),
    ],
)
def test_photos_and_videos_are_known(name: str, head: bytes) -> None:
    assert fits(name, head)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.jpg", b"MZ\x90\0\x03"),
        ("a.jpg", b"<svg xmlns="),
        ("a.png", b"%PDF-1.7"),
        ("a.jpg", b"\0\0\0\x18ftypisom"),
        ("a.mp4", b"\xff\xd8\xff\xe0"),
        ("a.mp4", b"\0\0\0\x18ftypheic"),
        ("a.gif", b""),
    ],
)
def test_anything_else_is_refused_whatever_its_name(name: str, head: bytes) -> None:
    assert not fits(name, head)
