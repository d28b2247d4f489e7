"""XMP and orientation inside photos of every format; and files that are cut off or lie about themselves."""

import io
import random
import struct
import zlib
from pathlib import Path

import PIL.Image
import pytest

from agent.adapters.xmp.embedded import Embedded, _read, read_embedded
from agent.domain.errors import XmpUnreadable
from tests.xmp_packets import DIGIKAM

XMP = DIGIKAM.encode()


def exif(orientation: int = 6) -> PIL.Image.Exif:
    made = PIL.Image.Exif()
    made[0x112] = orientation
    return made


def photo(folder: Path, kind: str) -> Path:
    path = folder / f"photo.{kind}"
    picture = PIL.Image.new("RGB", (32, 24), "red")
    if kind == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", DIGIKAM)
        picture.save(path, pnginfo=info, exif=exif())
    elif kind == "tif":
        directory = PIL.TiffImagePlugin.ImageFileDirectory_v2()
        directory[700], directory[0x112] = XMP, 6
        directory.tagtype[700] = 1
        picture.save(path, tiffinfo=directory)
    elif kind == "heic":
        import pillow_heif

        pillow_heif.from_pillow(picture).save(path, xmp=XMP, exif=exif().tobytes(), quality=50)
    else:
        picture.save(path, xmp=XMP, exif=exif())
    return path


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "heic"])
def test_xmp_and_orientation_are_found_in(kind: str, tmp_path: Path) -> None:
    found = read_embedded(photo(tmp_path, kind))
    assert found.xmp == XMP
    assert found.orientation == 6


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "heic"])
def test_a_file_that_is_cut_off_or_changed_anywhere_says_less_and_does_no_harm(kind: str, tmp_path: Path) -> None:
    whole = photo(tmp_path, kind).read_bytes()
    chance = random.Random(kind)
    for _ in range(60):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.5 else whole)
        for _ in range(3 if data else 0):
            data[chance.randrange(min(len(data), 600))] = chance.choice((0, 1, 0x7F, 0xFF))
        assert isinstance(_read(io.BytesIO(data)), Embedded)


def test_an_extended_packet_is_put_together(tmp_path: Path) -> None:
    guid, long = b"0123456789ABCDEF0123456789ABCDEF", XMP * 3
    portions = [(at, long[at : at + 2_000]) for at in range(0, len(long), 2_000)]
    assert jpeg(tmp_path, guid, long, portions).extended == long
    assert jpeg(tmp_path, guid, long, portions[::-1]).extended == long
    assert jpeg(tmp_path, guid, long, portions[1:]).extended is None
    assert jpeg(tmp_path, b"F" * 32, long, portions).extended is None


def jpeg(folder: Path, guid: bytes, long: bytes, portions: list[tuple[int, bytes]]) -> Embedded:
    def segment(data: bytes) -> bytes:
        return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data

    first = segment(b"http://ns.adobe.com/xap/1.0/\0" + b"<x note='0123456789ABCDEF0123456789ABCDEF'/>")
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">I", len(long))
    path = folder / "extended.jpg"
    path.write_bytes(b"\xff\xd8" + first + b"".join(segment(head + struct.pack(">I", at) + part) for at, part in portions) + b"\xff\xd9")
    return read_embedded(path)


def test_a_compressed_packet_never_grows_beyond_its_bound(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(40 << 20), 1)) + chunk(b"IEND", b"")
    )
    assert len(read_embedded(path).xmp or b"") == 16 << 20


def test_other_files_carry_nothing(tmp_path: Path) -> None:
    for number, data in enumerate(
        [
            b"",
            b"BM",
            b"GIF89a",
            b"\xff\xd8",
            b"RIFF\0\0\0\0WEBP",
            b"II*\0",
            b"\0\0\0\x08ftyp",
            b"II*\0\xff\xff\xff\xff",
            b"II+\0" + b"\xff" * 12,
        ]
    ):
        path = tmp_path / str(number)
        path.write_bytes(data)
        assert read_embedded(path) == Embedded()


def test_a_photo_that_is_gone_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(XmpUnreadable):
        read_embedded(tmp_path / "gone.jpg")


def test_a_photo_in_a_cloud_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = photo(tmp_path, "jpg")
    monkeypatch.setattr("agent.adapters.xmp.embedded.is_online_only", lambda path: True)
    assert read_embedded(path) == Embedded()
